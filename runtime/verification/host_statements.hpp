#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/signing/sha256.hpp"
#include "runtime/verification/chain_track.hpp"
#include "runtime/verification/line_result.hpp"

namespace cellos::verification {

/// One event of a host's own chain, so that a copy of it in another log counts once.
struct statement_source {
  std::string chain;
  std::uint64_t sequence = 0;
  line_place place;
};

struct run_opening_statement {
  statement_source source;
};

struct run_closing_statement {
  statement_source source;
  /// 0: the run never had a line.
  std::uint64_t last_sequence = 0;
  std::string last_digest;
};

struct removal_statement {
  statement_source source;
  bool open = false;
};

/// What a host's own chain says of one of its chains.
struct chain_statements {
  std::string host;
  std::vector<run_opening_statement> openings;
  std::vector<run_closing_statement> closings;
  /// By the last event that was taken: sequence and digest.
  std::map<std::pair<std::uint64_t, std::string>, removal_statement> removals;
  /// What the chain's first event, which was removed, said of its signatures.
  std::optional<signing_statement> removed_signing;
};

/// A range that a host took over without being able to vouch for it.
struct adoption_statement {
  statement_source source;
  std::string chain;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

/// A chain that a host began after another of its own.
struct succession_statement {
  statement_source source;
  std::string former_chain;
  std::uint64_t former_sequence = 0;
  std::string former_digest;
};

/// What a collector's own chain witnesses of another host's log.
struct sworn_statement {
  statement_source source;
  witness_statement said;
  /// Whose signature is on it; null where signatures are not looked at.
  const verification_key* key = nullptr;
};

/// What hosts say of their chains, gathered from all logs. A host's word counts for its own chains alone.
class host_statements {
 public:
  /// Openings or closings of one chain; more is no host's doing.
  static constexpr std::size_t most_of_a_kind = 1024;

  explicit host_statements(bool signatures_checked) : signatures_checked_(signatures_checked) {}

  /// Takes what `line` says. What it may not say, or contradicts itself with, is added to `faults`.
  void take(const line_result& line, line_place at, std::vector<line_fault>& faults);

  /// Whether a host says that retention took `chain` up to `last`, whose digest is `digest`.
  bool removed_until(std::string_view chain, std::uint64_t last, const digest& last_digest, bool sealed) const;

  /// Null where nothing was said.
  const chain_statements* about(std::string_view chain) const;
  const std::map<std::string, chain_statements, std::less<>>& chains() const { return chains_; }
  const std::vector<adoption_statement>& adoptions() const { return adoptions_; }
  const std::vector<succession_statement>& successions() const { return successions_; }
  /// Of the hosts that are asked for with `witness_of`.
  const std::vector<sworn_statement>& sworn() const { return sworn_; }
  void witness_of(std::set<std::string, std::less<>> hosts) { witnessed_hosts_ = std::move(hosts); }
  /// By host: the last segment that it says retention removes.
  const std::map<std::string, std::uint64_t, std::less<>>& removed_segments() const { return removed_segments_; }
  /// For a person; nothing wrong.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void take_listing(const line_result& line, const statement_source& source, std::vector<line_fault>& faults);
  void take_removals(const line_result& line, const statement_source& source, std::vector<line_fault>& faults);
  void take_adoption(const line_result& line, const statement_source& source, std::vector<line_fault>& faults);
  void take_succession(const line_result& line, const statement_source& source, std::vector<line_fault>& faults);
  bool may_speak_of_removal(const line_result& line, std::string_view chain) const;
  void take_witness(const line_result& line, const statement_source& source);
  void take_contradiction(const line_result& line, std::vector<line_fault>& faults);
  void note(std::string words);
  chain_statements* statements_of(const statement_source& source, std::string_view about,
                                  std::vector<line_fault>& faults);

  bool signatures_checked_;
  std::map<std::string, chain_statements, std::less<>> chains_;
  std::vector<adoption_statement> adoptions_;
  std::vector<succession_statement> successions_;
  std::set<std::string, std::less<>> witnessed_hosts_;
  std::vector<sworn_statement> sworn_;
  std::map<std::string, std::uint64_t, std::less<>> removed_segments_;
  std::vector<std::string> notes_;
};

}  // namespace cellos::verification
