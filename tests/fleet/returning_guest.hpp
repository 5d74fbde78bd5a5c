#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/guest_sim/stop_signal.hpp"

namespace cellos::fleet {

struct guest_plan {
  std::string socket;
  /// Declarations to send.
  std::uint64_t frames = 0;
  /// Frames a second; at least 1.
  double rate = 1;
  std::uint64_t seed = 1;
};

/// A cell's agent on a thread of its own, at an even pace. When its host goes away it connects again and goes on with
/// the next frame: like a real agent it says nothing twice, so what a killed host had not logged yet stays unsaid.
class returning_guest {
 public:
  explicit returning_guest(guest_plan plan);
  returning_guest(const returning_guest&) = delete;
  returning_guest& operator=(const returning_guest&) = delete;
  ~returning_guest();

  /// Frames whose writing has begun.
  std::uint64_t begun() const { return begun_; }
  /// Times it had to connect again.
  std::uint64_t returns() const { return returns_; }
  /// All is sent, and the host that was there at the end has taken it.
  bool finished() const { return finished_; }

 private:
  void run();
  /// Until the last frame, the host's end, or a wish to stop.
  void talk();

  guest_plan plan_;
  guest_sim::frame_maker maker_;
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> returns_{0};
  std::atomic<bool> finished_{false};
  guest_sim::stop_signal stop_;
  std::thread thread_;
};

}  // namespace cellos::fleet
