#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/chain_head.hpp"
#include "messages/signing_statement.hpp"

namespace cellos {

/// How far retention has taken the events of one chain.
struct removed_chain {
  std::string chain;
  std::uint64_t last_sequence = 0;
  /// Of the event at `last_sequence`, as `prevdigest` spells it; empty where the chain has no digests.
  std::string last_digest;
  /// More events may come.
  bool open = false;
  /// Of an open run of which no event is left: what a successor of this process goes on with.
  std::optional<run_state> run;
  /// As the chain's first event said, where that one is removed: what is left of the chain is held to it.
  std::optional<signing_statement> signing = std::nullopt;
};

/// Oldest segments that retention is about to remove.
struct evidence_removal {
  std::uint64_t first_segment = 0;
  std::uint64_t last_segment = 0;
  std::uint64_t bytes = 0;
  /// Every chain that retention has taken events of, these segments included, but for those of which the last word was
  /// removed before.
  std::vector<removed_chain> chains;
};

}  // namespace cellos
