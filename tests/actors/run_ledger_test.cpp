#define CAF_SUITE run_ledger
#include "actors/run_ledger.hpp"

#include <caf/test/dsl.hpp>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/support/plain_sealing.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});
  run_ledger ledger{run, "host-a/cell-1/run-1/1"};
  std::string out;
  std::uint64_t chunks = 0;
  wall_time now{std::chrono::seconds{1'700'000'000}};
  monotonic_time mono{1h};

  batch next_batch(std::size_t declarations = 1, chunk_ending ending = chunk_ending::none) {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = ++chunks;
    chunk->connection = 1;
    chunk->received_at = now;
    chunk->received_mono = mono;
    chunk->frames = static_cast<std::uint32_t>(declarations);
    chunk->ending = ending;
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(declarations);
    return made;
  }

  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> all;
    std::istringstream lines{out};
    for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(run_ledger_tests, fixture)

CAF_TEST(events are numbered from one without a gap) {
  ledger.open(out, now, {"test", 10s, {}});
  ledger.take(out, next_batch(3));
  ledger.silence(out, now, {10s, mono, mono + 11s});
  ledger.take(out, next_batch(2));
  ledger.close(out, now, run_end_reason::retired, 5, 1);
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 9u);  // started 3 silenced resumed 2 ended
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string sequence = all[i]["sequence"];
    CAF_CHECK_EQUAL(std::stoull(sequence), i + 1);
    CAF_CHECK_EQUAL(sequence.size(), 20u);
    CAF_CHECK_EQUAL(all[i]["id"].get<std::string>(), "host-a/cell-1/run-1/1/" + sequence);
  }
}

CAF_TEST(a chunk that comes twice is taken once) {
  const batch once = next_batch(2);
  CAF_CHECK(ledger.take(out, once) == run_ledger::result::taken);
  const std::string before = out;
  CAF_CHECK(ledger.take(out, once) == run_ledger::result::duplicate);
  CAF_CHECK_EQUAL(out, before);
  CAF_CHECK_EQUAL(ledger.totals().appended, 2u);
}

CAF_TEST(a chunk that comes too early waits for the one before) {
  const batch first = next_batch();
  const batch second = next_batch();
  CAF_CHECK(ledger.take(out, second) == run_ledger::result::gap);
  CAF_CHECK(out.empty());
  CAF_CHECK(ledger.take(out, first) == run_ledger::result::taken);
  CAF_CHECK(ledger.take(out, second) == run_ledger::result::taken);
}

CAF_TEST(the totals balance) {
  batch mixed = next_batch(4);
  mixed.heartbeats = 3;
  mixed.refused.add(telemetry_errc::malformed_frame, 2);
  auto chunk = std::make_shared<received_chunk>(*mixed.chunk);
  chunk->frames = 9;
  mixed.chunk = chunk;
  ledger.take(out, mixed);
  const run_totals& totals = ledger.totals();
  CAF_CHECK_EQUAL(totals.received, 9u);
  CAF_CHECK_EQUAL(totals.settled(), 9u);
  CAF_CHECK_EQUAL(totals.in_flight(), 0u);
}

CAF_TEST(what a share does not cover is refused and the totals balance) {
  batch burst = next_batch(10);
  CAF_CHECK(ledger.take(out, burst, 4) == run_ledger::result::taken);
  CAF_CHECK_EQUAL(events().size(), 4u);
  CAF_CHECK_EQUAL(ledger.totals().appended, 4u);
  CAF_CHECK_EQUAL(ledger.totals().refused[telemetry_errc::over_quota], 6u);
  CAF_CHECK_EQUAL(ledger.totals().in_flight(), 0u);
  CAF_CHECK(ledger.take(out, burst) == run_ledger::result::duplicate);
  CAF_CHECK_EQUAL(ledger.summarise_losses(out, now)[telemetry_errc::over_quota], 6u);
  CAF_CHECK_EQUAL(events()[4]["data"]["refused"]["over_quota"].get<std::string>(), "6");
}

CAF_TEST(silence that arrives after the frames that ended it is resumed at once) {
  ledger.take(out, next_batch());
  const monotonic_time before = mono;
  mono += 12s;
  ledger.take(out, next_batch());
  CAF_CHECK(ledger.silence(out, now, {10s, before, before + 11s}));
  CAF_CHECK(!ledger.silenced());
  const auto all = events();
  CAF_CHECK(all[2]["type"].get<std::string>().ends_with("agent_silenced"));
  CAF_CHECK(all[3]["type"].get<std::string>().ends_with("agent_resumed"));
  CAF_CHECK(!ledger.silence(out, now, {10s, mono, mono + 11s}));
}

CAF_TEST(gaps in a guests own numbers are losses) {
  batch early = next_batch();
  early.losses = {true, 2, 5, 1, false, 0};  // began at 2, skipped one within
  ledger.take(out, early);
  batch late = next_batch();
  late.losses = {true, 7, 8, 0, false, 0};  // two missing between the chunks
  ledger.take(out, late);
  CAF_REQUIRE(ledger.has_losses());
  out.clear();
  ledger.summarise_losses(out, now);
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK_EQUAL(all[0]["data"]["reason"], "sequence_gap");
  CAF_CHECK_EQUAL(all[0]["data"]["frames"], "5");
  CAF_CHECK(!ledger.has_losses());
}

CAF_TEST(a new connection counts from nothing) {
  batch first = next_batch(1, chunk_ending::closed);
  first.losses = {true, 0, 10, 0, true, 4};
  ledger.take(out, first);
  batch again = next_batch();
  again.losses = {true, 0, 1, 0, true, 1};
  ledger.take(out, again);
  out.clear();
  ledger.summarise_losses(out, now);
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK_EQUAL(all[0]["data"]["reason"], "guest_queue_full");
  CAF_CHECK_EQUAL(all[0]["data"]["frames"], "5");
}

CAF_TEST(counters that go back and forth are not counted twice) {
  const std::vector<guest_loss_account> said{
      {true, 0, 10, 4, true, 4},  // four of 1 to 8 are missing
      {true, 2, 3, 0, true, 1},   // back
      {true, 3, 10, 5, true, 4},  // and forth again: nothing new
      {true, 1, 12, 9, true, 6},  // beyond: 10 is missing, and two more were dropped
      {true, 12, 13, 0, true, 2},
  };
  for (const guest_loss_account& each : said) {
    batch more = next_batch();
    more.losses = each;
    ledger.take(out, more);
  }
  out.clear();
  ledger.summarise_losses(out, now);
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0]["data"]["reason"], "guest_queue_full");
  CAF_CHECK_EQUAL(all[0]["data"]["frames"], "6");
  CAF_CHECK_EQUAL(all[1]["data"]["reason"], "sequence_gap");
  CAF_CHECK_EQUAL(all[1]["data"]["frames"], "5");
}

CAF_TEST(a hostile guests numbers cannot overflow the account) {
  const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
  batch first = next_batch();
  first.losses = {true, huge, huge, huge, true, huge};
  ledger.take(out, first);
  batch again = next_batch();
  again.losses = {true, huge, huge, huge, true, huge};
  ledger.take(out, again);
  out.clear();
  ledger.summarise_losses(out, now);
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0]["data"]["frames"], std::to_string(huge));
  CAF_CHECK_EQUAL(all[1]["data"]["frames"], std::to_string(huge));
}

CAF_TEST(losses come before the end and refusals by kind) {
  batch bad = next_batch(0);
  bad.refused.add(telemetry_errc::torn_frame);
  ledger.take(out, bad);
  out.clear();
  ledger.close(out, now, run_end_reason::daemon_stopped, 1, 1);
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0]["data"]["reason"], "frames_refused");
  CAF_CHECK_EQUAL(all[0]["data"]["refused"]["torn_frame"], "1");
  CAF_CHECK_EQUAL(all[1]["data"]["totals"]["refused"]["torn_frame"], "1");
  CAF_CHECK_EQUAL(all[1]["data"]["reason"], "daemon_stopped");
}

CAF_TEST(a batch that is attributed to anybody else is refused and changes nothing) {
  ledger.take(out, next_batch(2));
  const std::string before = out;
  const run_totals totals = ledger.totals();
  batch foreign = next_batch(3);
  foreign.heartbeats = 1;
  foreign.refused.add(telemetry_errc::malformed_frame);
  const auto other = [](const char* host, const char* cell, const char* of, const char* specification) {
    return std::make_shared<const host_stamp>(host_stamp{host, cell, of, specification});
  };
  for (const host_stamp_ptr& attribution :
       {other("host-b", "cell-1", "run-1", "sha256:aa"), other("host-a", "cell-2", "run-1", "sha256:aa"),
        other("host-a", "cell-1", "run-2", "sha256:aa"), other("host-a", "cell-1", "run-1", "sha256:ab"),
        host_stamp_ptr{}}) {
    foreign.attribution = attribution;
    CAF_CHECK(ledger.take(out, foreign) == run_ledger::result::misattributed);
    CAF_CHECK_EQUAL(out, before);
    CAF_CHECK(ledger.totals() == totals);
    CAF_CHECK(!ledger.has_losses());
    CAF_CHECK(ledger.awaits(2));
  }
  foreign.attribution = other("host-a", "cell-1", "run-1", "sha256:aa");
  CAF_CHECK(ledger.take(out, foreign) == run_ledger::result::taken);
  CAF_CHECK_EQUAL(ledger.totals().appended, 5u);
}

CAF_TEST(the order of chunks counts before what their batches are attributed to) {
  const batch first = next_batch();
  batch second = next_batch();
  second.attribution = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-2", "run-1", "sha256:aa"});
  CAF_CHECK(ledger.take(out, second) == run_ledger::result::gap);
  ledger.take(out, first);
  CAF_CHECK(ledger.take(out, second) == run_ledger::result::misattributed);
  CAF_CHECK(ledger.quarantine(out, now, {2, 1, "file"}) == run_ledger::result::taken);
  CAF_CHECK(ledger.take(out, second) == run_ledger::result::duplicate);
  CAF_CHECK_EQUAL(ledger.totals().quarantined, 1u);
  CAF_CHECK_EQUAL(ledger.totals().in_flight(), 0u);
}

CAF_TEST(what never reached the sink is in flight at the end) {
  ledger.take(out, next_batch(2));
  const run_totals totals = ledger.close(out, now, run_end_reason::retired, 7, 1).totals;
  CAF_CHECK_EQUAL(totals.in_flight(), 5u);
}

CAF_TEST(whatever a key does not sign leaves the ledger as it was) {
  const auto script = std::make_shared<seal_script>();
  const auto sealing = std::make_shared<const plain_sealing>("first", "", 1, script);
  const auto second = std::make_shared<const plain_sealing>("second", "first", 1, script);
  run_ledger sealed{run, "host-a/cell-1/run-1/1", sealing};
  batch lossy = next_batch(2);
  lossy.refused.add(telemetry_errc::malformed_frame, 3);
  const std::vector<std::function<void()>> acts{
      [&] {
        sealed.open(out, now, {"test", 10s, {}});
      },
      [&] { sealed.take(out, lossy); },
      [&] {
        sealed.silence(out, now, {10s, mono, mono + 11s});
      },
      [&] {
        sealed.quarantine(out, now, {2, 5, "file"});
      },
      [&] { sealed.change_key(out, now, second); },
      [&] { sealed.close(out, now, run_end_reason::retired, 10, 1); },
  };
  for (std::size_t i = 0; i < acts.size(); ++i) {
    CAF_MESSAGE("act " << i);
    // The last one seals twice.
    for (int calls = 0; calls <= (i + 1 == acts.size() ? 1 : 0); ++calls) {
      const std::string lines = out;
      const chain_head before = sealed.head();
      script->calls_until_failure = calls;
      CAF_CHECK(fails_to_sign(acts[i]));
      out = lines;
      const chain_head after = sealed.head();
      CAF_CHECK_EQUAL(after.position.next_event, before.position.next_event);
      CAF_CHECK(after.position.digest == before.position.digest);
      CAF_CHECK_EQUAL(after.position.key_id, before.position.key_id);
      CAF_CHECK(after.run->totals == before.run->totals);
      CAF_CHECK_EQUAL(after.run->silence_told, before.run->silence_told);
      CAF_CHECK_EQUAL(after.run->ended, before.run->ended);
      CAF_CHECK_EQUAL(sealed.has_losses(), i > 1);
    }
    script->calls_until_failure = 100;
    acts[i]();
  }
  const auto all = events();
  CAF_REQUIRE_EQUAL(all.size(), 8u);  // started 2 silenced dropped key_changed dropped ended
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAF_CHECK_EQUAL(std::stoull(all[i]["sequence"].get<std::string>()), i + 1);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
