#include "runtime/cli/event_text.hpp"

#include <string>

#include "messages/cloud_event.hpp"

#define CAF_SUITE event_text
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::cli;

namespace {

std::string reported(const std::string& type, const std::string& data) {
  const auto event = summarise_event(
      R"({"time":"t","type":")" + std::string{event_type_prefix} + type + R"(","data":)" + data + "}", false);
  return event ? event->text : "nothing";
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST(durations_and_pids_are_reported_as_numbers) {
  CAF_CHECK(has(reported("guest.v1.agent_silenced", R"({"silentForNs":"12500000000","silenceWindowNs":"10"})"),
                "nothing for 12.5 s (window 10 ns)"));
  CAF_CHECK(has(reported("guest.v1.process_spawned", R"({"probeSource":"process.spawned","guestPid":4294967295})"),
                "pid 4294967295 "));
}

CAF_TEST(members_of_any_other_type_end_nothing) {
  for (const char* number : {R"("abcdefghij")", R"("1e999999999")", R"("99999999999999999999999")", R"("")", "-7",
                             "1.5", "null", "{}", "[[]]"}) {
    const std::string value{number};
    CAF_CHECK(
        has(reported("guest.v1.agent_silenced", R"({"silentForNs":)" + value + R"(,"silenceWindowNs":)" + value + "}"),
            "AGENT SILENCED"));
    CAF_CHECK(has(reported("host.v1.evidence_blocked", R"({"blockedForNs":)" + value + "}"), "took nothing"));
    CAF_CHECK(has(reported("guest.v1.process_spawned", R"({"probeSource":"x","guestPid":)" + value + "}"), "pid ?"));
    CAF_CHECK(has(reported("run.v1.ended", R"({"totals":)" + value + "}"), "run ended"));
    CAF_CHECK(has(reported("run.v1.ended", R"({"totals":{"refused":)" + value + "}}"), "run ended"));
    CAF_CHECK(has(reported("guest.v1.telemetry_dropped", R"({"refused":)" + value + "}"), "telemetry dropped"));
  }
}

CAF_TEST(a_silence_says_what_the_host_had_seen) {
  CAF_CHECK(has(reported("guest.v1.agent_silenced",
                         R"({"hostSaw":{"connected":false,"cpuMoving":true,"vmm":"signalled","vmmSignal":9}})"),
                "; the host saw: VMM signalled 9, not connected, CPU moving"));
  for (const char* odd : {"{}", "[]", "7", "null", R"({"vmm":5,"connected":"yes","vmmStatus":{}})"}) {
    CAF_CHECK(has(reported("guest.v1.agent_silenced", R"({"hostSaw":)" + std::string{odd} + "}"), "AGENT SILENCED"));
  }
}

CAF_TEST(readings_and_contradictions_are_reported_in_a_line) {
  CAF_CHECK(
      has(reported("host.probe.v1.process", R"({"reading":{"output":{"alive":true},"probeSource":"host.process"}})"),
          R"(host.process           {"alive":true})"));
  CAF_CHECK(has(reported("host.probe.v1.undeclared_activity",
                         R"({"kind":"undeclared_exit","confidence":"firm","counted":"1","declared":"0"})"),
                "CONTRADICTION: undeclared_exit (firm): the host counted 1, the cell declared 0"));
  for (const char* odd : {"{}", "[]", "7", R"({"output":[[]],"probeSource":{}})"}) {
    CAF_CHECK(has(reported("host.probe.v1.process", R"({"reading":)" + std::string{odd} + "}"), "t"));
  }
}
