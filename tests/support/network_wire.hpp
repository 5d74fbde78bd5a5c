#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/guest_sim/splitmix.hpp"
#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

/// A network of its own, with a loopback and nothing else. Needs root.
class network_namespace {
 public:
  /// Why there can be none here; empty if there can.
  static std::string why_not();

  /// Throws where there can be none.
  network_namespace();

  /// For `command::before_exec`: the program runs in it.
  std::function<void()> entry() const;
  /// A name of it for `ip`.
  std::string path() const;
  /// Runs `ip` in it.
  void ip(const std::vector<std::string>& arguments) const;
  /// Calls this in it, on another thread.
  void inside(const std::function<void()>& call) const;

 private:
  file_descriptor namespace_;
};

/// What a wire does to frames that go one way.
struct wire_weather {
  std::chrono::milliseconds delay{0};
  /// Of a hundred frames; 100: a black hole.
  std::uint32_t lost_percent = 0;
  /// 0: as fast as they come. What would wait for longer than half a second is lost.
  std::uint64_t bits_per_second = 0;
};

/// An Ethernet wire between two networks, whose weather tests decide, in each direction by itself. Ours, since not
/// every kernel has netem: each frame passes through this process, which lets it go late, or never, or as fast as the
/// wire is.
class network_wire {
 public:
  /// 10.77.NUMBER.1 and 10.77.NUMBER.2.
  network_wire(const network_namespace& left, const network_namespace& right, unsigned number);
  network_wire(const network_wire&) = delete;
  network_wire& operator=(const network_wire&) = delete;
  ~network_wire();

  using weather = wire_weather;
  static constexpr weather cut{.lost_percent = 100};

  void to_right(weather next) { change(0, next); }
  void to_left(weather next) { change(1, next); }
  void both_ways(weather next) {
    to_right(next);
    to_left(next);
  }
  std::string right_address() const { return "10.77." + std::to_string(number_) + ".2"; }

 private:
  using steady_time = std::chrono::steady_clock::time_point;
  struct frame {
    steady_time due;
    std::vector<char> bytes;
  };
  struct direction {
    weather now{};
    steady_time free_at{};
    std::deque<frame> frames{};
  };

  void attach(const network_namespace& to, int side);
  void change(std::size_t which, weather next);
  void run();
  void take(std::size_t which);
  void let_go(std::size_t which);

  const unsigned number_;
  const network_namespace middle_;
  std::array<file_descriptor, 2> sides_;
  file_descriptor stop_;
  std::mutex mutex_;
  std::array<direction, 2> directions_;
  guest_sim::splitmix random_{1};
  std::thread thread_;
};

}  // namespace cellos::test
