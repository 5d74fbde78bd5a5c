#include "runtime/verification/log_verifier.hpp"

#include <algorithm>
#include <utility>

#include "messages/chain_name.hpp"
#include "messages/escaped_text.hpp"
#include "runtime/lines/rfc3339.hpp"

namespace cellos::verification {

log_verifier::log_verifier(std::vector<named_file> files, const verification_options& options, bool signatures_checked)
    : files_(std::move(files)),
      options_(options),
      file_names_([this](std::uint32_t file) -> const std::string& { return files_[file].name; }),
      said_(signatures_checked),
      merge_(options_, signatures_checked, file_names_, said_) {
  report_.files = files_.size();
  report_.signatures_checked = signatures_checked;
  said_.witness_of(options_.witness_of);
}

log_verifier::chain_record* log_verifier::record_of(std::string_view chain) {
  if (last_record_ != nullptr && last_chain_ == chain) return last_record_;
  last_chain_ = chain;
  const auto known = chains_.find(last_chain_);
  if (known != chains_.end()) return last_record_ = &known->second;
  last_record_ = nullptr;
  if (chains_.size() == most_chains) return nullptr;
  return last_record_ = &chains_[last_chain_];
}

void log_verifier::take(std::uint32_t file, std::uint64_t line_number, const line_result& line) {
  ++report_.lines;
  for (const line_fault& fault : line.faults) add_fault(file, line_number, line, fault);
  if (line.chain.empty()) return;
  chain_record* record = record_of(line.chain);
  if (record == nullptr) {
    if (std::exchange(overflowed_, true)) return;
    return report_.add({finding_cause::malformed, "", 0, files_[file].name, line_number,
                        "more chains than can be followed; lines of further chains are not looked at"});
  }
  const std::uint32_t log = files_[file].log;
  // Logs come one after the other.
  if (record->copies.empty() || record->copies.back().log != log) record->copies.push_back({log, {}});
  record->copies.back().track.take(line, {file, line_number}, faults_);
  said_.take(line, {file, line_number}, faults_);
  for (const line_fault& fault : faults_) add_fault(file, line_number, line, fault);
  faults_.clear();
}

void log_verifier::add_fault(std::uint32_t file, std::uint64_t line_number, const line_result& line,
                             const line_fault& fault) {
  if (fault.cause == finding_cause::unknown_key && !line.chain.empty()) {
    chain_record* record = record_of(line.chain);
    constexpr std::size_t most_reported = 8;
    if (record != nullptr) {
      auto& reported = record->reported;
      if (reported.size() == most_reported ||
          std::find(reported.begin(), reported.end(), fault.words) != reported.end())
        return;
      reported.push_back(fault.words);
    }
  }
  report_.add({fault.cause, std::string{line.chain}, line.sequence, files_[file].name, line_number, fault.words});
}

void log_verifier::unterminated(std::uint32_t file, std::uint64_t line_number, std::uint64_t bytes) {
  report_.add({finding_cause::unterminated, "", 0, files_[file].name, line_number,
               "the file ends within a line, after " + std::to_string(bytes) + " bytes of it"});
}

void log_verifier::overlong(std::uint32_t file, std::uint64_t line_number) {
  ++report_.lines;
  report_.add({finding_cause::malformed, "", 0, files_[file].name, line_number, "longer than any event can be"});
}

bool log_verifier::merge() {
  for (const auto& [name, record] : chains_) {
    if (merged_.contains(name)) continue;
    chain_report merged;
    std::vector<finding> findings;
    if (!merge_.merge(name, record.copies, again_, merged, findings)) continue;
    merged_.emplace(name, std::move(merged));
    merged_findings_.insert(merged_findings_.end(), std::make_move_iterator(findings.begin()),
                            std::make_move_iterator(findings.end()));
  }
  if (!again_.has_questions()) return false;
  again_.begin();
  return true;
}

void log_verifier::take_again(std::uint32_t file, std::uint64_t line_number, const line_result& line) {
  if (!line.chain.empty()) again_.take(files_[file].log, line, {file, line_number});
}

verification_report log_verifier::report() {
  for (const auto& [name, record] : chains_) {
    if (merged_.contains(name)) continue;
    print_whole(finding_cause::altered, name, 0, record.copies.front().track.sections().front().first_place,
                "changed while it was read");
  }
  // By place, so that the order does not depend on how chains are kept.
  const auto by_place = [](const finding& a, const finding& b) {
    return std::tie(a.file, a.line, a.chain, a.sequence) < std::tie(b.file, b.line, b.chain, b.sequence);
  };
  std::sort(merged_findings_.begin(), merged_findings_.end(), by_place);
  for (finding& each : merged_findings_) report_.add(std::move(each));
  check_hosts();
  for (const auto& [name, chain] : merged_) check_tail(chain);
  for (const adoption_statement& each : said_.adoptions()) check_adoption(each);
  for (const std::string& each : said_.notes()) note(each);
  const auto begins_later = [](const auto& named) { return named.second.beginning_removed; };
  if (const auto cut = std::count_if(merged_.begin(), merged_.end(), begins_later); cut > 0) {
    note(std::to_string(cut) + " of the chains begin where their host says that retention took what came before");
  }
  for (const auto& [name, chain] : merged_) {
    auto& keys = report_.hosts[chain.host].keys;
    for (const verification_key* each : chain.facts.keys) keys.insert(each);
  }
  for (const auto& [host, segment] : said_.removed_segments()) report_.hosts[host].removed_until = segment;
  // Filters choose what is shown. What is wrong with a chain is said of every one, and shows it.
  std::set<std::string_view> damaged;
  for (const finding& each : report_.findings) damaged.insert(each.chain);
  for (auto& [name, chain] : merged_) {
    if (damaged.contains(name) || (is_wanted(name) && is_in_window(chain))) report_.chains.push_back(std::move(chain));
  }
  return std::move(report_);
}

void log_verifier::print_whole(finding_cause cause, const std::string& chain, std::uint64_t sequence, line_place at,
                               std::string words) {
  const bool somewhere = at.line != 0;
  report_.add({cause, chain, sequence, somewhere ? files_[at.file].name : "", at.line, std::move(words)});
}

/// Which runs there must be, by the hosts' own chains, and how they must end.
void log_verifier::check_hosts() {
  for (const auto& [name, chain] : merged_) {
    host_record& host = hosts_[chain.host];
    if (!chain.is_host()) continue;
    host.has_chain = true;
    host.whole &= chain.first == 1 && chain.gaps.empty();
    // Of a host with several chains, the last by name is the one that began last.
    host.stopped = chain.state == chain_state::ended;
  }
  for (const auto& [name, said] : said_.chains()) check_listing(name, said);
  for (const succession_statement& each : said_.successions()) check_succession(each);
  check_absent_hosts();
  for (const auto& [name, then] : options_.earlier) {
    if (chains_.contains(name)) continue;
    if (was_removed_after(name, then)) continue;
    print_whole(finding_cause::missing, name, 0, {},
                "the whole chain: by the earlier report it went on to sequence " + std::to_string(then.sequence));
  }
  for (const auto& [name, chain] : merged_) check_end(chain);
}

/// Retention took the rest of the chain since the earlier report, and the host says so.
bool log_verifier::was_removed_after(std::string_view chain, const earlier_end& then) const {
  const chain_statements* said = said_.about(chain);
  if (said == nullptr) return false;
  return said->removals.contains({then.sequence, then.digest}) ||
         said->removals.upper_bound({then.sequence + 1, std::string{}}) != said->removals.end();
}

bool log_verifier::is_listed(std::string_view chain) const {
  const chain_statements* said = said_.about(chain);
  return said != nullptr && !(said->openings.empty() && said->closings.empty());
}

void log_verifier::check_absent_hosts() {
  for (const auto& [name, host] : hosts_) {
    if (host.has_chain || options_.partial) continue;
    print_whole(finding_cause::missing, name, 0, {},
                "the own chain of host " + name + " is not here: whether all its runs are, nobody can know");
  }
  for (const std::string& name : options_.hosts) {
    if (hosts_.contains(name)) continue;
    print_whole(finding_cause::missing, name, 0, {}, "the whole host: not one line of it is here");
  }
  const auto is_of_cell = [this](const auto& named) { return named.second.cell == options_.cell; };
  if (!options_.cell.empty() && std::none_of(merged_.begin(), merged_.end(), is_of_cell)) {
    print_whole(finding_cause::missing, escaped(options_.cell, 128), 0, {},
                "the whole cell: not one run of it is here");
  }
}

void log_verifier::check_listing(const std::string& chain, const chain_statements& said) {
  const auto run = merged_.find(chain);
  if (run != merged_.end()) {
    for (const run_closing_statement& each : said.closings) check_closing(run->second, each);
    return;
  }
  if (options_.partial || chains_.contains(chain)) return;
  if (said.openings.empty() && said.closings.empty()) return;
  // Opened and closed without a line: the daemon died between the two.
  const auto never_begun = [](const run_closing_statement& each) { return each.last_sequence == 0; };
  if (!said.closings.empty() && std::all_of(said.closings.begin(), said.closings.end(), never_begun)) return;
  // An open run may have no line left, until it must have ended.
  const bool may_be_open = !options_.finished && !hosts_[said.host].stopped;
  const auto took_it_all = [&](const auto& known) {
    const removal_statement& removal = known.second;
    if (said.closings.empty()) return removal.open && may_be_open;
    return std::all_of(said.closings.begin(), said.closings.end(), [&](const run_closing_statement& each) {
      return known.first == std::pair{each.last_sequence, each.last_digest};
    });
  };
  if (std::any_of(said.removals.begin(), said.removals.end(), took_it_all)) return;
  const line_place at = said.openings.empty() ? said.closings.front().source.place : said.openings.front().source.place;
  print_whole(finding_cause::missing, escaped(chain, 512), 0, at,
              "the whole run: this line says that the host began it");
}

void log_verifier::check_closing(chain_report& run, const run_closing_statement& closing) {
  const std::uint64_t closed = closing.last_sequence;
  if (run.last < closed) {
    cut_off_.insert(run.chain);
    return print_whole(finding_cause::missing, run.chain, run.last + 1, closing.source.place,
                       "its end: the log holds it until sequence " + std::to_string(run.last) +
                           ", by this line the host closed it at " + std::to_string(closed));
  }
  if (run.last > closed || (run.sealed && closing.last_digest != run.last_digest)) {
    return print_whole(finding_cause::altered, run.chain, run.last, closing.source.place,
                       run.last > closed ? "goes on to sequence " + std::to_string(run.last) +
                                               ", by this line the host closed it at " + std::to_string(closed)
                                         : "its last event has another digest than this line says");
  }
  // A closing that no good signature is over proves nothing of the run.
  const auto host = merged_.find(closing.source.chain);
  run.closed_by_host =
      !report_.signatures_checked || (host != merged_.end() && host->second.signed_until >= closing.source.sequence);
}

/// Where a checkpoint may lag, an unsigned end is nothing unusual after a crash; of a log that is complete it is not
/// proven.
void log_verifier::check_adoption(const adoption_statement& adoption) {
  const auto chain = merged_.find(adoption.chain);
  const bool may_lag = chain != merged_.end() && !chain->second.is_host() && chain->second.facts.signing &&
                       chain->second.facts.signing->mode == signing_statement::kind::checkpoint;
  const std::string words =
      "sequences " + std::to_string(adoption.from) + " to " + std::to_string(adoption.to) +
      " were found at a start of the host, which could not vouch for them, and went on behind them";
  if (may_lag && !options_.finished) return note(escaped(adoption.chain, 512) + ": " + words);
  print_whole(finding_cause::adopted, escaped(adoption.chain, 512), adoption.from, adoption.source.place, words);
}

void log_verifier::check_succession(const succession_statement& succession) {
  const auto former = merged_.find(succession.former_chain);
  const std::string name = escaped(succession.former_chain, 512);
  if (former == merged_.end()) {
    // Whatever it listed is not here either.
    hosts_[std::string{parse_chain_name(succession.former_chain)->host}].whole = false;
    if (options_.partial || chains_.contains(succession.former_chain)) return;
    const chain_statements* said = said_.about(succession.former_chain);
    if (said != nullptr && said->removals.contains({succession.former_sequence, succession.former_digest})) return;
    return print_whole(finding_cause::missing, name, 0, succession.source.place,
                       "the whole chain: this line says that the host's chain followed it");
  }
  const chain_report& chain = former->second;
  if (chain.last == succession.former_sequence && (!chain.sealed || chain.last_digest == succession.former_digest))
    return;
  print_whole(chain.last < succession.former_sequence ? finding_cause::missing : finding_cause::altered, name,
              chain.last, succession.source.place,
              "ends at sequence " + std::to_string(chain.last) + "; by this line the host had left it at " +
                  std::to_string(succession.former_sequence) +
                  (chain.last == succession.former_sequence ? ", with another digest" : ""));
}

void log_verifier::check_end(const chain_report& chain) {
  const host_record& host = hosts_[chain.host];
  if (!chain.is_host() && host.has_chain && host.whole && !is_listed(chain.chain)) {
    print_whole(finding_cause::missing, chain.chain, 0, {},
                "the host's own chain does not list this run: one of the two is not whole");
  }
  if (chain.state == chain_state::ended || cut_off_.contains(chain.chain)) return;
  if (!chain.is_host() && host.has_chain && host.stopped) {
    print_whole(finding_cause::missing, chain.chain, chain.last + 1, {}, "its end: its host stopped and left it open");
  } else if (options_.finished) {
    print_whole(finding_cause::missing, chain.chain, chain.last + 1, {},
                chain.is_host() ? "its end: the host has not stopped" : "its end: the run is open");
  }
}

/// What is after the last signature can be cut off, changed or made up by whoever holds the log.
void log_verifier::check_tail(const chain_report& chain) {
  if (!report_.signatures_checked || !chain.sealed || chain.signed_until == 0) return;
  const std::uint64_t tail = chain.unsigned_tail();
  if (tail == 0 || chain.closed_by_host) return;
  if (chain.state == chain_state::open && !options_.finished) return;
  print_whole(finding_cause::unsigned_tail, chain.chain, chain.signed_until + 1, {},
              "no signature is over its last " + std::to_string(tail) + " events");
}

bool log_verifier::is_wanted(std::string_view chain) const {
  if (options_.cell.empty()) return true;
  const auto identity = parse_chain_name(chain);
  return !identity || identity->is_host() || identity->cell == options_.cell;
}

bool log_verifier::is_in_window(const chain_report& chain) const {
  const auto first = instant_of(chain.first_time);
  const auto last = instant_of(chain.last_time);
  if (options_.since && last && *last < *options_.since) return false;
  return !(options_.until && first && *first > *options_.until);
}

}  // namespace cellos::verification
