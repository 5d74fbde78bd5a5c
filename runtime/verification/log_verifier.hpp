#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/verification/chain_merge.hpp"
#include "runtime/verification/chain_track.hpp"
#include "runtime/verification/host_statements.hpp"
#include "runtime/verification/line_result.hpp"
#include "runtime/verification/report.hpp"
#include "runtime/verification/second_pass.hpp"

namespace cellos::verification {

/// A file, and which log it is part of: lines of one log come in the order the log was written.
struct named_file {
  std::string name;
  std::uint32_t log = 0;
};

/// Puts lines in their places: takes the results on single lines, file by file, and says what is wrong with the whole.
/// Memory grows with the number of chains and of gaps, not with that of events.
class log_verifier {
 public:
  /// More than any log has; lines of further chains are not looked at, which is reported.
  static constexpr std::size_t most_chains = 1'000'000;

  log_verifier(std::vector<named_file> files, const verification_options& options, bool signatures_checked);
  log_verifier(const log_verifier&) = delete;
  log_verifier& operator=(const log_verifier&) = delete;

  /// The files' lines, in order.
  void take(std::uint32_t file, std::uint64_t line_number, const line_result& line);
  /// The file's last line has no newline.
  void unterminated(std::uint32_t file, std::uint64_t line_number, std::uint64_t bytes);
  void overlong(std::uint32_t file, std::uint64_t line_number);
  void note(std::string words) { report_.notes.push_back(std::move(words)); }

  /// When all lines were taken. True if the lines of the logs that needs_again() names have to go through take_again()
  /// before report() says all there is to say; then ask once more.
  bool merge();
  bool needs_again(std::uint32_t file) const { return again_.concerns(files_[file].log); }
  void take_again(std::uint32_t file, std::uint64_t line_number, const line_result& line);

  verification_report report();
  /// After report(): what the logs say of those hosts' logs that options name with `witness_of`.
  const std::vector<sworn_statement>& sworn() const { return said_.sworn(); }
  const std::string& file_name(line_place at) const { return files_[at.file].name; }

 private:
  struct chain_record {
    std::vector<chain_copy> copies;
    /// Of unknown keys: each is reported once a chain.
    std::vector<std::string> reported;
  };
  struct host_record {
    bool has_chain = false;
    bool whole = true;
    bool stopped = false;
  };
  using chain_map = std::unordered_map<std::string, chain_record>;

  chain_record* record_of(std::string_view chain);
  void add_fault(std::uint32_t file, std::uint64_t line_number, const line_result& line, const line_fault& fault);
  bool is_wanted(std::string_view chain) const;
  bool is_in_window(const chain_report& chain) const;

  void check_hosts();
  void check_absent_hosts();
  void check_listing(const std::string& chain, const chain_statements& said);
  void check_closing(chain_report& run, const run_closing_statement& closing);
  void check_adoption(const adoption_statement& adoption);
  void check_succession(const succession_statement& succession);
  bool was_removed_after(std::string_view chain, const earlier_end& then) const;
  bool is_listed(std::string_view chain) const;
  void check_end(const chain_report& chain);
  void check_tail(const chain_report& chain);
  void print_whole(finding_cause cause, const std::string& chain, std::uint64_t sequence, line_place at,
                   std::string words);

  std::vector<named_file> files_;
  verification_options options_;
  chain_merge::file_names file_names_;
  host_statements said_;
  chain_merge merge_;
  chain_map chains_;
  std::string last_chain_;
  chain_record* last_record_ = nullptr;
  std::map<std::string, host_record, std::less<>> hosts_;
  /// Reported to lack their ends.
  std::set<std::string> cut_off_;
  second_pass again_;
  std::map<std::string, chain_report> merged_;
  std::vector<finding> merged_findings_;
  std::vector<line_fault> faults_;
  bool overflowed_ = false;
  verification_report report_;
};

}  // namespace cellos::verification
