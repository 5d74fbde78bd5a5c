#include "messages/cloud_event.hpp"
#include "tests/support/probe_events.hpp"

#define CAF_SUITE host_reading_event
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// 2026-11-24T06:00:00.123456789Z
constexpr wall_time six_o_clock = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + 6h + 123'456'789ns;

agent_silenced silence() {
  return {.window = 10s, .last_accepted = monotonic_time{5s}, .observed = monotonic_time{15s + 1ns}};
}

std::string line(const std::string& type, const std::string& data) {
  return R"({"specversion":"1.0","id":"host-a/cell-1/run-7/1/00000000000000000007","source":"/cellos/host/host-a",)"
         R"("type":"dev.cellos.events.cell.observability.)" +
         type +
         R"(","subject":"urn:cellos:cell:cell-1","time":"2026-11-24T06:00:00.123456789Z",)"
         R"("datacontenttype":"application/json","chain":"host-a/cell-1/run-7/1","sequence":"00000000000000000007",)"
         R"("data":)" +
         data + "}\n";
}

template <class Append>
std::string seventh(Append&& append) {
  std::string out;
  run_projection run{std::make_shared<host_stamp>(host_stamp{"host-a", "cell-1", "run-7", "sha256:abc"}),
                     {"host-a/cell-1/run-7/1", 7}};
  append(run, out);
  return out;
}

}  // namespace

CAF_TEST(a_silence_says_what_the_host_saw_if_it_saw_anything) {
  CAF_CHECK_EQUAL(seventh([](auto& run, auto& out) { run.agent_silenced(out, six_o_clock, watched(silence())); }),
                  line("guest.v1.agent_silenced",
                       R"({"cellId":"cell-1","hostSaw":{"cgroupPopulated":false,"connected":false,"cpuMoving":false,)"
                       R"("lookedBeforeNs":"1000000001","trafficMoving":true,"vmm":"signalled","vmmSignal":9},)"
                       R"("output":{"epistemicStatus":"observed","ruleClass":"opacity","tier":2},)"
                       R"("runId":"run-7","silenceWindowNs":"10000000000","silentForNs":"10000000001",)"
                       R"("specSignatureHash":"sha256:abc"})"));
}

CAF_TEST(a_reading_is_exactly_this_line_and_dated_when_it_was_handed_on) {
  probe_reading reading = some_reading(host_probe::process);
  reading.host_received_at = six_o_clock;
  CAF_CHECK_EQUAL(seventh([&](auto& run, auto& out) { run.host_reading(out, six_o_clock + 5s, reading); }),
                  line("host.probe.v1.process",
                       R"({"cellId":"cell-1","hostReceivedAt":"2026-11-24T06:00:00.123456789Z",)"
                       R"("output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},)"
                       R"("reading":{"inputs":{"pid":5},"output":{"alive":true},"probeSource":"host.process"},)"
                       R"("runId":"run-7","specSignatureHash":"sha256:abc"})"));
}

CAF_TEST(a_contradiction_is_exactly_this_line) {
  const std::string data =
      R"({"background":"2","cellId":"cell-1","confidence":"firm","counted":"12","declared":"1","firstReading":"3",)"
      R"("from":"2026-11-24T06:00:00.123456789Z","kind":"undeclared_network","lastReading":"9",)"
      R"("output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},"runId":"run-7",)"
      R"("specSignatureHash":"sha256:abc","threshold":"4","to":"2026-11-24T06:00:30.123456789Z","window":"59817600",)"
      R"("windowNs":"30000000000"})";
  CAF_CHECK_EQUAL(seventh([](auto& run, auto& out) {
                    run.contradiction(out, six_o_clock, some_contradiction(false, six_o_clock));
                  }),
                  line("host.probe.v1.undeclared_activity", data));
  CAF_CHECK(seventh([](auto& run, auto& out) {
              run.contradiction(out, six_o_clock, some_contradiction(true, six_o_clock));
            }).find("guest.v1.declaration_unwitnessed") != std::string::npos);
}
