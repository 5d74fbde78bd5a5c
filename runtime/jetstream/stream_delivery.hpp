#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/forwarding/collector_order.hpp"
#include "runtime/forwarding/committed_log.hpp"
#include "runtime/forwarding/receiver_note.hpp"
#include "runtime/forwarding/receiver_notes.hpp"
#include "runtime/jetstream/event_subject.hpp"
#include "runtime/jetstream/jetstream_settings.hpp"
#include "runtime/jetstream/stream_message.hpp"

namespace cellos {

/// What a stream has, as its server says it. Asked in this order, so that nothing that is stored meanwhile is taken for
/// another writer's, or is fenced by a sequence that came after it.
struct stream_tail {
  /// Why nothing can be delivered there, if so.
  std::string refusal;
  /// Of the stream; what is before `first_sequence` was removed there.
  std::uint64_t first_sequence = 0;
  std::uint64_t last_sequence = 0;
  /// Of the newest message that is still there, whoever wrote it. 0: there is none.
  std::uint64_t newest = 0;
  struct message {
    std::uint64_t sequence = 0;
    /// Nothing: not written by a forwarder.
    std::optional<log_place> place;
    line_hash line{};
  };
  /// The newest one of this host.
  std::optional<message> own;
  /// Of that subject's last message, as the server compares it.
  std::uint64_t own_fence = 0;
  /// Of all that it stores. `max_bytes` is 0 where there is no limit, or where what is old makes room.
  std::uint64_t used_bytes = 0;
  std::uint64_t max_bytes = 0;
};

/// How far a stream has the log, as this host remembers it. A hint: the stream's tail says what is true.
struct stream_hint {
  segment_position delivered;
  /// Of the message that ends there.
  std::uint64_t sequence = 0;

  bool operator==(const stream_hint&) const = default;
};

struct stream_delivery_settings {
  std::string host_id;
  node_log_id log{};
  std::string prefix;
  stream_fence fence = stream_fence::stream;
  /// On their way at once, of messages with a line each; chosen here, a second's worth over a slow line.
  std::size_t window_messages = 1000;
  std::size_t window_bytes = std::size_t{1} << 20;
  /// Of lines in one message that has many. Measured: from here on larger ones gain little.
  std::size_t batch_bytes = std::size_t{256} << 10;
  /// A server that answers nothing for so long is left.
  std::chrono::milliseconds answer_timeout{5000};
  std::chrono::milliseconds keep_after_ack{600'000};
  /// Seed of the pauses.
  std::uint64_t seed = 0;
  collector_order::pauses pauses{std::chrono::milliseconds{100}, std::chrono::milliseconds{5000}};
};

/// What a delivery wants done with a connection. Numbers of connections are never used again.
struct stream_action {
  enum class kind : std::uint8_t {
    /// `connected` or `lost` follows.
    connect,
    hang_up,
    /// `found` or `lost` follows.
    ask_tail,
    /// `answered` follows with the message's number, if the connection lives.
    publish,
  };
  kind what = kind::connect;
  std::uint64_t session = 0;
  stream_message message{};
};

/// Delivers a log to a stream, each line once and in order: decides what is published and when, and keeps no clock, no
/// connection, no thread. Whoever carries it out calls `tick` when `next_wake()` has come, and after every call here
/// takes what is to be done and to be noted.
///
/// On each connection, and after the first error, the stream is asked for its tail, and the delivery goes on behind it.
/// Each message says which sequence must be the last before it, so that one that comes late, again, or without the one
/// before it is refused.
class stream_delivery {
 public:
  /// `log` must outlive it.
  stream_delivery(stream_delivery_settings settings, committed_log& log, std::optional<stream_hint> hint);

  void tick(monotonic_time now);
  void connected(std::uint64_t session, monotonic_time now);
  void lost(std::uint64_t session, const std::string& cause, monotonic_time now);
  void found(std::uint64_t session, const stream_tail& tail, monotonic_time now);
  void answered(std::uint64_t session, std::uint64_t number, const stream_answer& answer, monotonic_time now);

  std::vector<stream_action> take_actions();
  std::vector<receiver_note> take_notes(monotonic_time now);
  monotonic_time next_wake() const;
  std::optional<stream_hint> hint() const { return hint_; }
  receiver_status status();

 private:
  enum class phase : std::uint8_t {
    idle,
    connecting,
    /// For the tail.
    asking,
    streaming,
    /// After an error: what is on its way is waited for, then the tail is asked for.
    draining,
  };
  struct publication {
    std::uint64_t number = 0;
    std::uint64_t expected = 0;
    segment_position end;
    std::uint32_t lines = 0;
    std::size_t bytes = 0;
  };

  void act(stream_action::kind what);
  void leave(const std::string& cause, monotonic_time now);
  void ask(monotonic_time now);
  void hold(const std::string& cause, monotonic_time now);
  void go_back(std::uint64_t answered, monotonic_time now);
  void forget_window();
  bool waits_for_answers() const;
  void begin_at(segment_position place, monotonic_time now);
  void resume(const stream_tail& tail, monotonic_time now);
  segment_position place_after(const stream_tail& tail, monotonic_time now);
  bool removed_behind(const stream_tail& tail) const;
  segment_position remembered();
  void take_stored(std::size_t count, std::uint64_t sequence, monotonic_time now);
  void send_what_fits(monotonic_time now);
  bool has_room() const;
  bool publish_lines(const line_batch& batch);
  bool publish_batch(const line_batch& batch);
  bool publish(stream_message message, std::uint32_t lines, std::size_t bytes);
  void wait_for_room(monotonic_time now);
  void skip_removed(monotonic_time now);
  void look_at_retention(monotonic_time now);

  const stream_delivery_settings settings_;
  committed_log& log_;
  std::optional<stream_hint> hint_;
  event_subjects subjects_;
  collector_order order_;
  phase at_ = phase::idle;
  std::uint64_t session_ = 0;
  monotonic_time deadline_{};
  /// While idle, when to connect; while it asks, not before.
  monotonic_time begin_at_{monotonic_time{}};
  bool is_asked_ = false;

  std::deque<publication> window_;
  std::size_t window_used_ = 0;
  std::uint64_t last_number_ = 0;
  segment_position next_;
  std::uint64_t fence_ = 0;
  /// At least so much may be stored before the stream is full, and what it was when the tail was asked for.
  std::uint64_t room_ = 0;
  std::uint64_t asked_room_ = 0;
  /// Whether the tail that was asked for last is this host's.
  bool has_own_ = false;
  /// So many messages go without their id: the server knows the ids of lines that it lost.
  std::size_t without_id_ = 0;
  /// After a refusal one message goes ahead of the others.
  bool is_careful_ = false;
  monotonic_time held_until_{monotonic_time{}};

  /// Those of a while.
  struct acknowledgement {
    monotonic_time first;
    monotonic_time last;
    segment_position delivered;
  };
  /// Of the last `keep_after_ack`, and the one before them, oldest first.
  std::deque<acknowledgement> acknowledged_;
  monotonic_time look_at_{monotonic_time{}};
  segment_position removed_up_to_;

  std::vector<stream_action> actions_;
  receiver_notes notes_;
  receiver_status counts_;
};

}  // namespace cellos
