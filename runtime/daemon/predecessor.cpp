#include "runtime/daemon/predecessor.hpp"

#include <memory>
#include <utility>

#include "actors/run_ledger.hpp"

namespace cellos {

namespace {

run_ledger ledger_of(const recovered_run& run, const event_sealing_ptr& sealing) {
  return {std::make_shared<const host_stamp>(run.attribution), run, sealing};
}

void end(run_ledger& ledger, const recovered_run& run, std::string& lines, wall_time now) {
  ledger.close(lines, now, run_end_reason::daemon_stopped, 0, run.totals.connections);
}

std::error_code append(const std::string& lines, const std::vector<chain_head>& heads,
                       const std::vector<run_end_mark>& ends, evidence_log& log, host_chronicle* chronicle) {
  if (lines.empty()) return {};
  log.await_room(lines.size());
  if (chronicle == nullptr) return log.append(lines, heads);
  return chronicle->append(lines, heads, {}, ends);
}

}  // namespace

std::error_code record_restart(std::vector<recovered_run>& open_runs, evidence_log& log, const wall_clock& clock,
                               const event_sealing_ptr& sealing, host_chronicle* chronicle) {
  std::string lines;
  std::vector<recovered_run> continued;
  std::vector<run_end_mark> ends;
  std::vector<chain_head> heads;
  for (const recovered_run& run : open_runs) {
    run_ledger ledger = ledger_of(run, sealing);
    ledger.restarted(lines, clock.now());
    if (run.sealed == (sealing != nullptr)) {
      recovered_run later = run;
      static_cast<chain_position&>(later) = ledger.position();
      continued.push_back(std::move(later));
    } else {
      end(ledger, run, lines, clock.now());
      ends.push_back(ledger.end_mark());
    }
    heads.push_back(ledger.head());
  }
  if (const std::error_code refused = append(lines, heads, ends, log, chronicle)) return refused;
  open_runs = std::move(continued);
  return {};
}

std::vector<chain_head> heads_of(const std::vector<recovered_run>& runs) {
  std::vector<chain_head> heads;
  for (const recovered_run& run : runs) {
    heads.push_back({run,
                     run_state{std::make_shared<const host_stamp>(run.attribution), run.totals, run.silence_told,
                               run.resumed, false},
                     {}});
  }
  return heads;
}

std::error_code end_orphans(const std::vector<recovered_run>& orphans, evidence_log& log, const wall_clock& clock,
                            const event_sealing_ptr& sealing, host_chronicle* chronicle) {
  std::string lines;
  std::vector<run_end_mark> ends;
  std::vector<chain_head> heads;
  for (const recovered_run& run : orphans) {
    run_ledger ledger = ledger_of(run, sealing);
    end(ledger, run, lines, clock.now());
    ends.push_back(ledger.end_mark());
    heads.push_back(ledger.head());
  }
  return append(lines, heads, ends, log, chronicle);
}

}  // namespace cellos
