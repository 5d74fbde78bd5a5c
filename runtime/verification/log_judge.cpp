#include "runtime/verification/log_judge.hpp"

#include <algorithm>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/verification/chain_identity.hpp"
#include "runtime/verification/rfc3339.hpp"

namespace cellos::verification {

log_judge::log_judge(std::vector<judged_file> files, const verification_options& options, bool signatures_checked)
    : files_(std::move(files)),
      options_(options),
      file_names_([this](std::uint32_t file) -> const std::string& { return files_[file].name; }),
      settlement_(options_, signatures_checked, file_names_) {
  report_.files = files_.size();
  report_.signatures_checked = signatures_checked;
}

log_judge::chain_record* log_judge::record_of(std::string_view chain) {
  if (last_record_ != nullptr && last_chain_ == chain) return last_record_;
  last_chain_ = chain;
  const auto known = chains_.find(last_chain_);
  if (known != chains_.end()) return last_record_ = &known->second;
  last_record_ = nullptr;
  if (chains_.size() == most_chains) return nullptr;
  return last_record_ = &chains_[last_chain_];
}

void log_judge::take(std::uint32_t file, std::uint64_t line_number, const line_verdict& line) {
  ++report_.lines;
  for (const line_fault& fault : line.faults) tell(file, line_number, line, fault);
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
  for (const line_fault& fault : faults_) tell(file, line_number, line, fault);
  faults_.clear();
  if (line.kind == event_kind::host_run_opened || line.kind == event_kind::host_run_closed) {
    list_run(line, {file, line_number});
  }
}

void log_judge::tell(std::uint32_t file, std::uint64_t line_number, const line_verdict& line, const line_fault& fault) {
  if (fault.cause == finding_cause::unknown_key && !line.chain.empty()) {
    chain_record* record = record_of(line.chain);
    constexpr std::size_t most_told = 8;
    if (record != nullptr) {
      auto& told = record->told;
      if (told.size() == most_told || std::find(told.begin(), told.end(), fault.words) != told.end()) return;
      told.push_back(fault.words);
    }
  }
  report_.add({fault.cause, std::string{line.chain}, line.sequence, files_[file].name, line_number, fault.words});
}

void log_judge::unterminated(std::uint32_t file, std::uint64_t line_number, std::uint64_t bytes) {
  report_.add({finding_cause::unterminated, "", 0, files_[file].name, line_number,
               "the file ends within a line, after " + std::to_string(bytes) + " bytes of it"});
}

void log_judge::overlong(std::uint32_t file, std::uint64_t line_number) {
  ++report_.lines;
  report_.add({finding_cause::malformed, "", 0, files_[file].name, line_number, "longer than any event can be"});
}

void log_judge::list_run(const line_verdict& line, line_place at) {
  if (line.facts == nullptr || line.facts->chain.empty()) return;
  const auto identity = identify_chain(line.chain);
  run_listing& listing = listings_[line.facts->chain];
  listing.host = identity->host;
  listing.place = at;
  if (line.kind == event_kind::host_run_opened) {
    listing.opened = true;
    return;
  }
  listing.last_sequence = line.facts->last_sequence;
  listing.last_digest = line.facts->last_digest;
  listing.closing_chain = line.chain;
  listing.closing_sequence = line.sequence;
}

bool log_judge::settle() {
  for (const auto& [name, record] : chains_) {
    if (settled_.contains(name)) continue;
    chain_report settled;
    std::vector<finding> findings;
    if (!settlement_.settle(name, record.copies, again_, settled, findings)) continue;
    settled_.emplace(name, std::move(settled));
    settled_findings_.insert(settled_findings_.end(), std::make_move_iterator(findings.begin()),
                             std::make_move_iterator(findings.end()));
  }
  if (!again_.has_questions()) return false;
  again_.begin();
  return true;
}

void log_judge::take_again(std::uint32_t file, std::uint64_t line_number, const line_verdict& line) {
  if (!line.chain.empty()) again_.take(files_[file].log, line, {file, line_number});
}

verification_report log_judge::report() {
  for (const auto& [name, record] : chains_) {
    if (settled_.contains(name)) continue;
    tell_whole(finding_cause::altered, name, 0, record.copies.front().track.stretches().front().first_place,
               "changed while it was read");
  }
  // By place, so that the order does not depend on how chains are kept.
  const auto by_place = [](const finding& a, const finding& b) {
    return std::tie(a.file, a.line, a.chain, a.sequence) < std::tie(b.file, b.line, b.chain, b.sequence);
  };
  std::sort(settled_findings_.begin(), settled_findings_.end(), by_place);
  for (finding& each : settled_findings_) report_.add(std::move(each));
  judge_hosts();
  for (const auto& [name, chain] : settled_) judge_tail(chain);
  leave_out_unwanted();
  for (auto& [name, chain] : settled_) {
    if (is_wanted(name) && is_in_window(chain)) report_.chains.push_back(std::move(chain));
  }
  return std::move(report_);
}

void log_judge::tell_whole(finding_cause cause, const std::string& chain, std::uint64_t sequence, line_place at,
                           std::string words) {
  const bool somewhere = at.line != 0;
  report_.add({cause, chain, sequence, somewhere ? files_[at.file].name : "", at.line, std::move(words)});
}

/// Which runs there must be, by the hosts' own chains, and how they must end.
void log_judge::judge_hosts() {
  for (const auto& [name, chain] : settled_) {
    host_record& host = hosts_[chain.host];
    if (!chain.is_host()) continue;
    host.has_chain = true;
    host.whole &= chain.first == 1 && chain.gaps.empty();
    // Of a host with several chains, the last by name is the one that began last.
    host.stopped = chain.state == chain_state::ended;
  }
  for (const auto& [name, listing] : listings_) judge_listing(name, listing);
  for (const auto& [name, host] : hosts_) {
    if (host.has_chain || options_.partial) continue;
    tell_whole(finding_cause::missing, name, 0, {},
               "the own chain of host " + name + " is not here: whether all its runs are, nobody can tell");
  }
  for (const std::string& name : options_.hosts) {
    if (hosts_.contains(name)) continue;
    tell_whole(finding_cause::missing, name, 0, {}, "the whole host: not one line of it is here");
  }
  const auto is_of_cell = [this](const auto& named) { return named.second.cell == options_.cell; };
  if (!options_.cell.empty() && std::none_of(settled_.begin(), settled_.end(), is_of_cell)) {
    tell_whole(finding_cause::missing, escaped(options_.cell, 128), 0, {}, "the whole cell: not one run of it is here");
  }
  for (const auto& [name, then] : options_.earlier) {
    if (chains_.contains(name)) continue;
    tell_whole(finding_cause::missing, name, 0, {},
               "the whole chain: by the earlier report it went on to sequence " + std::to_string(then.sequence));
  }
  for (const auto& [name, chain] : settled_) judge_end(chain);
}

void log_judge::judge_listing(const std::string& chain, const run_listing& listing) {
  const auto run = settled_.find(chain);
  if (run == settled_.end()) {
    if (options_.partial || chains_.contains(chain)) return;
    return tell_whole(finding_cause::missing, escaped(chain, 512), 0, listing.place,
                      "the whole run: this line says that the host began it");
  }
  if (listing.last_sequence) judge_closing(run->second, listing);
}

void log_judge::judge_closing(chain_report& run, const run_listing& listing) {
  const std::uint64_t closed = *listing.last_sequence;
  if (run.last < closed) {
    cut_off_.insert(run.chain);
    return tell_whole(finding_cause::missing, run.chain, run.last + 1, listing.place,
                      "its end: the log holds it until sequence " + std::to_string(run.last) +
                          ", by this line the host closed it at " + std::to_string(closed));
  }
  if (run.last > closed || (run.sealed && listing.last_digest != run.last_digest)) {
    return tell_whole(finding_cause::altered, run.chain, run.last, listing.place,
                      run.last > closed ? "goes on to sequence " + std::to_string(run.last) +
                                              ", by this line the host closed it at " + std::to_string(closed)
                                        : "its last event has another digest than this line says");
  }
  // A closing that no good signature is over proves nothing of the run.
  const auto host = settled_.find(listing.closing_chain);
  run.closed_by_host =
      !report_.signatures_checked || (host != settled_.end() && host->second.signed_until >= listing.closing_sequence);
}

void log_judge::judge_end(const chain_report& chain) {
  const host_record& host = hosts_[chain.host];
  if (!chain.is_host() && host.has_chain && host.whole && !listings_.contains(chain.chain)) {
    tell_whole(finding_cause::missing, chain.chain, 0, {},
               "the host's own chain does not list this run: one of the two is not whole");
  }
  if (chain.state == chain_state::ended || cut_off_.contains(chain.chain)) return;
  if (!chain.is_host() && host.has_chain && host.stopped) {
    tell_whole(finding_cause::missing, chain.chain, chain.last + 1, {}, "its end: its host stopped and left it open");
  } else if (options_.finished) {
    tell_whole(finding_cause::missing, chain.chain, chain.last + 1, {},
               chain.is_host() ? "its end: the host has not stopped" : "its end: the run is open");
  }
}

/// What is after the last signature can be cut off, changed or made up by whoever holds the log.
void log_judge::judge_tail(const chain_report& chain) {
  if (!report_.signatures_checked || !chain.sealed || chain.signed_until == 0) return;
  const std::uint64_t tail = chain.unsigned_tail();
  if (tail == 0 || chain.closed_by_host) return;
  if (chain.state == chain_state::open && !options_.finished) return;
  tell_whole(finding_cause::unsigned_tail, chain.chain, chain.signed_until + 1, {},
             "no signature is over its last " + std::to_string(tail) + " events");
}

bool log_judge::is_wanted(std::string_view chain) const {
  if (options_.cell.empty()) return true;
  const auto identity = identify_chain(chain);
  return !identity || identity->is_host() || identity->cell == options_.cell;
}

bool log_judge::is_in_window(const chain_report& chain) const {
  const auto first = instant_of(chain.first_time);
  const auto last = instant_of(chain.last_time);
  if (options_.since && last && *last < *options_.since) return false;
  return !(options_.until && first && *first > *options_.until);
}

/// Findings about chains that were not asked for.
void log_judge::leave_out_unwanted() {
  if (options_.cell.empty() && !options_.since && !options_.until) return;
  const auto unwanted = [this](const finding& each) {
    if (each.chain.empty()) return false;
    const auto chain = settled_.find(each.chain);
    return !is_wanted(each.chain) || (chain != settled_.end() && !is_in_window(chain->second));
  };
  auto& all = report_.findings;
  all.erase(std::remove_if(all.begin(), all.end(), unwanted), all.end());
  report_.findings_by_cause = {};
  for (const finding& each : all) ++report_.findings_by_cause[static_cast<std::size_t>(each.cause)];
}

}  // namespace cellos::verification
