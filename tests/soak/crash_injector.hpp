#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "runtime/guest_sim/splitmix.hpp"
#include "tests/soak/live_host.hpp"

namespace cellos::soak {

/// Ends actors of a host while it works: kills any of them, makes a DECODER throw at a chunk and a SINK at an append.
class crash_injector {
 public:
  crash_injector(live_host& host, std::uint64_t seed) : host_(host), random_(seed) {}

  /// Ends one more actor and waits until it is gone. False if none would die.
  bool strike();

  /// How many died, by what was done to whom.
  const std::map<std::string, std::uint64_t>& deaths() const { return deaths_; }

 private:
  bool kill(std::string_view role);
  bool make_decoder_throw();
  bool make_sink_throw();
  /// A random live actor of this role; null if there is none.
  activity_ptr pick(std::string_view role);

  live_host& host_;
  guest_sim::splitmix random_;
  std::map<std::string, std::uint64_t> deaths_;
};

}  // namespace cellos::soak
