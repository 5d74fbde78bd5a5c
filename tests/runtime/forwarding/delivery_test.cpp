#include "runtime/forwarding/delivery.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "tests/support/delivery_world.hpp"

#define CAF_SUITE delivery
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

void pass(delivery_world& world, std::chrono::milliseconds time) {
  for (const auto end = world.network.now + time; world.network.now < end;) world.step();
}

std::size_t count(const delivery_world& world, delivery_note note) {
  return static_cast<std::size_t>(std::ranges::count(world.network.events, note, &delivery_event::note));
}

void write(delivery_world& world, const std::string& lines) {
  world.log.append(lines);
  world.log.commit();
}

}  // namespace

CAF_TEST(what_is_not_committed_is_not_sent) {
  delivery_world world{1, 1, {}};
  world.log.append("one\n");
  pass(world, 500ms);
  CAF_CHECK_EQUAL(world.network.host->status().lines_sent, 0u);
  world.log.commit();
  pass(world, 500ms);
  CAF_CHECK_EQUAL(world.network.host->status().lines_sent, 1u);
  CAF_CHECK(world.network.host->is_complete());
}

CAF_TEST(lines_that_retention_took_before_they_were_delivered_are_skipped_and_reported) {
  delivery_world world{2, 1, {}};
  write(world, "one\n");
  CAF_CHECK(world.finish());
  world.network.kill_collector(0, false);
  log_text all;
  for (const char* const line : {"two\n", "three\n", "four\n", "five\n"}) {
    world.log.rotate();
    write(world, line);
  }
  all = world.log.segments;
  for (int taken = 0; taken < 3; ++taken) world.log.remove_oldest();
  world.network.start_collector(0);
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(count(world, delivery_note::lines_skipped), 1u);
  const auto skipped = std::ranges::find(world.network.events, delivery_note::lines_skipped, &delivery_event::note);
  CAF_CHECK(skipped->from == (segment_position{1, 4}));
  CAF_CHECK(skipped->to == (segment_position{4, 0}));
  copies_check check{all};
  check.look_at(std::filesystem::directory_iterator { world.network.nodes()[0].dir / "host-a" } -> path());
  CAF_CHECK_EQUAL(check.finish(), "10 bytes are missing\n");
}

CAF_TEST(a_log_that_was_changed_behind_the_copy_is_a_fork) {
  delivery_world world{3, 1, {}};
  write(world, "one\ntwo\n");
  CAF_CHECK(world.finish());
  world.log.segments[1] = "one\ntwa\n";
  world.network.cut_connections(0);
  pass(world, 1s);
  write(world, "three\n");
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(count(world, delivery_note::history_forked), 1u);
  CAF_CHECK_EQUAL(world.compare(), "there is a fork");
}

CAF_TEST(a_log_that_lost_what_was_delivered_is_a_fork) {
  delivery_world world{4, 1, {}};
  write(world, "one\ntwo\n");
  CAF_CHECK(world.finish());
  world.log.segments[1] = "one\n";
  world.log.commit();
  world.network.cut_connections(0);
  pass(world, 1s);
  CAF_CHECK_EQUAL(count(world, delivery_note::history_forked), 1u);
}

CAF_TEST(a_power_cut_of_the_host_is_no_fork) {
  delivery_world world{5, 1, {}};
  for (int round = 0; round < 20; ++round) {
    write(world, "kept\n");
    world.log.append("lost\n");
    pass(world, 100ms);
    world.log.lose_uncommitted();
    world.network.start_host(world.network.host->hint());
    pass(world, 100ms);
  }
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(count(world, delivery_note::history_forked), 0u);
  CAF_CHECK_EQUAL(world.compare(), "");
}

CAF_TEST(a_log_that_is_not_open_yet_is_no_fork) {
  delivery_world world{9, 1, {}};
  write(world, "one\n");
  CAF_CHECK(world.finish());
  CAF_MESSAGE("its process begins again, and takes long to open it");
  world.log.committed_end = {};
  world.network.start_host(world.network.host->hint());
  pass(world, 3s);
  CAF_CHECK(!world.network.host->status().collector);
  CAF_CHECK(world.network.host->next_wake() == monotonic_time::max());
  write(world, "two\n");
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(count(world, delivery_note::history_forked), 0u);
  CAF_CHECK_EQUAL(world.compare(), "");
}

CAF_TEST(a_frozen_collector_is_left_within_five_seconds_and_returned_to) {
  delivery_world world{6, 2, {}};
  write(world, "one\n");
  CAF_CHECK(world.finish());
  world.network.nodes()[0].frozen = true;
  write(world, "two\n");
  pass(world, 3900ms);
  CAF_CHECK(world.network.host->status().collector == 0u);
  pass(world, 400ms);
  CAF_CHECK(world.network.host->is_complete());
  CAF_CHECK(world.network.host->status().collector == 1u);
  world.network.nodes()[0].frozen = false;
  pass(world, 31s);
  CAF_CHECK(world.network.host->status().collector == 0u);
  write(world, "three\n");
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(world.compare(), "");
}

CAF_TEST(what_another_collector_has_is_not_sent_again) {
  delivery_world world{7, 2, {}};
  write(world, "one\n");
  CAF_CHECK(world.finish());
  world.network.kill_collector(0, false);
  pass(world, 1s);
  write(world, "two\n");
  CAF_CHECK(world.finish());
  world.network.start_collector(0);
  pass(world, 31s);
  write(world, "three\n");
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(world.network.host->status().lines_sent, 3u);
  CAF_CHECK_EQUAL(world.compare(), "");
}

CAF_TEST(a_collector_alone_that_lost_lines_is_sent_them_again) {
  delivery_world world{8, 1, {}};
  write(world, "one\ntwo\n");
  CAF_CHECK(world.finish());
  world.network.kill_collector(0, false);
  std::filesystem::remove_all(world.network.nodes()[0].dir / "host-a");
  world.network.start_collector(0);
  pass(world, 1s);
  write(world, "three\n");
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(world.compare(), "");
}

CAF_TEST(no_more_bytes_are_sent_than_the_rate_allows_and_none_of_it_is_lost) {
  delivery_world world{9, 1, {}};
  world.network.bytes_per_second = 20'000;
  // One at a time: what overtakes another is sent again.
  world.network.batch_bytes = 4096;
  world.network.start_host();
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::to_string(world.network.random.next()) + "\n";
  write(world, text);
  const auto before = world.network.bytes_sent;
  pass(world, 10s);
  const auto sent = world.network.bytes_sent - before;
  CAF_MESSAGE(sent << " bytes in 10 s");
  // Half a second's worth and one message more, while it connects.
  CAF_CHECK(sent <= 200'000 + 10'000 + 4096);
  CAF_CHECK(sent >= 190'000);
  CAF_CHECK(world.network.host->is_held_back(world.network.now));
  CAF_CHECK(world.finish());
  CAF_CHECK_EQUAL(world.compare(), "");
  CAF_CHECK_EQUAL(world.network.host->status().lines_delivered, 40'000u);
  CAF_CHECK_EQUAL(world.network.host->status().lines_in_flight, 0u);
}
