#define CAF_SUITE sink
#include "actors/sink.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/signing/host_sealing.hpp"
#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::error_code disk_full = std::make_error_code(std::errc::no_space_on_device);

event_sealing_ptr checkpoints(const std::string& key_id, std::chrono::nanoseconds interval) {
  auto key = std::make_shared<const signing_key>(signing_key::generate(signing_algorithm::ed25519, key_id));
  return std::make_shared<const host_sealing>(std::move(key), nullptr, 1000, interval);
}

/// A SINK whose cells are the test itself.
struct fixture : host_fixture {
  ~fixture() override {
    caf::anon_send_exit(sink, caf::exit_reason::kill);
    consume_messages();
  }

  void start(event_sealing_ptr sealing = nullptr) {
    journal = std::make_shared<sink_journal>(log, clock, std::move(sealing));
    sink = sys.spawn(make_sink, journal, host_chain_actor{}, std::cref(*environment));
    consume_messages();
  }

  void succeed() {
    caf::anon_send_exit(sink, caf::exit_reason::kill);
    consume_messages();
    sink = sys.spawn(make_sink, journal, host_chain_actor{}, std::cref(*environment));
    consume_messages();
  }

  auto ask_to_open() {
    return self->request(sink, caf::infinite, open_run_atom::value, run, run_opening{"test", 10s, {}});
  }

  std::string open() {
    auto asked = ask_to_open();
    consume_messages();
    std::string chain;
    asked.receive([&](const std::string& named) { chain = named; },
                  [](const caf::error& why) { CAF_FAIL(explanation(why)); });
    return chain;
  }

  /// The batch of chunk `sequence`, with so many declarations and one frame that is refused.
  void deliver(std::uint64_t sequence, std::size_t declarations = 1) {
    received_chunk chunk;
    chunk.sequence = sequence;
    chunk.connection = 1;
    chunk.received_at = clock.now();
    chunk.received_mono = now();
    for (std::size_t i = 0; i < declarations; ++i) append_to(chunk, frame_of("process.spawned", ++declared));
    append_to(chunk, malformed_frame());
    auto decoded =
        std::make_shared<const batch>(decode_chunk(std::make_shared<const received_chunk>(std::move(chunk)), run));
    self->send(sink, batch_ptr{std::move(decoded)}, run, chunk_credit_ptr{credit});
    consume_messages();
  }

  static void append_to(received_chunk& chunk, const std::vector<std::uint8_t>& frame) {
    chunk.bytes.insert(chunk.bytes.end(), frame.begin(), frame.end());
    ++chunk.frames;
  }

  /// Sequences acknowledged since the last call.
  std::vector<std::uint64_t> acknowledged() { return std::exchange(credit->acknowledged, {}); }

  bool replay_asked() { return std::exchange(credit->replays, 0) > 0; }

  run_account account() {
    auto asked = self->request(sink, caf::infinite, totals_atom::value, run);
    consume_messages();
    run_account answer;
    asked.receive([&](const run_account& given) { answer = given; },
                  [](const caf::error& why) { CAF_FAIL(explanation(why)); });
    return answer;
  }

  auto ask_to_close() {
    return self->request(sink, caf::infinite, close_run_atom::value, run,
                         run_closing{run_end_reason::retired, account().totals.received, 1});
  }

  bool answered() { return !self->mailbox().empty(); }

  using sequences = std::vector<std::uint64_t>;

  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:1"});
  std::uint64_t declared = 0;
  sink_journal_ptr journal;
  std::shared_ptr<recorded_credit> credit = std::make_shared<recorded_credit>();
  sink_actor sink;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(sink_tests, fixture)

CAF_TEST(a run is named once its first event is in the log) {
  start();
  log.refusal = disk_full;
  auto asked = ask_to_open();
  consume_messages();
  pass(1s);
  CAF_CHECK(!answered());
  CAF_CHECK_EQUAL(log.lines().size(), 0u);
  log.refusal = {};
  pass(100ms);
  CAF_REQUIRE(answered());
  asked.receive(
      [&](const std::string& chain) {
        CAF_CHECK(log.lines().at(0).find("\"chain\":\"" + chain + "\"") != std::string::npos);
      },
      [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  CAF_CHECK_EQUAL(log.count("run.v1.started"), 1u);
}

CAF_TEST(a run that is opened again has the chain it had) {
  start();
  const std::string chain = open();
  clock.time += 1s;
  CAF_CHECK_EQUAL(open(), chain);
  CAF_CHECK_EQUAL(log.count("run.v1.started"), 1u);
}

CAF_TEST(a chunk is acknowledged when its lines are in the log and not before) {
  start();
  open();
  log.refusal = disk_full;
  deliver(1);
  pass(1s);
  CAF_CHECK(acknowledged().empty());
  log.refusal = {};
  pass(100ms);
  CAF_CHECK(acknowledged() == sequences{1});
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 1u);
}

CAF_TEST(a chunk that comes again is acknowledged again and appended once) {
  start();
  open();
  deliver(1);
  deliver(2);
  deliver(1);
  deliver(2);
  CAF_CHECK((acknowledged() == sequences{1, 2, 1, 2}));
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 2u);
}

CAF_TEST(a chunk before which one is missing is not taken and a replay is asked for) {
  start();
  open();
  deliver(2);
  CAF_CHECK(replay_asked());
  CAF_CHECK(acknowledged().empty());
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 0u);
  deliver(1);
  deliver(2);
  CAF_CHECK(!replay_asked());
  CAF_CHECK((acknowledged() == sequences{1, 2}));
}

CAF_TEST(a quarantined chunk stands on record in its place and is acknowledged) {
  start();
  open();
  deliver(1);
  self->send(sink, quarantine_atom::value, run, quarantined_chunk{2, 7, "cell-1-2"}, chunk_credit_ptr{credit});
  consume_messages();
  deliver(3);
  CAF_CHECK((acknowledged() == sequences{1, 2, 3}));
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 4u);
  CAF_CHECK(lines[2].find(R"("quarantineFile":"cell-1-2","reason":"quarantined")") != std::string::npos);
  CAF_CHECK_EQUAL(account().totals.quarantined, 7u);
  CAF_CHECK_EQUAL(account().totals.in_flight(), 0u);
}

CAF_TEST(lines that a dead sink had pending are written once by its successor) {
  start();
  open();
  log.refusal = disk_full;
  deliver(1, 3);
  pass(200ms);
  log.refusal = {};
  succeed();
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 3u);
  CAF_CHECK(acknowledged().empty());
  deliver(1, 3);
  CAF_CHECK(acknowledged() == sequences{1});
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 3u);
}

CAF_TEST(the totals count what came by what became of it) {
  start();
  open();
  deliver(1, 3);
  deliver(2, 2);
  const run_totals totals = account().totals;
  CAF_CHECK_EQUAL(totals.received, 7u);
  CAF_CHECK_EQUAL(totals.appended, 5u);
  CAF_CHECK_EQUAL(totals.refused[telemetry_errc::malformed_frame], 2u);
  CAF_CHECK_EQUAL(totals.in_flight(), 0u);
}

CAF_TEST(a run is over once its last event is in the log and nothing follows it) {
  start();
  open();
  deliver(1, 2);
  log.refusal = disk_full;
  (void)acknowledged();
  auto asked = ask_to_close();
  consume_messages();
  pass(1s);
  CAF_CHECK(!answered());
  log.refusal = {};
  pass(100ms);
  run_totals totals;
  asked.receive([&](const run_totals& given) { totals = given; },
                [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  CAF_CHECK_EQUAL(totals.appended, 2u);
  CAF_CHECK(log.lines().back().find("run.v1.ended") != std::string::npos);
  const std::size_t lines = log.lines().size();
  deliver(2, 2);
  CAF_CHECK(acknowledged() == sequences{2});
  auto again =
      self->request(sink, caf::infinite, close_run_atom::value, run, run_closing{run_end_reason::retired, 9, 9});
  consume_messages();
  again.receive([&](const run_totals& given) { CAF_CHECK(given == totals); },
                [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  CAF_CHECK_EQUAL(log.lines().size(), lines);
}

CAF_TEST(a log that takes nothing is said once and counted for as long as it lasts) {
  start();
  open();
  log.refusal = disk_full;
  deliver(1);
  pass(2s);
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 1);
  const std::string reported = operator_log.str();
  const auto first = reported.find("evidence_blocked");
  CAF_REQUIRE_NOT_EQUAL(first, std::string::npos);
  CAF_CHECK_EQUAL(reported.find("evidence_blocked", first + 1), std::string::npos);
  CAF_CHECK_EQUAL(reported.find("evidence_resumed"), std::string::npos);
  log.refusal = {};
  pass(100ms);
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 0);
  CAF_CHECK_NOT_EQUAL(operator_log.str().find("evidence_resumed"), std::string::npos);
}

CAF_TEST(a sink that dies while the log takes nothing does not stay counted) {
  start();
  open();
  log.refusal = disk_full;
  deliver(1);
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 1);
  caf::anon_send_exit(sink, caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 0);
}

CAF_TEST(what no signature vouches for is signed after the sealings own interval) {
  start(checkpoints("key-1", 300ms));
  open();
  deliver(1);
  CAF_REQUIRE_EQUAL(log.count("guest.v1.process_spawned"), 1u);
  pass(290ms);
  CAF_CHECK_EQUAL(log.count("run.v1.checkpoint"), 0u);
  pass(10ms);
  CAF_CHECK_EQUAL(log.count("run.v1.checkpoint"), 1u);
  pass(5s);
  CAF_CHECK_EQUAL(log.count("run.v1.checkpoint"), 2u);  // the summary of what was refused
}

CAF_TEST(another key is on record before what it seals) {
  start(checkpoints("key-1", 1h));
  open();
  self->send(sink, rekey_atom::value, checkpoints("key-2", 1h));
  consume_messages();
  deliver(1);
  const auto lines = log.lines();
  const auto changed = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("run.v1.key_changed") != std::string::npos;
  });
  CAF_REQUIRE(changed != lines.end());
  CAF_CHECK(changed->find("key-2") != std::string::npos);
  CAF_CHECK(lines.back().find("process_spawned") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
