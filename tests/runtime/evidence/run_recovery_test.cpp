#define CAF_SUITE run_recovery
#include "runtime/evidence/run_recovery.hpp"

#include <caf/test/dsl.hpp>

#include <sstream>

#include "actors/run_ledger.hpp"
#include "messages/cloud_event.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

struct fixture {
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});
  run_ledger ledger{run, "host-a/cell-1/run-1/1700000000000"};
  wall_time now{std::chrono::seconds{1'700'000'000}};
  std::string log;
  std::uint64_t chunks = 0;

  void append(std::size_t declarations, std::uint32_t refused = 0) {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = ++chunks;
    chunk->received_at = now;
    chunk->frames = static_cast<std::uint32_t>(declarations) + refused;
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(declarations);
    for (guest_declaration& declared : made.declarations) declared.guest_comm = R"(","probeSource":"x)";
    if (refused > 0) made.refused.add(telemetry_errc::malformed_frame, refused);
    ledger.take(log, made);
  }

  std::vector<recovered_run> recovered() const {
    run_recovery recovery;
    std::istringstream lines{log};
    for (std::string line; std::getline(lines, line);) recovery.take(line);
    return recovery.open_runs();
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(run_recovery_tests, fixture)

CAF_TEST(an open run goes on where its chain stopped) {
  ledger.open(log, now, {"test", 10s, {}});
  append(3);
  const auto runs = recovered();
  CAF_REQUIRE_EQUAL(runs.size(), 1u);
  CAF_CHECK(runs[0].attribution == *run);
  CAF_CHECK_EQUAL(runs[0].chain, "host-a/cell-1/run-1/1700000000000");
  CAF_CHECK_EQUAL(runs[0].next_event, 5u);
  CAF_CHECK_EQUAL(runs[0].totals.appended, 3u);
  CAF_CHECK_EQUAL(runs[0].totals.received, 3u);
}

CAF_TEST(an ended run leaves nothing) {
  ledger.open(log, now, {"test", 10s, {}});
  append(1);
  ledger.close(log, now, run_end_reason::retired, 1, 1);
  CAF_CHECK(recovered().empty());
}

CAF_TEST(silence and summarised losses are remembered) {
  ledger.open(log, now, {"test", 10s, {}});
  append(1, 4);
  ledger.summarise_losses(log, now);
  ledger.silence(log, now, {10s, monotonic_time{}, monotonic_time{11s}});
  ledger.quarantine(log, now, {2, 7, "x.bin"});
  const auto runs = recovered();
  CAF_REQUIRE_EQUAL(runs.size(), 1u);
  CAF_CHECK(runs[0].silence_told);
  CAF_CHECK(!runs[0].resumed);
  CAF_CHECK_EQUAL(runs[0].totals.refused[telemetry_errc::malformed_frame], 4u);
  CAF_CHECK_EQUAL(runs[0].totals.quarantined, 7u);
  CAF_CHECK_EQUAL(runs[0].totals.in_flight(), 0u);
}

CAF_TEST(a chain whose beginning was removed is recovered from what is there) {
  ledger.open(log, now, {"test", 10s, {}});
  log.clear();
  append(2);
  const auto runs = recovered();
  CAF_REQUIRE_EQUAL(runs.size(), 1u);
  CAF_CHECK(runs[0].attribution == *run);
  CAF_CHECK_EQUAL(runs[0].next_event, 4u);
}

CAF_TEST(lines that are not ours are counted and passed over) {
  run_recovery recovery;
  for (const char* line :
       {"", "{}", "not json", R"({"specversion":"1.0","id":"short","type":"x"})",
        R"({"specversion":"1.0","id":"a/b/00000000000000000001","type":"dev.cellos.events.cell."})"}) {
    recovery.take(line);
  }
  CAF_CHECK_EQUAL(recovery.lines(), 5u);
  CAF_CHECK_EQUAL(recovery.foreign_lines(), 5u);
  CAF_CHECK(recovery.open_runs().empty());
}

CAF_TEST(a recovered run is resumed under the next number) {
  ledger.open(log, now, {"test", 10s, {}});
  append(2);
  const recovered_run left = recovered().at(0);
  run_ledger successor{run, left, nullptr};
  std::string more;
  successor.open(more, now, {"test", 10s, left});
  CAF_CHECK(more.find("run.v1.resumed") != std::string::npos);
  CAF_CHECK(more.find("/00000000000000000004\"") != std::string::npos);
  CAF_CHECK_EQUAL(successor.totals().appended, 2u);
}

CAF_TEST(members of another type than ours are taken as absent) {
  const auto line_of = [](const std::string& chain, const std::string& type, const std::string& data) {
    return R"({"specversion":"1.0","id":")" + chain + R"(/00000000000000000001","type":")" +
           std::string{event_type_prefix} + type + R"(","data":)" + data + "}";
  };
  run_recovery recovery;
  recovery.take(line_of("h/a/r/1", "run.v1.started", R"({"specSignatureHash":7,"keyId":[]})"));
  recovery.take(line_of("h/a/r/1", "guest.v1.telemetry_dropped", R"({"reason":7,"refused":3})"));
  recovery.take(line_of("h/a/r/1", "guest.v1.telemetry_dropped", R"({"reason":"frames_refused","refused":3})"));
  recovery.take(line_of("h/1", "host.v1.run_opened", R"({"keyId":{},"chain":null})"));
  const auto open = recovery.open_runs();
  CAF_REQUIRE_EQUAL(open.size(), 1u);
  CAF_CHECK_EQUAL(open[0].attribution.spec_signature_hash, "");
  CAF_CHECK(recovery.host_chain().has_value());
}

CAF_TEST_FIXTURE_SCOPE_END()
