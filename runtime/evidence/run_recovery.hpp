#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "messages/host_event.hpp"
#include "messages/recovered_run.hpp"

namespace cellos {

/// Folds the evidence log, line by line and in any number of segments, into what it leaves open.
///
/// Pure. Relies on the form our own lines have; a line of any other form is counted and passed over.
class run_recovery {
 public:
  void take(std::string_view line);

  /// Runs without `run.v1.ended`, each where its chain goes on.
  std::vector<recovered_run> open_runs() const;
  /// The host's own chain, if there is one.
  std::optional<chain_position> host_chain() const;
  /// Runs that the host's chain says were opened, that ended or never began, and of whose end it does not tell.
  std::vector<run_end_mark> untold_ends() const;
  std::uint64_t lines() const { return lines_; }
  std::uint64_t foreign_lines() const { return foreign_lines_; }

 private:
  struct line_head;
  /// A chain as far as it was read. The digest of its last event is left to be taken from the line.
  struct open_chain {
    recovered_run run;
    std::string last_line;
  };
  using open_chains = std::map<std::string, open_chain, std::less<>>;

  static std::optional<line_head> parse_head(std::string_view line);
  void take_host_event(const line_head& head, std::string_view line);
  void take_event(open_chains::iterator chain, std::string_view type, std::string_view line);
  static chain_position position_of(const open_chain& chain);

  open_chains open_;
  /// The chain of the line before; runs of lines share one.
  open_chains::iterator last_ = open_.end();
  /// The host's own chain that was written to last.
  std::optional<open_chain> host_;
  std::set<std::string, std::less<>> opened_;
  open_chains ended_;
  std::uint64_t lines_ = 0;
  std::uint64_t foreign_lines_ = 0;
};

struct recovered_log {
  std::vector<recovered_run> open_runs;
  std::optional<chain_position> host_chain;
  std::vector<run_end_mark> untold_ends;
  /// Empty, or why the log could not be read to its end.
  std::string failure;
};

/// Reads every segment in `dir`.
recovered_log recover_runs(const std::filesystem::path& dir);

}  // namespace cellos
