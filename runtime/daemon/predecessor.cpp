#include "runtime/daemon/predecessor.hpp"

#include <memory>

#include "messages/cloud_event.hpp"

namespace cellos {

namespace {

run_projection projection_of(const recovered_run& run) {
  return {std::make_shared<const host_stamp>(run.attribution), run.chain};
}

}  // namespace

std::error_code record_restart(std::vector<recovered_run>& open_runs, evidence_log& log, const wall_clock& clock) {
  std::string lines;
  for (recovered_run& run : open_runs) {
    projection_of(run).telemetry_dropped(lines, run.next_event++, clock.now(),
                                         {loss_reason::daemon_restart, {}, {}, {}});
  }
  return lines.empty() ? std::error_code{} : log.append(lines);
}

std::error_code end_orphans(const std::vector<recovered_run>& orphans, evidence_log& log, const wall_clock& clock) {
  std::string lines;
  for (const recovered_run& run : orphans) {
    projection_of(run).run_ended(lines, run.next_event, clock.now(), run_end_reason::daemon_stopped, run.totals);
  }
  return lines.empty() ? std::error_code{} : log.append(lines);
}

}  // namespace cellos
