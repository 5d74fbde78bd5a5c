#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/guest_sim/stop_signal.hpp"
#include "runtime/guest_sim/tally.hpp"

namespace cellos::soak {

struct guest_plan {
  std::string socket;
  std::uint64_t frames = 0;
  std::uint64_t seed = 1;
  /// Poisoned declarations, evenly spread.
  std::uint64_t poison = 0;
};

/// A guest at full speed on a thread of its own and one connection: declarations numbered from 1, now and then a
/// heartbeat, frames of every kind that must be refused, and poison.
class steady_guest {
 public:
  explicit steady_guest(guest_plan plan);
  ~steady_guest();

  /// Frames whose writing has begun: the host cannot have received more.
  std::uint64_t begun() const { return begun_; }
  /// Waits for the last frame to be written. Throws what went wrong.
  guest_sim::tally finish();

 private:
  void run();
  /// Appends the next frame.
  void make(std::vector<std::uint8_t>& block, std::uint64_t number);

  guest_plan plan_;
  guest_sim::frame_maker maker_;
  guest_sim::tally sent_;
  std::atomic<std::uint64_t> begun_{0};
  guest_sim::stop_signal stop_;
  std::string problem_;
  std::thread thread_;
};

/// The wire form of a declaration that no DECODER of a soak survives.
std::vector<std::uint8_t> poisoned_frame(std::uint64_t number);

}  // namespace cellos::soak
