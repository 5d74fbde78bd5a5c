#include "runtime/collector/chain_recorder.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "messages/hexadecimal.hpp"
#include "runtime/collector/commit_queue.hpp"
#include "runtime/collector/recorded_collector_events.hpp"
#include "runtime/signing/sha256.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/written_chain.hpp"

#define CAF_SUITE chain_recorder
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

class hand_clock final : public monotonic_clock {
 public:
  monotonic_time now() const override { return time; }
  monotonic_time time{1h};
};

const node_log_id log_a{0xab};

struct fixture {
  fixture() { start(); }

  /// A process of the collector begins; what was said before is in its log.
  void start() {
    recorder.reset();
    chain.emplace(dir.path());
    recorder.emplace(chain_recorder::surroundings{*chain, clock, dir.path(), [this] { return copies(); },
                                                  [this](std::vector<std::string> silent) {
                                                    recalled = std::move(silent);
                                                    ++recalls;
                                                  }},
                     limits);
  }
  std::vector<collector_store::named_copy> copies() const { return store->named_copies(); }

  /// What the chain says of other hosts, in order: type, host, and of a log the place.
  std::vector<std::string> said() const {
    std::vector<std::string> all;
    const std::string text = content_of(dir / segment_file_name(1));
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (const auto what = read_node_statement(text.substr(begin, end - begin))) all.push_back(words_of(*what));
    }
    return all;
  }
  std::string last_said() const { return said().back(); }
  static std::string words_of(const node_statement& what) {
    const auto at = [](segment_position place) {
      return " " + std::to_string(place.segment) + ":" + std::to_string(place.offset);
    };
    if (const auto* seen = std::get_if<seen_host>(&what)) return "seen " + seen->host_id;
    if (const auto* silenced = std::get_if<silenced_host>(&what)) return "silenced " + silenced->host_id;
    if (const auto* resumed = std::get_if<resumed_host>(&what)) return "resumed " + resumed->host_id;
    if (const auto* forked = std::get_if<forked_history>(&what)) return "forked " + forked->where + at(forked->at);
    const auto& log = std::get<witnessed_log>(what);
    return "witnessed " + log.host_id + " " + std::to_string(log.fork) + at(log.at);
  }

  std::shared_ptr<log_copy> copy_of(const std::string& host_id) { return store->copy_of(host_id, log_a).copy; }
  void append(const std::shared_ptr<log_copy>& copy, segment_position from, std::string_view text) {
    CAF_CHECK(copy->append(copy->end_position(), from, text).result == log_copy::outcome::taken);
    queue.add(copy, copy->generation(), text.size(), [](bool) {});
  }
  using events = std::vector<std::string>;

  witness_limits limits{.interval = 60s};
  memory_directory dir;
  memory_directory kept;
  faulty_file_system files;
  std::unique_ptr<collector_store> store = collector_store::open(kept.path(), {}, files).store;
  commit_queue queue{*store};
  hand_clock clock;
  std::optional<written_chain> chain;
  std::optional<chain_recorder> recorder;
  std::vector<std::string> recalled;
  int recalls = 0;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(chain_recorder_tests, fixture)

CAF_TEST(each thing is said once and in order) {
  recorder->say(seen_host{"host-a"});
  recorder->say(seen_host{"host-a"});
  recorder->say(silenced_host{"host-a", 16s, 15s});
  recorder->say(silenced_host{"host-a", 17s, 15s});
  recorder->say(resumed_host{"host-a"});
  recorder->say(resumed_host{"host-b"});
  recorder->say(silenced_host{"host-a", 16s, 15s});
  recorder->work();
  CAF_CHECK(said() == (events{"seen host-a", "silenced host-a", "resumed host-a", "silenced host-a"}));
  recorder->work();
  CAF_CHECK_EQUAL(said().size(), 4u);
}

CAF_TEST(what is said before the chain is open waits for it) {
  chain->opened = false;
  recorder->say(seen_host{"host-a"});
  recorder->work();
  CAF_CHECK(said().empty());
  CAF_CHECK_EQUAL(recalls, 0);
  chain->opened = true;
  recorder->work();
  CAF_CHECK(said() == events{"seen host-a"});
  CAF_CHECK_EQUAL(recalls, 1);
}

CAF_TEST(after a restart nothing is said a second time and no silence is forgotten) {
  recorder->say(seen_host{"host-a"});
  recorder->say(silenced_host{"host-a", 16s, 15s});
  recorder->say(silenced_host{"host-b", 16s, 15s});
  recorder->say(resumed_host{"host-b"});
  recorder->work();
  start();
  recorder->say(seen_host{"host-a"});
  recorder->say(silenced_host{"host-a", 99s, 15s});
  recorder->say(silenced_host{"host-b", 99s, 15s});
  recorder->work();
  CAF_CHECK(recalled == events{"host-a"});
  CAF_CHECK(said() ==
            (events{"seen host-a", "silenced host-a", "silenced host-b", "resumed host-b", "silenced host-b"}));
  start();
  recorder->say(resumed_host{"host-a"});
  recorder->work();
  CAF_CHECK_EQUAL(last_said(), "resumed host-a");
}

CAF_TEST(a log that takes nothing keeps nobody from knowing who was silent) {
  chain->blocked = true;
  recorder->say(seen_host{"host-a"});
  recorder->work();
  CAF_CHECK_EQUAL(recalls, 1);
  CAF_CHECK(said().empty());
}

CAF_TEST(many copies that have moved all have their turn) {
  for (int i = 0; i < 200; ++i) append(copy_of("host-" + std::to_string(i)), {1, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  clock.time += 61s;
  for (int i = 0; i < 4; ++i) recorder->work();
  CAF_CHECK_EQUAL(said().size(), 200u);
}

CAF_TEST(only what is durable is witnessed and only once its time has come) {
  const auto copy = copy_of("host-a");
  append(copy, {1, 0}, "one\n");
  recorder->work(true);
  recorder->work();
  CAF_CHECK(said().empty());
  clock.time += 61s;
  recorder->work();
  CAF_MESSAGE("taken, and not on disk yet");
  CAF_CHECK(said().empty());
  CAF_CHECK(!queue.commit());
  recorder->work();
  clock.time += 61s;
  recorder->work();
  CAF_CHECK(said() == events{"witnessed host-a 0 1:4"});
  CAF_MESSAGE("a copy that did not move is not spoken of again");
  clock.time += 1h;
  recorder->work();
  CAF_CHECK_EQUAL(said().size(), 1u);
  append(copy, {1, 4}, "two\nthree\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  CAF_CHECK(said() == (events{"witnessed host-a 0 1:4", "witnessed host-a 0 1:14"}));
  const auto line = content_of(dir / segment_file_name(1));
  CAF_CHECK(line.find(R"("digest":")" + hexadecimal(sha256::of("three\n"))) != std::string::npos);
  CAF_CHECK(line.find(R"("bytesDigest":")" + hexadecimal(sha256::of("one\ntwo\nthree\n"))) != std::string::npos);
}

CAF_TEST(what a failed sync took back was never witnessed) {
  const auto copy = copy_of("host-a");
  append(copy, {1, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  clock.time += 61s;
  append(copy, {1, 4}, "two\n");
  files.fault = [](file_call call) { return call == file_call::syncfs ? EIO : 0; };
  CAF_CHECK(queue.commit());
  recorder->work();
  CAF_CHECK(said() == events{"witnessed host-a 0 1:4"});
}

CAF_TEST(the end of each segment is witnessed at once) {
  const auto copy = copy_of("host-a");
  append(copy, {1, 0}, "one\n");
  append(copy, {1, 9}, "behind a gap\n");
  append(copy, {2, 0}, "second\n");
  append(copy, {3, 0}, "third\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  CAF_CHECK(said() == (events{"witnessed host-a 0 1:22", "witnessed host-a 0 2:7"}));
  recorder->work();
  CAF_CHECK_EQUAL(said().size(), 2u);
  CAF_MESSAGE("and the rest before the chain ends");
  recorder->work(true);
  CAF_CHECK_EQUAL(last_said(), "witnessed host-a 0 3:6");
  CAF_MESSAGE("a new process goes on behind it");
  start();
  append(copy, {4, 0}, "fourth\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  CAF_CHECK_EQUAL(said().size(), 3u);
  clock.time += 61s;
  recorder->work();
  CAF_CHECK_EQUAL(last_said(), "witnessed host-a 0 4:7");
}

CAF_TEST(a fork is said with where it is kept and is witnessed by itself) {
  append(copy_of("host-a"), {1, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  recorder->work(true);
  const auto fork = store->fork_of("host-a", log_a);
  recorder->say(forked_history{"host-a", hexadecimal(log_a), {1, 4}, "host-a/" + to_string(copy_name{log_a, 1})});
  append(fork.copy, {1, 0}, "another\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  recorder->work(true);
  const std::string kept_in = "host-a/ab000000000000000000000000000000.fork-1";
  CAF_CHECK(said() == (events{"witnessed host-a 0 1:4", "forked " + kept_in + " 1:4", "witnessed host-a 1 1:8"}));
}

CAF_TEST(a log that takes nothing for long does not grow in memory) {
  chain->opened = false;
  for (std::size_t i = 0; i < chain_recorder::most_waiting + 10; ++i) {
    recorder->say(silenced_host{"host-" + std::to_string(i), 16s, 15s});
  }
  chain->opened = true;
  for (int i = 0; i < 1100; ++i) recorder->work();
  CAF_CHECK_EQUAL(said().size(), chain_recorder::most_waiting);
}

CAF_TEST(a host that ends segment after segment has the newest witnessed and no more than its share) {
  limits.ends = 100;
  start();
  const auto copy = copy_of("host-a");
  for (std::uint64_t segment = 1; segment <= 301; ++segment) append(copy, {segment, 0}, "one\n");
  append(copy_of("host-b"), {1, 0}, "one\n");
  append(copy_of("host-b"), {2, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  std::size_t before = 0;
  for (int i = 0; i < 10; ++i, before = said().size()) {
    recorder->work();
    CAF_CHECK_LESS_OR_EQUAL(said().size(), before + 64);
  }
  CAF_CHECK_EQUAL(said().size(), 101u);
  CAF_CHECK(said().front() == "witnessed host-a 0 201:4");
  CAF_CHECK_EQUAL(std::ranges::count(said(), "witnessed host-a 0 300:4"), 1);
  CAF_CHECK_EQUAL(std::ranges::count(said(), "witnessed host-b 0 1:4"), 1);
  append(copy, {302, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  CAF_CHECK_EQUAL(said().size(), 101u);
  clock.time += 61s;
  recorder->work();
  CAF_CHECK_EQUAL(std::ranges::count(said(), "witnessed host-a 0 301:4"), 1);
}

CAF_TEST(a long piece is read over several rounds in which others have their turn) {
  limits.bytes = 1000;
  start();
  const auto copy = copy_of("host-a");
  append(copy, {1, 0}, std::string(2499, 'x') + "\n");
  append(copy_of("host-b"), {1, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  recorder->work();
  clock.time += 61s;
  recorder->work();
  CAF_CHECK(said().empty());
  recorder->work();
  CAF_CHECK(said() == events{"witnessed host-b 0 1:4"});
  recorder->work();
  recorder->work();
  CAF_CHECK_EQUAL(last_said(), "witnessed host-a 0 1:2500");
  const auto line = content_of(dir / segment_file_name(1));
  CAF_CHECK(line.find(R"("bytesDigest":")" + hexadecimal(sha256::of(std::string(2499, 'x') + "\n"))) !=
            std::string::npos);
}

CAF_TEST(whoever ends it waits neither for a chain to be read nor for a piece) {
  const auto copy = copy_of("host-a");
  append(copy, {1, 0}, "one\n");
  CAF_CHECK(!queue.commit());
  recorder->say(seen_host{"host-a"});
  recorder->end();
  recorder->work(true);
  CAF_CHECK_EQUAL(recalls, 0);
  CAF_CHECK(said().empty());
  start();
  recorder->work();
  clock.time += 61s;
  recorder->end();
  recorder->work();
  CAF_CHECK(said().empty());
  CAF_MESSAGE("but for what is witnessed last");
  recorder->work(true);
  CAF_CHECK_EQUAL(last_said(), "witnessed host-a 0 1:4");
}

CAF_TEST_FIXTURE_SCOPE_END()
