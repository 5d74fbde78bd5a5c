#include "runtime/collector/ingest.hpp"

#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/collector/commit_queue.hpp"
#include "runtime/forwarding/pack_lines.hpp"
#include "runtime/signing/sha256.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE ingest
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  std::unique_ptr<collector_store> store = collector_store::open(dir.path(), {}, files).store;
  ingest session{*store, "host-a", {}};
  byte_quota unlimited{0};
  monotonic_time now{1h};

  static node_hello hello(hello_intent intent = hello_intent::resume, log_cursor cursor = {{1, 0}, {}}) {
    node_hello hello;
    hello.host_id = "host-a";
    hello.log = {1};
    hello.intent = intent;
    hello.first_kept = {1, 0};
    hello.committed = {9, 0};
    hello.cursor = cursor;
    return hello;
  }
  static node_lines lines(segment_position after, segment_position from, std::string_view text) {
    return {after,
            from,
            static_cast<std::uint32_t>(text.size()),
            static_cast<std::uint32_t>(std::ranges::count(text, '\n')),
            line_codec::raw,
            text};
  }
  ingest::taken take(const node_lines& said) { return session.take(encode(said), unlimited, now); }
  bool is_refused(const node_lines& said, node_refusal reason = node_refusal::malformed) {
    const auto taken = take(said);
    return taken.answer && taken.answer->kind == answer_kind::refused && taken.answer->reason == reason;
  }
};

/// `text`, compressed, whatever the message says of it.
std::string compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(ingest_tests, fixture)

CAF_TEST(a_hello_for_another_host_than_the_certificates_is_refused) {
  auto other = hello();
  CAF_CHECK(session.refusal_of(decode_hello(encode(other))) == node_refusal::none);
  other.host_id = "host-b";
  CAF_CHECK(session.refusal_of(decode_hello(encode(other))) == node_refusal::host_mismatch);
  CAF_CHECK(session.refusal_of(decode_hello({})) == node_refusal::malformed);
  auto newer = encode(hello());
  newer[1] = 2;
  CAF_CHECK(session.refusal_of(decode_hello(newer)) == node_refusal::unsupported_version);
}

CAF_TEST(a_log_that_is_new_begins_at_its_cursor_and_one_that_is_known_goes_on) {
  const auto first = session.open(hello(hello_intent::resume, {{3, 0}, {}}));
  CAF_CHECK(first.welcome.kind == welcome_kind::begin);
  CAF_CHECK(first.welcome.cursor.at == (segment_position{3, 0}));
  CAF_CHECK(!take(lines({3, 0}, {3, 0}, "one\n")).answer);
  const auto second = session.open(hello());
  CAF_CHECK(second.welcome.kind == welcome_kind::resume);
  CAF_CHECK(second.welcome.cursor == (log_cursor{{3, 4}, sha256::of("one\n")}));
}

CAF_TEST(lines_before_a_hello_or_that_do_not_follow_are_not_taken) {
  CAF_CHECK(is_refused(lines({1, 0}, {1, 0}, "one\n"), node_refusal::not_greeted));
  (void)session.open(hello());
  const auto again = take(lines({2, 0}, {2, 0}, "one\n"));
  CAF_REQUIRE(again.answer);
  CAF_CHECK(*again.answer == (node_answer{answer_kind::again, {1, 0}}));
}

CAF_TEST(packed_lines_are_unpacked_to_the_same_bytes) {
  (void)session.open(hello());
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "{\"sequence\":\"0000" + std::to_string(i) + "\"}\n";
  line_packer packer;
  const auto bytes = packer.pack(lines({1, 0}, {1, 0}, text), text);
  CAF_CHECK(bytes.size() < text.size() / 4);
  const auto taken = session.take(bytes, unlimited, now);
  CAF_CHECK(!taken.answer);
  CAF_CHECK(taken.end == (segment_position{1, text.size()}));
  const auto raw = packer.pack(lines(taken.end, taken.end, "x\n"), "x\n");
  CAF_CHECK(decode_lines(raw).message.codec == line_codec::raw);
  CAF_CHECK(!session.take(raw, unlimited, now).answer);
}

CAF_TEST(what_is_not_what_it_says_is_refused_and_not_kept) {
  (void)session.open(hello());
  const std::string text = "one\ntwo\n";
  auto miscounted = lines({1, 0}, {1, 0}, text);
  miscounted.line_count = 1;
  CAF_CHECK(is_refused(miscounted));
  CAF_CHECK(is_refused(lines({1, 0}, {1, 0}, "one\ntorn")));
  auto packed = lines({1, 0}, {1, 0}, text);
  packed.codec = line_codec::zstd;
  CAF_CHECK(is_refused(packed));
  const std::string two_frames = compressed("one\n") + compressed("two\n");
  packed.bytes = two_frames;
  CAF_CHECK(is_refused(packed));
  const std::string cut = compressed(text).substr(0, 12);
  packed.bytes = cut;
  CAF_CHECK(is_refused(packed));
  CAF_CHECK(store->copy_of("host-a", {1}).copy->is_empty());
}

CAF_TEST(a_bomb_is_refused_before_it_is_unpacked) {
  (void)session.open(hello());
  const std::string bomb = compressed(std::string(std::size_t{64} << 20, '\n'));
  CAF_CHECK(bomb.size() < 16'384);
  auto packed = lines({1, 0}, {1, 0}, "one\n");
  packed.codec = line_codec::zstd;
  packed.bytes = bomb;
  CAF_CHECK(is_refused(packed));
  packed.raw_bytes = std::uint32_t{64} << 20;
  packed.line_count = packed.raw_bytes;
  CAF_CHECK(is_refused(packed));
}

CAF_TEST(over_its_quota_or_on_a_full_disk_a_host_waits) {
  (void)session.open(hello());
  byte_quota quota{1000};
  const std::string text(2000, '\n');
  CAF_CHECK(!session.take(encode(lines({1, 0}, {1, 0}, text)), quota, now).answer);
  const auto more = encode(lines({1, 2000}, {1, 2000}, "one\n"));
  const auto busy = session.take(more, quota, now).answer;
  CAF_REQUIRE(busy);
  CAF_CHECK(busy->kind == answer_kind::busy && busy->reason == node_refusal::none);
  CAF_CHECK(busy->retry_after_ms > 0 && busy->retry_after_ms < 100);
  CAF_CHECK(!session.take(more, quota, now + std::chrono::milliseconds{busy->retry_after_ms}).answer);
  files.fault = [](file_call call) { return call == file_call::write ? ENOSPC : 0; };
  const auto full = take(lines({1, 2004}, {1, 2004}, "two\n"));
  CAF_REQUIRE(full.answer);
  CAF_CHECK(*full.answer == (node_answer{answer_kind::busy, {}, 1000, node_refusal::storage_failed}));
  CAF_CHECK(full.failure == std::errc::no_space_on_device);
  files.fault = nullptr;
  CAF_CHECK(!take(lines({1, 2004}, {1, 2004}, "two\n")).answer);
}

CAF_TEST(a_quota_lets_pass_its_rate_and_no_more) {
  byte_quota quota{1'000'000};
  std::uint64_t passed = 0;
  for (auto at = now; at < now + 10s; at += 1ms) {
    if (quota.take(5000, at).count() == 0) passed += 5000;
  }
  CAF_CHECK(passed > 9'900'000 && passed <= 12'005'000);
}

CAF_TEST(lines_that_were_taken_back_are_asked_for_again) {
  (void)session.open(hello());
  commit_queue queue{*store};
  std::vector<node_answer> answers;
  const auto send = [&](const node_lines& said) {
    const auto taken = take(said);
    CAF_REQUIRE(!taken.answer);
    queue.add(taken.copy, taken.generation, taken.bytes,
              [&answers, taken](bool durable) { answers.push_back(ingest::settle(*taken.copy, taken.end, durable)); });
  };
  send(lines({1, 0}, {1, 0}, "one\n"));
  (void)queue.commit();
  send(lines({1, 4}, {1, 4}, "two\n"));
  files.fault = [](file_call call) { return call == file_call::syncfs ? EIO : 0; };
  (void)queue.commit();
  CAF_CHECK(answers == (std::vector<node_answer>{{answer_kind::durable, {1, 4}}, {answer_kind::again, {1, 4}}}));
}

CAF_TEST(a_fork_begins_beside_and_is_counted) {
  (void)session.open(hello());
  CAF_CHECK(!take(lines({1, 0}, {1, 0}, "one\n")).answer);
  const auto fork = session.open(hello(hello_intent::fork));
  CAF_REQUIRE(fork.contradicted);
  CAF_CHECK(*fork.contradicted == (segment_position{1, 4}));
  CAF_CHECK_EQUAL(fork.welcome.forks, 1u);
  CAF_CHECK(fork.welcome.kind == welcome_kind::begin);
  CAF_CHECK(!take(lines({1, 0}, {1, 0}, "other\n")).answer);
}

CAF_TEST_FIXTURE_SCOPE_END()
