#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/chain_position.hpp"
#include "messages/host_stamp.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// What a successor of this process has to know of a run, besides its chain's position, to go on with it.
struct run_state {
  host_stamp_ptr attribution;
  run_totals totals;
  bool silence_told = false;
  bool resumed = false;
  /// `run.v1.ended` is the chain's last event.
  bool ended = false;
};

/// What the host's own chain says of a run's chain.
struct run_listing {
  enum class kind : std::uint8_t { opened, closed };

  std::string chain;
  kind what{};
};

/// Where one chain stands behind the lines it comes with.
struct chain_head {
  chain_position position;
  /// Nothing in the host's own chain.
  std::optional<run_state> run;
  /// Said by these lines; in the host's own chain only.
  std::vector<run_listing> listings;
};

}  // namespace cellos
