// From lines to conclusions. What is expected of a chain is the journal's word, or, where that ends, this host's own
// signatures; what is found is the log's. docs/evidence.md has the table of what follows from the two.

#include "runtime/evidence/run_recovery.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/cloud_event.hpp"
#include "runtime/segments/segment_reader.hpp"

namespace cellos {

namespace {

/// Chains that nothing of ours began, and lines that are no events: so many are reported at one start. Chosen here.
constexpr std::size_t most_unknown_chains = 1000;
constexpr std::size_t most_unreadable_lines = 16;
/// Of a chain's name: what is later is nobody's clock, and would leave no room to count on. The year 9999.
constexpr std::uint64_t latest_epoch = 253'402'300'800'000;

bool is_signed(const signing_statement& statement) {
  return statement.mode == signing_statement::kind::checkpoint || statement.mode == signing_statement::kind::event;
}

std::uint64_t bounded_epoch(std::string_view chain) {
  const std::uint64_t epoch = epoch_of(chain);
  return epoch <= latest_epoch ? epoch : 0;
}

}  // namespace

run_recovery::run_recovery(recovery_terms terms) : terms_(std::move(terms)) {
  if (!has_journal()) return;
  same_boot_ = terms_.journal.same_boot(terms_.boot_id);
  expected_ = expected_by(*terms_.journal.header, terms_.journal.records);
  for (const journaled_chain& each : terms_.journal.header->chains) {
    at_begin_.emplace(each.head.position.chain, each.head);
  }
}

segment_position run_recovery::begin() const {
  // From the beginning of the segment: with other white space, no offset in it means anything.
  return has_journal() ? segment_position{terms_.journal.header->begin.segment, 0} : segment_position{};
}

const expected_chain* run_recovery::expected(std::string_view name) const {
  const auto known = expected_.find(name);
  return known == expected_.end() || known->second.milestones.empty() ? nullptr : &known->second;
}

chain_recovery* run_recovery::chain_of(const recovery_line& line) {
  if (last_ != nullptr && last_->name() == line.chain) return last_;
  const auto known = chains_.find(line.chain);
  if (known != chains_.end()) return last_ = &known->second;
  const expected_chain* wanted = expected(line.chain);
  if (has_journal() && wanted == nullptr && ++unknown_chains_ > most_unknown_chains) return nullptr;
  std::string name{line.chain};
  return last_ = &chains_.try_emplace(name, name, wanted).first->second;
}

void run_recovery::take(std::string_view line, segment_position at, std::string_view file, std::uint64_t number) {
  ++lines_;
  const auto read = reader_.read(line);
  if (!read) return note_unreadable(at, file, number);
  chain_recovery* const chain = chain_of(*read);
  if (chain == nullptr) return;
  chain->take(*read, reader_.digest(), at.segment);
  if (const auto& statement = chain->statement()) {
    said_how_sealed_ = true;
    said_signed_ = said_signed_ || is_signed(*statement);
  }
  // No version writes this that does not keep a journal; the events that say so may be removed.
  if (read->type == event_type::host_evidence_removed) {
    said_how_sealed_ = true;
    said_signed_ = said_signed_ || !read->dssematerial.empty();
  }
  if (!chain->is_host()) return;
  last_host_chain_in_log_ = chain->name();
  if (read->type == event_type::host_run_opened || read->type == event_type::host_run_closed) take_listing(*read);
}

void run_recovery::take_listing(const recovery_line& line) {
  const auto data = nlohmann::json::parse(line.data, nullptr, false);
  if (!data.is_object()) return;
  const auto text = [&](const char* key) {
    const auto member = data.find(key);
    return member != data.end() && member->is_string() ? member->get<std::string>() : std::string{};
  };
  listing said{line.sequence, std::string{line.chain}, {}};
  const std::string chain = text("chain");
  if (line.type == event_type::host_run_closed) {
    const std::string last = text("lastSequence");
    said.closed_at = event_place{std::strtoull(last.c_str(), nullptr, 10), text("lastDigest")};
    if (!has_journal()) forget_closed(chain, *said.closed_at);
  }
  listings_[chain].push_back(std::move(said));
}

/// Of the runs of a whole log, those that ended as they should in earlier segments are of no interest.
void run_recovery::forget_closed(const std::string& chain, const event_place& end) {
  const auto known = chains_.find(chain);
  if (known == chains_.end() || known->second.is_host() || known->second.is_broken()) return;
  if (known->second.segment() >= terms_.last_segment) return;
  if (known->second.place() != end) return;
  highest_epoch_ = std::max(highest_epoch_, bounded_epoch(chain));
  chains_.erase(known);
  listings_.erase(chain);
  last_ = nullptr;
}

/// What was there when the journal was begun has been reported.
void run_recovery::note_unreadable(segment_position at, std::string_view file, std::uint64_t number) {
  if (has_journal() && at < terms_.journal.header->begin) return;
  if (unreadable_.size() == most_unreadable_lines) return;
  unreadable_.push_back({std::filesystem::path{file}.filename().string(), number});
}

bool run_recovery::is_listed(const std::string& chain) const {
  if (const auto known = expected_.find(chain); known != expected_.end() && known->second.listed) return true;
  const auto said = listings_.find(chain);
  return said != listings_.end() && std::ranges::any_of(said->second, [&](const listing& each) {
           return !each.closed_at && each.host_chain == host_chain_ && each.host_sequence <= host_vouched_until_;
         });
}

std::optional<event_place> run_recovery::listed_end(const std::string& chain) const {
  const auto said = listings_.find(chain);
  if (said == listings_.end()) return std::nullopt;
  for (const listing& each : said->second) {
    const bool counts = !has_journal() || (each.host_chain == host_chain_ && each.host_sequence <= host_vouched_until_);
    if (each.closed_at && counts) return each.closed_at;
  }
  return std::nullopt;
}

/// Killed between the note of an append and the append: then nothing of it is there. False otherwise.
bool run_recovery::forget_unapplied_append() {
  const journal_record* const append = terms_.journal.last_append();
  if (append == nullptr) return false;
  const auto is_there = [&](const chain_head& head) {
    const auto chain = chains_.find(head.position.chain);
    return chain != chains_.end() && chain->second.last() + 1 >= head.position.next_event;
  };
  if (std::ranges::any_of(append->heads, is_there)) return false;
  std::vector<journal_record> applied = terms_.journal.records;
  applied.pop_back();
  const expected_chains before = expected_by(*terms_.journal.header, applied);
  // In place: the chains point into it.
  for (auto& [name, chain] : expected_) {
    const auto was = before.find(name);
    chain = was == before.end() ? expected_chain{} : was->second;
  }
  return true;
}

bool run_recovery::only_the_volatile_is_missing(const expected_chain& expected, std::uint64_t found) const {
  if (same_boot_) return false;
  segment_position committed = terms_.journal.header->committed;
  for (const journal_record& each : terms_.journal.records) committed = std::max(committed, each.committed);
  return std::ranges::all_of(expected.milestones, [&](const milestone& each) {
    return each.end > committed || each.head.position.next_event <= found + 1;
  });
}

recovery_conclusions run_recovery::conclude() {
  recovery_conclusions made;
  made.last_append_is_missing = forget_unapplied_append();
  for (const auto& [name, head] : at_begin_) {
    const auto known = chains_.try_emplace(name, name, expected(name)).first;
    if (!known->second.has_lines()) known->second.stand_at(head);
  }
  for (const auto& [name, wanted] : expected_) {
    if (!wanted.milestones.empty()) chains_.try_emplace(name, name, &wanted);
  }
  find_host_chain();
  conclude_journal(made);
  for (const unreadable_line& each : unreadable_) made.findings.emplace_back(each);
  conclude_host_chain(made);
  made.highest_epoch = std::max(made.highest_epoch, highest_epoch_);
  for (auto& [name, chain] : chains_) {
    made.highest_epoch = std::max(made.highest_epoch, bounded_epoch(name));
    if (name != host_chain_) conclude_chain(made, chain);
  }
  conclude_unstarted(made);
  return made;
}

log_recovery recover_log(const std::filesystem::path& dir, recovery_terms terms) {
  log_recovery recovered;
  run_recovery recovery{std::move(terms)};
  segment_reader reader{dir, recovery.begin()};
  while (const auto line = reader.next()) {
    if (line->begin.segment != 0) recovery.take(line->text, line->begin, line->file, line->number);
  }
  if (reader.failure()) recovered.failure = reader.failure()->explanation;
  recovered.conclusions = recovery.conclude();
  return recovered;
}

}  // namespace cellos
