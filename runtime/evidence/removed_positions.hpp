#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "messages/evidence_removal.hpp"
#include "runtime/evidence/open_chains.hpp"
#include "runtime/evidence/recovery_line.hpp"

namespace cellos {

/// How far the events of each chain are removed, folded from the lines that are. Pure.
///
/// A chain is kept until the line that says it has ended is removed as well, which comes behind all of its own: as long
/// as anything of it may be in the log, or the host's chain lists it, whoever reads the log learns what is missing.
class removed_positions {
 public:
  struct position {
    std::uint64_t sequence = 0;
    /// As `prevdigest` spells it; empty without digests.
    std::string digest;
    /// As the chain's first event said, where that one is among the removed.
    std::optional<signing_statement> signing = std::nullopt;

    bool operator==(const position&) const = default;
  };
  using by_chain = std::map<std::string, position, std::less<>>;

  removed_positions() = default;
  explicit removed_positions(by_chain chains) : chains_(std::move(chains)) {}

  /// A line that is about to go; in the order of the log.
  void take(std::string_view line);
  /// With that, all lines that are about to go were taken: what has to be said of it.
  std::vector<removed_chain> listing(const open_chains& open);
  /// The lines are gone and it was said.
  void forget_ended();

  const by_chain& chains() const { return chains_; }

 private:
  void take_host_event(const recovery_line& line);
  /// Digests of the last lines taken.
  void settle();

  recovery_line_reader reader_;
  by_chain chains_;
  /// By chain, the last line since `settle`: its digest is made once.
  std::map<std::string, std::string, std::less<>> last_lines_;
  /// Their end is among the lines taken since the last `forget_ended`.
  std::set<std::string, std::less<>> ended_;
};

}  // namespace cellos
