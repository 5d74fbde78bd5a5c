#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/guest_sim/expected_outcome.hpp"
#include "runtime/guest_sim/frame_writer.hpp"
#include "runtime/guest_sim/splitmix.hpp"

namespace cellos::guest_sim {

/// Makes frames of every kind, each with the outcome it must have. The same seed, version and order of calls give the
/// same bytes.
///
/// The k-th declaration the host must accept carries `guest_monotonic_ns` = k, counted over all connections; whatever
/// else carries that field repeats the number of the next one (a heartbeat: of the last). In version 1.1 only frames
/// the host must accept have a `seq`.
class frame_maker {
 public:
  frame_maker(std::uint64_t seed, std::uint16_t content_version);

  /// What the agent counts per connection starts over.
  void begin_connection();

  made_frame honest();
  made_frame heartbeat();
  /// Extra keys, attribution among them more often than not.
  made_frame forged();
  /// Broken, but framed; or intact with an unknown source.
  made_frame garbage();
  made_frame wrong_major();
  made_frame mixed();
  /// Honest, after some were lost. Needs version 1.1.
  made_frame lossy();
  /// A frame without its end: the connection has to be closed after it.
  made_frame torn();
  /// A length that cannot be one: nothing may follow it.
  made_frame bad_length();

  /// What the next declaration's `guest_monotonic_ns` will be.
  std::uint64_t next_index() const { return next_index_; }
  /// Numbers `count` declarations as made elsewhere.
  void skip(std::uint64_t count) { next_index_ += count; }

  splitmix& random() { return random_; }

 private:
  declaration draw();
  std::string_view draw_comm();
  void account_accepted(declaration& declared);
  made_frame written(const expected_outcome& expected) { return {writer_.framed(), expected}; }

  splitmix random_;
  std::uint16_t content_version_;
  frame_writer writer_;
  std::vector<std::string> worker_names_;
  std::uint64_t next_index_ = 1;
  loss_counters losses_;
};

}  // namespace cellos::guest_sim
