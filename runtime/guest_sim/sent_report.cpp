#include "runtime/guest_sim/sent_report.hpp"

#include <string>

namespace cellos::guest_sim {

nlohmann::ordered_json sent_report(const simulation_options& options, const tally& sent,
                                   std::chrono::duration<double> elapsed) {
  nlohmann::ordered_json refused;
  for (auto kind : refusal_kinds) refused[std::string{to_string(kind)}] = sent.refused[kind];
  return {
      {"scenario", options.what->name},
      {"seed", options.seed},
      {"contentVersion", options.content_version == wire::content_version_1_1 ? "1.1" : "1.0"},
      {"frames", sent.frames},
      {"accepted", sent.accepted},
      {"declarations", sent.declarations()},
      {"heartbeats", sent.heartbeats},
      {"refused", refused},
      {"forgedAttribution", sent.forged_attribution},
      {"missingSeq", sent.missing_seq},
      {"droppedByGuest", sent.dropped_by_guest},
      {"connections", sent.connections},
      {"bytes", sent.bytes},
      {"seconds", elapsed.count()},
  };
}

}  // namespace cellos::guest_sim
