#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "messages/chain_head.hpp"

namespace cellos {

/// The chains that will go on, and where each stands. Thread-safe.
class open_chains {
 public:
  /// About to be appended: a chain that begins is open from here on.
  void announce(std::span<const chain_head> heads);
  /// Appended.
  void take(std::span<const chain_head> heads);
  /// Nothing if it is not open.
  std::optional<chain_head> find(std::string_view chain) const;

 private:
  void enter(const chain_head& head);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, chain_head> chains_;
  /// The host's own chain; one that begins takes its place.
  std::string host_chain_;
};

}  // namespace cellos
