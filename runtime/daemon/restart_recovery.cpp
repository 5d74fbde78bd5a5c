#include "runtime/daemon/restart_recovery.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "actors/run_ledger.hpp"
#include "runtime/signing/journal_key.hpp"

namespace cellos {

namespace {

/// Lines that are appended together, at most, and one run's more. Chosen here.
constexpr std::size_t most_bytes_at_once = 64 * 1024;

/// Lines of runs, and what the host's chain says behind them.
class collected_lines {
 public:
  explicit collected_lines(host_event_chain& host_chain) : host_chain_(host_chain) {}

  std::error_code add(const run_ledger& ledger, std::string_view lines, const std::optional<adopted_range>& adopted) {
    collected_.lines += lines;
    collected_.heads.push_back(ledger.head());
    if (adopted) collected_.behind.emplace_back(recovery_finding{*adopted});
    if (collected_.heads.back().run->ended) ends_.emplace_back(ledger.end_mark());
    return collected_.lines.size() < most_bytes_at_once ? std::error_code{} : append();
  }

  std::error_code append() {
    joint_append all = std::exchange(collected_, {});
    std::ranges::move(std::exchange(ends_, {}), std::back_inserter(all.behind));
    return host_chain_.append(all);
  }

 private:
  host_event_chain& host_chain_;
  joint_append collected_;
  std::vector<host_statement> ends_;
};

run_ledger ledger_of(const recovered_run& run, const event_sealing_ptr& sealing) {
  return {std::make_shared<const host_stamp>(run.attribution), run, sealing};
}

/// A chain that is abandoned and closed is so in one append.
std::error_code record_findings(const recovery_conclusions& found, host_event_chain& host_chain) {
  std::vector<run_end_mark> closings = found.closings;
  for (const recovery_finding& finding : found.findings) {
    joint_append record{.behind = {finding}};
    if (const auto* abandoned = std::get_if<abandoned_chain>(&finding)) {
      const auto same = std::ranges::find(closings, abandoned->chain, &run_end_mark::chain);
      if (same != closings.end()) {
        record.behind.emplace_back(*same);
        closings.erase(same);
      }
    }
    if (const auto refused = host_chain.append(record)) return refused;
  }
  return host_chain.append({.behind = {closings.begin(), closings.end()}});
}

enum class then : std::uint8_t { go_on, end };

std::error_code record_runs(std::vector<recovered_run>& runs, const restart_context& context,
                            const event_sealing_ptr& sealing, host_event_chain& host_chain, then what) {
  collected_lines collected{host_chain};
  for (recovered_run& run : runs) {
    run_ledger ledger = ledger_of(run, sealing);
    std::string lines;
    ledger.restarted(lines, context.clock.now());
    if (what == then::end) {
      ledger.close(lines, context.clock.now(), run_end_reason::daemon_stopped, 0, run.totals.connections);
    }
    if (const auto refused = collected.add(ledger, lines, std::exchange(run.adopted, {}))) return refused;
    static_cast<chain_position&>(run) = ledger.position();
  }
  return collected.append();
}

/// A chain belongs to one host and says how it is sealed.
bool is_another_log(const recovery_conclusions& found, const restart_context& context) {
  if (!found.written_by) return false;
  if (found.written_by->host_id != context.host_id) return true;
  if (found.written_by->signing) return *found.written_by->signing != statement_of(context.sealing);
  // What says nothing of it goes on as it was, if that can be.
  const bool sealed = context.sealing != nullptr;
  const auto differs = [&](const chain_position& chain) { return chain.sealed != sealed; };
  return (found.host_chain && differs(*found.host_chain)) || std::ranges::any_of(found.open_runs, differs);
}

signing_statement former_statement(const recovery_conclusions& found) {
  if (found.written_by->signing) return *found.written_by->signing;
  const bool sealed =
      (found.host_chain && found.host_chain->sealed) || (!found.open_runs.empty() && found.open_runs.front().sealed);
  return {sealed ? signing_statement::kind::event : signing_statement::kind::off, 0, {}};
}

daemon_start start_of(const recovery_conclusions& found, const restart_context& context) {
  return {std::string{context.daemon_version}, found.former};
}

/// As the former host, with the key there is; what it leaves is a log in which nothing is open.
std::error_code end_other_log(recovery_conclusions& found, const restart_context& context) {
  const event_sealing_ptr sealing = sealing_for_ending(former_statement(found), context.sealing);
  host_event_chain host_chain{found.written_by->host_id, context.log,   context.clock, sealing,
                              found.host_chain,          context.epochs};
  const bool is_as_it_was = found.open_runs.empty() && found.findings.empty() && found.closings.empty();
  if (!found.host_chain) {
    if (const auto refused = host_chain.record(start_of(found, context))) return refused;
  }
  if (const auto refused = record_findings(found, host_chain)) return refused;
  if (const auto refused = record_runs(found.open_runs, context, sealing, host_chain, then::end)) return refused;
  if (!found.host_stopped || !is_as_it_was) {
    if (const auto refused = host_chain.record(daemon_stop{})) return refused;
  }
  found.former = host_chain.end();
  found.host_chain.reset();
  found.open_runs.clear();
  found.closings.clear();
  found.findings.clear();
  return {};
}

}  // namespace

std::optional<std::vector<journaled_chain>> reliable_at_once(const recovery_conclusions& found) {
  if (!found.written_by && found.findings.empty()) return std::vector<journaled_chain>{};
  const auto is_innocent = [](const recovery_finding& each) {
    const auto* trouble = std::get_if<journal_trouble>(&each);
    return trouble != nullptr && *trouble == journal_trouble::former_version;
  };
  const auto is_adopted = [](const recovered_run& each) { return each.adopted.has_value(); };
  if (found.findings.size() != 1 || !is_innocent(found.findings.front())) return std::nullopt;
  if (std::ranges::any_of(found.open_runs, is_adopted)) return std::nullopt;
  std::vector<journaled_chain> chains = found.closed;
  for (const recovered_run& run : found.open_runs) {
    chains.push_back({ledger_of(run, nullptr).head(), false, 0});
    chains.back().head.position = run;
  }
  if (found.host_chain) chains.push_back({{*found.host_chain, {}, {}}, false, 0});
  return chains;
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

std::error_code record_restart(recovery_conclusions& found, const restart_context& context,
                               std::optional<host_event_chain>& host_chain) {
  if (is_another_log(found, context)) {
    if (const auto refused = end_other_log(found, context)) return refused;
  }
  host_chain.emplace(std::string{context.host_id}, context.log, context.clock, context.sealing, found.host_chain,
                     context.epochs);
  if (const auto refused = host_chain->record(start_of(found, context))) return refused;
  if (const auto refused = record_findings(found, *host_chain)) return refused;
  return record_runs(found.open_runs, context, context.sealing, *host_chain, then::go_on);
}

std::error_code record_start(recovery_conclusions& found, const restart_context& context, segment_log& log,
                             operator_events& events, std::optional<host_event_chain>& host_chain) {
  for (const recovery_finding& each : found.findings) events.evidence_doubtful(each);
  if (!found.open_runs.empty()) events.runs_recovered(found.open_runs.size());
  if (const auto chains = reliable_at_once(found); chains && !is_another_log(found, context)) {
    if (const auto refused = log.conclude_recovery({*chains, found.highest_epoch, found.last_append_is_missing}))
      return refused;
  }
  if (const auto refused = record_restart(found, context, host_chain)) return refused;
  return log.conclude_recovery({found.closed, found.highest_epoch, found.last_append_is_missing});
}

std::error_code end_orphans(const std::vector<recovered_run>& orphans, const wall_clock& clock,
                            const event_sealing_ptr& sealing, host_event_chain& host_chain) {
  collected_lines collected{host_chain};
  for (const recovered_run& run : orphans) {
    run_ledger ledger = ledger_of(run, sealing);
    std::string lines;
    ledger.close(lines, clock.now(), run_end_reason::daemon_stopped, 0, run.totals.connections);
    if (const auto refused = collected.add(ledger, lines, {})) return refused;
  }
  return collected.append();
}

}  // namespace cellos
