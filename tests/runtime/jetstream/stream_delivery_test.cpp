#include "runtime/jetstream/stream_delivery.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "runtime/signing/sha256.hpp"
#include "tests/support/text_log.hpp"

#define CAF_SUITE stream_delivery
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using note_kind = receiver_note::kind;
using action_kind = stream_action::kind;

std::string line(int number) {
  return R"({"id":"host-a/)" + std::to_string(number) + R"(","subject":"urn:cellos:cell:c1"})" + "\n";
}
const std::size_t line_bytes = line(1).size();

struct fixture {
  fixture() {
    settings.host_id = "host-a";
    settings.prefix = "cellos";
    settings.log[0] = 7;
    for (int i = 1; i <= 9; ++i) log.append(line(i));
    log.commit();
  }

  stream_delivery& start(std::optional<stream_hint> hint = std::nullopt) {
    delivery.emplace(settings, log, hint);
    delivery->tick(now);
    return *delivery;
  }
  /// Connected, and the tail is asked for.
  stream_delivery& connect(std::optional<stream_hint> hint = std::nullopt) {
    start(hint);
    session = delivery->take_actions().at(0).session;
    delivery->connected(session, now);
    CAF_REQUIRE(delivery->take_actions().at(0).what == action_kind::ask_tail);
    return *delivery;
  }
  std::vector<stream_message> published() {
    std::vector<stream_message> out;
    for (auto& each : delivery->take_actions()) {
      if (each.what == action_kind::publish) out.push_back(each.message);
    }
    return out;
  }
  std::size_t count(note_kind kind) {
    for (auto& each : delivery->take_notes(now)) notes.push_back(each);
    return static_cast<std::size_t>(std::ranges::count(notes, kind, &receiver_note::what));
  }
  /// The stream's last message is the n-th line of the log.
  stream_tail tail_at(int number, std::uint64_t sequence) const {
    stream_tail tail;
    tail.first_sequence = 1;
    tail.last_sequence = tail.newest = sequence;
    const segment_position end{1, static_cast<std::uint64_t>(number) * line_bytes};
    tail.own = {sequence, log_place{settings.log, end}, sha256::of(line(number))};
    return tail;
  }
  static stream_answer stored(std::uint64_t sequence) { return {true, false, sequence, 0, {}}; }
  static stream_answer refused(std::uint32_t code) { return {false, false, 0, code, "no"}; }

  stream_delivery_settings settings;
  text_log log;
  monotonic_time now{1h};
  std::optional<stream_delivery> delivery;
  std::uint64_t session = 0;
  std::vector<receiver_note> notes;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(stream_delivery_tests, fixture)

CAF_TEST(each_line_is_a_message_that_names_what_must_be_before_it) {
  connect().found(session, stream_tail{}, now);
  const auto all = published();
  CAF_REQUIRE_EQUAL(all.size(), 9u);
  CAF_CHECK_EQUAL(all[0].expected, 0u);
  CAF_CHECK_EQUAL(all[8].expected, 8u);
  CAF_CHECK_EQUAL(all[2].id, "host-a/3");
  CAF_CHECK_EQUAL(all[2].subject, "cellos.host-a.c1");
  CAF_CHECK_EQUAL(all[2].content + "\n", line(3));
  CAF_CHECK((all[2].place == log_place{settings.log, {1, 3 * line_bytes}}));
  CAF_MESSAGE("an answer speaks for all before it");
  delivery->answered(session, all[8].number, stored(9), now);
  CAF_CHECK(delivery->status().is_complete);
  CAF_CHECK((delivery->hint() == stream_hint{log.end(), 9}));
  CAF_CHECK_EQUAL(delivery->status().lines_delivered, 9u);
  CAF_CHECK_EQUAL(count(note_kind::reached), 1u);
}

CAF_TEST(the_stream_s_tail_decides_and_the_hint_does_not) {
  connect(stream_hint{log.end(), 9}).found(session, tail_at(4, 4), now);
  CAF_CHECK(published().at(0).id == "host-a/5");
  connect(stream_hint{{1, line_bytes}, 1}).found(session, tail_at(4, 4), now);
  CAF_CHECK(published().at(0).id == "host-a/5");
  connect().found(session, tail_at(4, 4), now);
  CAF_CHECK(published().at(0).expected == 4u);
}

CAF_TEST(in_a_shared_stream_an_id_that_is_known_says_nothing) {
  // Others may have used it, and what they stored is not this host's.
  settings.fence = stream_fence::subject;
  connect().found(session, stream_tail{}, now);
  const auto first = published();
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  auto duplicate = stored(1);
  duplicate.is_duplicate = true;
  delivery->answered(session, first[0].number, duplicate, now);
  CAF_CHECK_EQUAL(delivery->status().lines_delivered, 0u);
  CAF_REQUIRE(delivery->take_actions().at(0).what == action_kind::ask_tail);
  delivery->found(session, stream_tail{}, now);
  const auto again = published();
  CAF_REQUIRE_EQUAL(again.size(), 1u);
  CAF_CHECK_EQUAL(again[0].id, "");
  CAF_CHECK_EQUAL(again[0].content, first[0].content);
}

CAF_TEST(a_stream_is_not_filled_to_its_limit) {
  // Whatever a server stores beside a line.
  constexpr std::uint64_t most_beside = 1024 + 100;
  stream_tail nearly_full;
  nearly_full.max_bytes = 1'000'000;
  nearly_full.used_bytes = nearly_full.max_bytes - 2 * (line_bytes + most_beside);
  connect().found(session, nearly_full, now);
  const auto first = published();
  CAF_REQUIRE_EQUAL(first.size(), 2u);
  CAF_MESSAGE("what was stored was less than could have been: it is asked how much");
  delivery->answered(session, first[1].number, stored(2), now);
  CAF_CHECK_EQUAL(count(note_kind::refuses), 0u);
  CAF_REQUIRE(delivery->take_actions().at(0).what == action_kind::ask_tail);
  auto full = tail_at(2, 2);
  full.max_bytes = full.used_bytes = nearly_full.max_bytes;
  delivery->found(session, full, now);
  CAF_CHECK(published().empty());
  CAF_CHECK_EQUAL(count(note_kind::refuses), 1u);
  CAF_CHECK(delivery->next_wake() > now);
  CAF_MESSAGE("with room it goes on");
  now += 30s;
  delivery->tick(now);
  CAF_REQUIRE(delivery->take_actions().at(0).what == action_kind::ask_tail);
  delivery->found(session, tail_at(2, 2), now);
  CAF_CHECK(published().at(0).id == "host-a/3");
}

CAF_TEST(what_the_hint_knows_was_removed_from_the_stream_is_not_sent_again) {
  const stream_hint hint{{1, 6 * line_bytes}, 6};
  connect(hint).found(session, {{}, 9, 8, 0, {}}, now);
  CAF_CHECK(published().at(0).id == "host-a/7");
  CAF_MESSAGE("where some of it is left that decides");
  auto tail = tail_at(4, 4);
  tail.last_sequence = 8;
  connect(hint).found(session, tail, now);
  CAF_CHECK(published().at(0).id == "host-a/5");
  CAF_MESSAGE("but a stream that was made anew gets all");
  connect(hint).found(session, stream_tail{}, now);
  CAF_CHECK(published().at(0).id == "host-a/1");
  CAF_MESSAGE("and in a shared one others may have taken the sequences");
  settings.fence = stream_fence::subject;
  connect(hint).found(session, {{}, 1, 30, 30, {}}, now);
  CAF_CHECK(published().at(0).place.end.offset == 9 * line_bytes);
  CAF_CHECK_EQUAL(delivery->status().delivered.offset, 0u);
  connect(hint).found(session, {{}, 7, 30, 30, {}}, now);
  CAF_CHECK_EQUAL(delivery->status().delivered.offset, 6 * line_bytes);
}

CAF_TEST(after_the_first_error_what_is_on_its_way_is_waited_for_and_the_tail_asked_for) {
  connect().found(session, stream_tail{}, now);
  const auto all = published();
  delivery->answered(session, all[0].number, stored(1), now);
  delivery->answered(session, all[1].number, refused(wrong_last_sequence), now);
  CAF_CHECK(delivery->take_actions().empty());
  for (std::size_t i = 2; i < all.size(); ++i) {
    delivery->answered(session, all[i].number, refused(wrong_last_sequence), now);
  }
  CAF_CHECK(delivery->take_actions().at(0).what == action_kind::ask_tail);
  delivery->found(session, tail_at(1, 1), now);
  CAF_MESSAGE("and one message goes ahead of the others");
  const auto one = published();
  CAF_REQUIRE_EQUAL(one.size(), 1u);
  CAF_CHECK_EQUAL(one[0].id, "host-a/2");
  delivery->answered(session, one[0].number, stored(2), now);
  CAF_CHECK_EQUAL(published().size(), 7u);
  CAF_CHECK_EQUAL(count(note_kind::refuses), 0u);
}

CAF_TEST(a_line_that_the_server_lost_and_whose_id_it_knows_goes_without_it) {
  connect().found(session, tail_at(4, 4), now);
  auto sent = published();
  CAF_REQUIRE_EQUAL(sent.size(), 5u);
  for (const auto& each : sent) delivery->answered(session, each.number, {true, true, 3, 0, {}}, now);
  CAF_CHECK((delivery->status().delivered == segment_position{1, 4 * line_bytes}));
  delivery->found(session, tail_at(4, 4), now);
  sent = published();
  CAF_REQUIRE_EQUAL(sent.size(), 5u);
  CAF_CHECK_EQUAL(sent[0].id, "");
  CAF_CHECK_EQUAL(sent[0].expected, 4u);
  CAF_MESSAGE("where nothing of this host is there it was removed");
  connect().found(session, {{}, 9, 8, 0, {}}, now);
  sent = published();
  delivery->answered(session, sent[0].number, {true, true, 3, 0, {}}, now);
  CAF_CHECK((delivery->status().delivered == segment_position{1, line_bytes}));
}

CAF_TEST(a_full_stream_is_said_once_and_tried_again) {
  connect().found(session, stream_tail{}, now);
  auto sent = published();
  for (int i = 0; i < 20; ++i) {
    for (const auto& each : sent) delivery->answered(session, each.number, refused(10077), now);
    now += 6s;
    delivery->tick(now);
    CAF_REQUIRE(delivery->take_actions().at(0).what == action_kind::ask_tail);
    delivery->found(session, stream_tail{}, now);
    sent = published();
    CAF_REQUIRE_EQUAL(sent.size(), 1u);
  }
  CAF_MESSAGE("once a minute");
  CAF_CHECK_EQUAL(count(note_kind::refuses), 2u);
  CAF_CHECK_EQUAL(count(note_kind::reached), 1u);
  delivery->answered(session, sent[0].number, stored(1), now);
  CAF_CHECK_EQUAL(count(note_kind::reached), 2u);
  CAF_CHECK_EQUAL(published().size(), 8u);
}

CAF_TEST(a_server_that_answers_nothing_is_left) {
  connect().found(session, stream_tail{}, now);
  const auto all = published();
  now += 4900ms;
  delivery->answered(session, all[0].number, stored(1), now);
  now += 4900ms;
  delivery->tick(now);
  CAF_CHECK(delivery->take_actions().empty());
  now += 200ms;
  delivery->tick(now);
  CAF_CHECK(delivery->take_actions().at(0).what == action_kind::hang_up);
  CAF_CHECK_EQUAL(count(note_kind::lost), 1u);
  CAF_CHECK(delivery->next_wake() <= now + 5s);
  now += 5s;
  delivery->tick(now);
  const auto again = delivery->take_actions();
  CAF_REQUIRE_EQUAL(again.size(), 1u);
  CAF_CHECK(again[0].what == action_kind::connect);
  CAF_CHECK_GREATER(again[0].session, session);
  CAF_MESSAGE("so is one that does not connect, or does not say what the stream has");
  now += 5s;
  delivery->tick(now);
  CAF_CHECK(delivery->take_actions().at(0).what == action_kind::hang_up);
}

CAF_TEST(a_stream_of_another_writer_is_refused) {
  auto tail = tail_at(4, 4);
  tail.newest = tail.last_sequence = 5;
  connect().found(session, tail, now);
  CAF_CHECK(published().empty());
  CAF_CHECK_EQUAL(count(note_kind::refuses), 1u);
  CAF_CHECK_NOT_EQUAL(notes[0].cause.find("another writer"), std::string::npos);
  CAF_MESSAGE("and a refusal of the link is one as well");
  connect().found(session, {"no stream", 0, 0, 0, {}}, now);
  CAF_CHECK(published().empty());
  CAF_CHECK_EQUAL(count(note_kind::refuses), 2u);
}

CAF_TEST(a_tail_that_is_no_line_of_the_log_is_a_fork) {
  auto tail = tail_at(4, 4);
  tail.own->line[0] ^= 1;
  connect(stream_hint{{1, 2 * line_bytes}, 2}).found(session, tail, now);
  CAF_CHECK_EQUAL(count(note_kind::forked), 1u);
  CAF_MESSAGE("what follows what this log remembers of it goes behind it");
  CAF_CHECK(published().at(0).id == "host-a/3");
  tail.own->place->end = {7, 100};
  connect().found(session, tail, now);
  CAF_CHECK_EQUAL(count(note_kind::forked), 2u);
  CAF_MESSAGE("another log of the host is none");
  tail.own->place->log[0] ^= 1;
  connect().found(session, tail, now);
  CAF_CHECK_EQUAL(count(note_kind::forked), 2u);
  CAF_CHECK(published().at(0).expected == 4u);
}

CAF_TEST(lines_that_were_removed_here_are_said_to_be_missing_there) {
  log.rotate();
  log.append(line(10));
  log.commit();
  log.remove_oldest();
  connect().found(session, tail_at(4, 4), now);
  CAF_CHECK_EQUAL(count(note_kind::lines_undelivered), 1u);
  CAF_CHECK((notes.back().from == segment_position{1, 4 * line_bytes}));
  CAF_CHECK((notes.back().to == segment_position{2, 0}));
  CAF_CHECK(published().at(0).id == "host-a/10");
}

CAF_TEST(lines_removed_soon_after_their_acknowledgement_are_named) {
  log.rotate();
  log.append(line(10));
  log.commit();
  connect().found(session, stream_tail{}, now);
  const auto all = published();
  CAF_REQUIRE_EQUAL(all.size(), 10u);
  delivery->answered(session, all[9].number, stored(10), now);
  now += 9min;
  delivery->tick(now);
  CAF_CHECK_EQUAL(count(note_kind::removed_early), 0u);
  log.remove_oldest();
  now += 2s;
  delivery->tick(now);
  CAF_CHECK_EQUAL(count(note_kind::removed_early), 1u);
  CAF_CHECK((notes.back().to == segment_position{2, 0}));
  CAF_MESSAGE("once, and later nothing is said");
  log.rotate();
  log.append(line(11));
  log.commit();
  now += 2min;
  delivery->tick(now);
  log.remove_oldest();
  now += 2s;
  delivery->tick(now);
  CAF_CHECK_EQUAL(count(note_kind::removed_early), 1u);
}

CAF_TEST(a_shared_stream_gets_one_batch_at_a_time) {
  settings.fence = stream_fence::subject;
  settings.batch_bytes = 3 * line_bytes + 1;
  connect().found(session, stream_tail{}, now);
  auto sent = published();
  CAF_REQUIRE_EQUAL(sent.size(), 1u);
  CAF_CHECK(sent[0].is_batch);
  CAF_CHECK_EQUAL(sent[0].subject, "cellos.host-a.%40batch");
  CAF_CHECK_EQUAL(sent[0].expected, 0u);
  CAF_CHECK((sent[0].place.end == segment_position{1, 3 * line_bytes}));
  CAF_CHECK_EQUAL(sent[0].content, as_json_array(line(1) + line(2) + line(3)));
  delivery->answered(session, sent[0].number, stored(41), now);
  sent = published();
  CAF_REQUIRE_EQUAL(sent.size(), 1u);
  CAF_CHECK_EQUAL(sent[0].expected, 41u);
}

CAF_TEST(before_the_log_is_open_nothing_is_asked) {
  log.committed_end = {};
  start();
  CAF_CHECK(delivery->take_actions().empty());
  log.commit();
  delivery->tick(now);
  CAF_CHECK(delivery->take_actions().at(0).what == action_kind::connect);
}

CAF_TEST_FIXTURE_SCOPE_END()
