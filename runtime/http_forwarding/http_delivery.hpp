#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/forwarding/collector_order.hpp"
#include "runtime/forwarding/committed_log.hpp"
#include "runtime/forwarding/receiver_note.hpp"
#include "runtime/forwarding/receiver_notes.hpp"

namespace cellos {

/// How far a receiver has the log, as far as this host knows; what a start goes on from.
struct http_cursor {
  segment_position delivered;
  /// The line that ends there.
  line_hash line_before{};

  bool operator==(const http_cursor&) const = default;
};

struct http_delivery_settings {
  bool batched = false;
  std::size_t batch_bytes = std::size_t{256} << 10;
  std::set<std::string, std::less<>> skip;
  /// A request that is not over after so long is given up. Above what the client itself takes.
  std::chrono::milliseconds answer_timeout{15'000};
  /// A receiver that asks for a longer pause is asked again after this one. Chosen here.
  std::chrono::seconds longest_retry_after{600};
  std::uint64_t seed = 0;
  collector_order::pauses pauses{};
};

/// One request.
struct event_post {
  std::uint64_t number = 0;
  std::string body;
  bool is_batch = false;
};

struct post_answer {
  /// 0: there was none.
  int status = 0;
  /// What the network or the receiver says; may be empty.
  std::string text{};
  /// `Retry-After`, if any.
  std::chrono::seconds retry_after{0};
};

/// Delivers a log to an HTTP receiver, in order and each line at least once: one request at a time, what was not
/// answered is sent again. Decides what is sent and what an answer means, and keeps no clock, no connection, no thread.
/// Whoever carries it out calls `tick` when `next_wake()` has come, and after every call here takes what is to be done.
///
///     2xx                      delivered
///     413                      half as much; a single line: stopped
///     408 425 429 503          after Retry-After, or a pause
///     other 5xx, no answer     after a pause that doubles
///     400 406 409 415 422      half as much, until the line is found: stopped
///     any other                stopped
class http_delivery {
 public:
  /// `log` must outlive it.
  http_delivery(http_delivery_settings settings, committed_log& log, std::optional<http_cursor> cursor);

  void tick(monotonic_time now);
  void answered(std::uint64_t number, const post_answer& answer, monotonic_time now);
  /// Tries again what it was stopped at.
  void go_on();

  /// At most one: the one before it counts no more.
  std::optional<event_post> take_request();
  std::vector<receiver_note> take_notes(monotonic_time now);
  monotonic_time next_wake() const;
  std::optional<http_cursor> cursor() const { return cursor_; }
  receiver_status status();

 private:
  struct sent {
    std::uint64_t number = 0;
    segment_position from;
    segment_position end;
    std::uint32_t lines = 0;
    std::size_t bytes = 0;
    line_hash last_line{};
    std::string first_id;
    monotonic_time deadline;
  };

  void begin(monotonic_time now);
  void skip_removed(monotonic_time now);
  void send(const line_batch& batch, monotonic_time now);
  void take_delivered(const sent& what, monotonic_time now);
  void pause(const std::string& cause, const post_answer& answer, monotonic_time now);
  void shorten(const sent& what, const std::string& cause, monotonic_time now);
  void stop(const sent& what, const std::string& cause, monotonic_time now);
  void move_to(segment_position place, const line_hash& line);

  const http_delivery_settings settings_;
  committed_log& log_;
  std::optional<http_cursor> cursor_;
  collector_order order_;
  bool has_begun_ = false;
  segment_position next_;
  std::optional<sent> sent_;
  std::optional<event_post> request_;
  std::uint64_t last_number_ = 0;
  /// Bytes of lines in the next request; halved by refusals.
  std::size_t most_bytes_;
  std::uint32_t good_requests_ = 0;
  monotonic_time held_until_{monotonic_time{}};

  receiver_notes notes_;
  receiver_status counts_;
};

}  // namespace cellos
