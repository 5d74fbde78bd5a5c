#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/instants.hpp"
#include "messages/node_codec.hpp"
#include "messages/node_message.hpp"
#include "runtime/forwarding/collector_order.hpp"
#include "runtime/forwarding/committed_log.hpp"
#include "runtime/forwarding/delivery_window.hpp"
#include "runtime/forwarding/send_rate.hpp"

namespace cellos {

struct delivery_settings {
  std::string host_id;
  node_log_id log{};
  std::uint64_t boot_nonce = 0;
  /// At least one, in the order of preference.
  std::size_t collectors = 1;
  /// Seed of the pauses.
  std::uint64_t seed = 0;
  /// Bytes of lines in one message.
  std::size_t batch_bytes = std::size_t{256} << 10;
  /// A collector that answers nothing for so long is left: the next one is to have the lines within five seconds.
  std::chrono::milliseconds answer_timeout{4000};
  /// An attempt to connect that failed after so long was answered by nobody: below the transport's deadlines, and far
  /// above what a refusal takes.
  std::chrono::milliseconds silent_after{1500};
  /// After which a preferred collector is tried again while another one is used.
  std::chrono::milliseconds fail_back{30'000};
  /// A collector that has answered for so long is a good one.
  std::chrono::milliseconds good_after{10'000};
  collector_order::pauses pauses{};
  /// Bytes a second of what is sent, as `packed` says them; 0: as many as the collector takes.
  std::uint64_t bytes_per_second = 0;
};

/// How far a collector has the log, as its forwarder remembers it. A hint: the collector's copy says what is true.
struct delivery_hint {
  segment_position delivered;
  /// Of the collectors, which one said so.
  std::size_t collector = 0;

  bool operator==(const delivery_hint&) const = default;
};

/// What a delivery wants done. `session` names a connection; numbers are never used again.
struct delivery_action {
  enum class kind : std::uint8_t {
    /// To `collector`; `connected` or `lost` follows.
    connect,
    hang_up,
    /// `welcomed` follows, if the connection lives.
    say_hello,
    /// `answered` follows with `number`, if the connection lives.
    send_lines,
    say_alive,
  };

  kind what = kind::connect;
  std::uint64_t session = 0;
  std::size_t collector = 0;
  std::uint64_t number = 0;
  node_hello hello{};
  node_alive alive{};
  /// `lines.bytes` is empty: the lines are in `text`.
  node_lines lines{};
  std::string text{};
};

/// Something that an operator wants to know, once each time.
enum class delivery_note : std::uint8_t {
  collector_reached,
  collector_lost,
  collector_unresponsive,
  collector_refuses,
  history_forked,
  lines_skipped,
  unreadable_log,
};

struct delivery_event {
  delivery_note note{};
  std::size_t collector = 0;
  node_refusal reason = node_refusal::none;
  segment_position from;
  segment_position to;
};

struct delivery_status {
  /// Nothing while no collector takes lines.
  std::optional<std::size_t> collector;
  segment_position delivered;
  segment_position sent;
  segment_position committed;
  std::size_t bytes_in_flight = 0;
  std::uint64_t lines_in_flight = 0;
  std::uint64_t bytes_delivered = 0;
  std::uint64_t lines_delivered = 0;
  std::uint64_t lines_sent = 0;
  std::uint64_t batches_sent = 0;
  std::uint64_t sessions = 0;
  /// Of messages with lines, as they were packed.
  std::uint64_t bytes_sent = 0;
  /// Times that lines were removed here before they were delivered.
  std::uint64_t gaps = 0;
  /// The collector that was reached last did not want this log, and none has since.
  bool is_refused = false;
};

/// Delivers a log to the first collector of a list that takes it: decides what is said to whom and when, and keeps no
/// clock, no connection, no thread. Whoever carries it out calls `tick` when `next_wake()` has come and after every
/// call here takes what is to be done and to be noted.
class delivery {
 public:
  /// `log` must outlive it.
  delivery(delivery_settings settings, committed_log& log, std::optional<delivery_hint> hint);

  void tick(monotonic_time now);
  void connected(std::uint64_t session, monotonic_time now);
  /// The connection could not be made, or is gone.
  void lost(std::uint64_t session, monotonic_time now);
  void welcomed(std::uint64_t session, const decoded_message<node_welcome>& welcome, monotonic_time now);
  void answered(std::uint64_t session, std::uint64_t number, const decoded_message<node_answer>& answer,
                monotonic_time now);

  /// The lines of a `send_lines` went out as a message of so many bytes: more of them may follow.
  void packed(std::size_t bytes, monotonic_time now);

  std::vector<delivery_action> take_actions();
  std::vector<delivery_event> take_events();
  monotonic_time next_wake() const;
  /// Whether anything is still to come of this connection.
  bool uses(std::uint64_t session) const {
    return (current_ && current_->id == session) || (probe_ && probe_->id == session);
  }

  /// Whatever an earlier process or another collector knows, too.
  std::optional<delivery_hint> hint() const { return hint_; }
  /// All that is committed is durable at a collector.
  bool is_complete();
  delivery_status status();
  /// A pause that the collector asked for, or that the rate takes, goes on.
  bool is_held_back(monotonic_time now) const;

 private:
  enum class phase : std::uint8_t { connecting, connected, greeting, streaming };
  struct connection {
    std::uint64_t id = 0;
    std::size_t collector = 0;
    phase at = phase::connecting;
    monotonic_time deadline;
    node_hello hello{};
    bool has_asked_to_skip = false;
    bool has_asked_to_fork = false;
    /// Greetings since anything was delivered.
    std::uint32_t greetings = 0;
    std::size_t largest_batch = 0;
    std::size_t credit = 0;
    std::chrono::milliseconds alive_every{0};
    monotonic_time alive_at;
    monotonic_time good_at;
  };

  delivery_action& act(delivery_action::kind what, const connection& with);
  void note(delivery_note what, const connection& with, node_refusal reason = node_refusal::none);

  bool log_is_open() const;
  connection connect(std::size_t collector, monotonic_time now);
  void greet(connection& with, hello_intent intent, log_cursor cursor, monotonic_time now);
  void begin_greeting(monotonic_time now);
  void leave(monotonic_time now, delivery_note why, node_refusal reason = node_refusal::none, bool permanent = false);
  collector_failure failure_of_current(monotonic_time now, delivery_note why, bool permanent) const;
  /// What another collector than this one has, at least.
  segment_position elsewhere(const connection& with) const;
  bool is_between_lines(segment_position place);
  void on_resume(const log_cursor& copy_end, monotonic_time now);
  void on_begin(segment_position at, monotonic_time now);
  void skip_from(segment_position copy_end, segment_position to, monotonic_time now);
  void stream_from(segment_position at, monotonic_time now);
  void note_delivered();
  void keep_current(monotonic_time now);
  void keep_probe(monotonic_time now);
  void look_for_preferred(monotonic_time now);
  bool switches_to_probe(monotonic_time now);
  void send_what_fits(monotonic_time now);
  void send(const line_batch& batch, monotonic_time now);
  void on_nothing_to_send(monotonic_time now);

  const delivery_settings settings_;
  committed_log& log_;
  std::optional<delivery_hint> hint_;
  collector_order order_;
  delivery_window window_;
  send_rate rate_;
  std::optional<connection> current_;
  /// A connection to a preferred collector, while the current one is still used.
  std::optional<connection> probe_;
  collector_order::choice next_;
  bool has_begun_ = false;
  monotonic_time probe_at_{monotonic_time::max()};
  std::size_t probe_target_ = 0;
  /// Nothing is sent before: the collector asked for a pause.
  monotonic_time held_until_{monotonic_time::min()};
  std::uint64_t last_session_ = 0;
  std::vector<delivery_action> actions_;
  std::vector<delivery_event> events_;
  delivery_status counts_;
  bool refused_last_ = false;
  /// Nothing is sent before: the rate was used up. Never where it is not.
  monotonic_time rate_free_at_{monotonic_time::max()};
};

}  // namespace cellos
