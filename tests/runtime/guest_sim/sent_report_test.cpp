#include "runtime/guest_sim/sent_report.hpp"

#define CAF_SUITE sent_report
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;

CAF_TEST(the_report_names_everything_in_a_fixed_order) {
  simulation_options options;
  options.what = find_scenario("mixed");
  options.seed = 18446744073709551615u;
  options.content_version = wire::content_version_1_1;
  tally sent;
  sent.add({});
  sent.add({.heartbeat = true, .missing_seq = 5, .dropped = 6});
  sent.add({.forged = true});
  sent.add({.refusal = telemetry_errc::unsupported_version});
  sent.connections = 2;
  sent.bytes = 321;
  const auto text = sent_report(options, sent, std::chrono::duration<double>{0.5}).dump();
  CAF_CHECK_EQUAL(
      text,
      R"({"scenario":"mixed","seed":18446744073709551615,"contentVersion":"1.1","frames":4,"accepted":3,)"
      R"("declarations":2,"heartbeats":1,"refused":{"malformed_frame":0,"unsupported_version":1,)"
      R"("unknown_probe_source":0,"framing_lost":0,"torn_frame":0,"over_quota":0},"forgedAttribution":1,"missingSeq":5,)"
      R"("droppedByGuest":6,"connections":2,"bytes":321,"seconds":0.5})");
}
