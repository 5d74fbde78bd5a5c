#pragma once

#include <chrono>
#include <cstdint>

#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/guest_sim/outbox.hpp"
#include "runtime/guest_sim/simulation_options.hpp"
#include "runtime/guest_sim/stop_signal.hpp"
#include "runtime/guest_sim/tally.hpp"

namespace cellos::guest_sim {

/// One guest agent's life: what scenarios are written with.
///
/// Every step that may wait says false when stopping was asked for; a scenario then returns. The host's closing
/// unasked, or not being there, ends it with a `connection_failure`.
class simulated_guest {
 public:
  /// Waits that long for the host to close after a bad length.
  static constexpr std::chrono::seconds close_timeout{30};

  simulated_guest(const simulation_options& options, const stop_signal& stop);

  /// Connects, plays the scenario, closes. `sent` holds what was written, whatever comes of it.
  void run();

  /// Frames are left to be sent and the next one's time has come; what waits is written meanwhile.
  bool ready();
  void add(const made_frame& made);
  bool flush();
  /// Stays connected without a word.
  bool pause(std::chrono::nanoseconds length);
  /// The even spacing of `rate` begins anew, so that a pause is not made up for.
  void restart_pace();
  /// Closes, between two frames or inside one, and connects again.
  bool reconnect();
  /// Until the host closes.
  bool await_close();
  /// Writes what waits a byte at a time, `bytes_per_second` at most.
  bool drip(std::uint32_t bytes_per_second);
  /// Writes all frames that `waiting` holds once more.
  bool flush_again();

  /// True once `frames` are made; never when they are unlimited.
  bool finished() const { return options_.frames != 0 && made_ >= options_.frames; }
  std::uint64_t left() const { return options_.frames == 0 ? UINT64_MAX : options_.frames - made_; }
  std::uint64_t made() const { return made_; }

  const simulation_options& options() const { return options_; }
  frame_maker& maker() { return maker_; }
  outbox& waiting() { return waiting_; }
  const tally& sent() const { return sent_; }
  std::chrono::duration<double> elapsed() const;

 private:
  bool connect();
  bool await_turn();
  bool pause_until(steady_time deadline);
  bool write_step(std::size_t most);
  void end_begun_frame();

  simulation_options options_;
  const stop_signal& stop_;
  frame_maker maker_;
  outbox waiting_;
  tally sent_;
  connection connection_;
  std::uint64_t made_ = 0;
  bool stopped_ = false;
  steady_time started_{};
  /// Where the even spacing of `rate` is counted from.
  steady_time paced_from_{};
  std::uint64_t paced_frames_ = 0;
  steady_time next_byte_{};
};

}  // namespace cellos::guest_sim
