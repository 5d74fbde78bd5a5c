#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <thread>

#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/guest_sim/stop_signal.hpp"

namespace cellos::soak {

/// A guest that does what guests must not, one thing after the other on a thread of its own, until it is stopped:
/// storms of connects, torn frames, floods, silence, garbage, forged attribution, impossible lengths, drips, poison.
class misbehaving_guest {
 public:
  misbehaving_guest(std::string socket, std::uint64_t seed);
  ~misbehaving_guest();

  /// How often it did what; how often the host ended its connection first is among them.
  std::map<std::string, std::uint64_t> finish();

 private:
  void run();
  void misbehave();

  void storm();
  void torn_frame();
  void flood();
  void silence();
  void garbage();
  void forged();
  void bad_length();
  void drip();
  void poison();

  guest_sim::connection connect();
  void write(guest_sim::connection& to, std::span<const std::uint8_t> bytes);
  void rest(std::chrono::milliseconds time);

  std::string socket_;
  guest_sim::splitmix random_;
  guest_sim::frame_maker maker_;
  guest_sim::stop_signal stop_;
  std::map<std::string, std::uint64_t> done_;
  std::thread thread_;
};

}  // namespace cellos::soak
