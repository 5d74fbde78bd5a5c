#define CAF_SUITE witnessed_run
#include "actors/witnessed_run.hpp"

#include <caf/test/dsl.hpp>

#include <memory>
#include <string>
#include <utility>

#include "actors/run_ledger.hpp"
#include "actors/sink_journal.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/plain_sealing.hpp"
#include "tests/support/probe_events.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

// What is found contradicts what is in the chain for good: it goes on record, whatever fails meanwhile.

namespace {

constexpr wall_time now{std::chrono::seconds{1'700'000'000}};

/// Finds one contradiction, by the first loss that it hears of.
class finds_by_loss final : public run_witness {
 public:
  std::chrono::nanoseconds window() const override { return 30s; }
  found declared(std::uint64_t, wall_time, probe_source, std::uint32_t) override { return {}; }
  found read(std::uint64_t, wall_time, const probe_reading&) override { return {}; }
  found silenced(std::uint64_t, wall_time, std::chrono::nanoseconds) override { return {}; }
  found resumed(std::uint64_t, wall_time) override { return {}; }
  found lost(std::uint64_t, wall_time at) override {
    return std::exchange(found_, true) ? found{} : found{some_contradiction(false, at)};
  }
  found restarted(std::uint64_t, wall_time) override { return {}; }

 private:
  bool found_ = false;
};

struct fixture {
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});

  run_opening opening() const {
    run_opening how{"test", 10s, {}};
    how.witness = std::make_shared<finds_by_loss>();
    return how;
  }
  batch lossy() const {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = 1;
    chunk->received_at = now;
    chunk->frames = 3;
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.refused.add(telemetry_errc::malformed_frame, 3);
    return made;
  }
  static std::size_t count(const std::string& log, std::string_view type) {
    std::size_t found = 0;
    for (std::size_t at = log.find(type); at != std::string::npos; at = log.find(type, at + 1)) ++found;
    return found;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(witnessed_run_tests, fixture)

CAF_TEST(what is found while a run cannot be closed is on record once it is) {
  // The summary of losses, the contradiction, the end: each has a signature.
  for (int calls = 0; calls <= 2; ++calls) {
    CAF_MESSAGE("fails after " << calls);
    const auto script = std::make_shared<seal_script>();
    run_ledger ledger{run, "host-a/cell-1/run-1/1", std::make_shared<const plain_sealing>("first", "", 1, script)};
    std::string out;
    ledger.open(out, now, opening());
    ledger.take(out, lossy());
    const std::string lines = out;
    script->calls_until_failure = calls;
    CAF_CHECK(fails_to_sign([&] { ledger.close(out, now, run_end_reason::retired, 3, 1); }));
    out = lines;
    script->calls_until_failure = 100;
    ledger.close(out, now, run_end_reason::retired, 3, 1);
    CAF_CHECK_EQUAL(count(out, "undeclared_activity"), 1u);
    CAF_CHECK(out.rfind("undeclared_activity") < out.rfind("run.v1.ended"));
  }
}

CAF_TEST(what a summary of losses has found is on record with it) {
  memory_log log;
  manual_clock clock;
  sink_journal journal{log, clock};
  journal.open_run(run, opening());
  journal.take(run, lossy(), monotonic_time{1h}, 10);
  journal.summarise_losses(monotonic_time{1h}, [](const host_stamp&, const refusal_counts&) {});
  std::size_t heard = 0;
  journal.record_all_found([&](const host_stamp& of, const recorded_contradiction&) {
    CAF_CHECK_EQUAL(of.cell_id, "cell-1");
    ++heard;
  });
  journal.record_all_found([&](const host_stamp&, const recorded_contradiction&) { ++heard; });
  CAF_CHECK(!journal.flush());
  CAF_CHECK_EQUAL(heard, 1u);
  CAF_CHECK_EQUAL(log.count("undeclared_activity"), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
