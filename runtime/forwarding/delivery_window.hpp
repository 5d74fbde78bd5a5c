#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "messages/instants.hpp"
#include "messages/node_message.hpp"
#include "messages/segment_position.hpp"

namespace cellos {

/// What was sent over one connection and is not answered, in order. Decides what an answer means, however late, often
/// or out of turn it comes.
class delivery_window {
 public:
  enum class consequence : std::uint8_t {
    /// Of a batch that waits for no answer any more, or it says nothing new.
    none,
    /// More is durable.
    delivered,
    /// Sending goes on at `next()`.
    went_back,
    /// The same, after the answer's pause.
    pause,
    /// The collector's copy is not where it was: greet it again.
    greet_again,
    refused,
  };

  /// Both ends agree on `at`; up to there all is durable at the other end. At least one batch may always be in flight.
  void restart(segment_position at, std::size_t credit);

  bool has_room_for(std::size_t bytes) const {
    return in_flight_.empty() || (bytes_ + bytes <= credit_ && in_flight_.size() < node_limits::most_unanswered);
  }
  bool is_empty() const { return in_flight_.empty(); }
  std::size_t bytes_in_flight() const { return bytes_; }
  std::size_t batches_in_flight() const { return in_flight_.size(); }
  std::uint64_t lines_in_flight() const { return lines_; }

  /// Returns the batch's number, which its answer comes with.
  std::uint64_t sent(segment_position after, segment_position end, std::size_t bytes, monotonic_time now,
                     std::uint32_t lines = 0);
  consequence answered(std::uint64_t number, const node_answer& answer, monotonic_time now);
  /// Nothing that is in flight will be answered.
  void lose_all();

  /// Everything before it is durable at the other end.
  segment_position delivered() const { return delivered_; }
  /// What is to be sent next follows this.
  segment_position next() const { return next_; }
  /// Since when no answer came though one is due. Nothing if none is due.
  std::optional<monotonic_time> waiting_since() const;

 private:
  struct batch {
    std::uint64_t number = 0;
    segment_position after;
    segment_position end;
    std::size_t bytes = 0;
    std::uint32_t lines = 0;
    monotonic_time sent_at;
  };

  consequence on_durable(segment_position position);
  void drop_from(std::size_t index);

  std::deque<batch> in_flight_;
  std::size_t bytes_ = 0;
  std::uint64_t lines_ = 0;
  std::size_t credit_ = 0;
  /// Numbers are never used again, not even by another connection.
  std::uint64_t last_number_ = 0;
  segment_position delivered_;
  segment_position next_;
  /// The furthest that was sent since `restart`.
  segment_position furthest_;
  monotonic_time last_answer_{monotonic_time::min()};
};

}  // namespace cellos
