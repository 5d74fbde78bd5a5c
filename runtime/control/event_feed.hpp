#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "actors/events.hpp"
#include "runtime/control/http_message.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/segments/segment_reader.hpp"

namespace cellos {

/// Which events a client wants; an empty text stands for all.
struct event_filter {
  std::string cell_id;
  /// Part of the type.
  std::string type;

  /// `line` is one CloudEvent of ours.
  bool wants(std::string_view line) const;
};

/// One client's server-sent events between the log and its connection, bounded: a client that does not keep up loses
/// what waits for it, gets a last `event: dropped`, and its stream ends.
class event_stream final : public http_stream {
 public:
  event_stream(event_filter filter, std::size_t most_bytes) : filter_(std::move(filter)), most_bytes_(most_bytes) {}

  piece take(std::size_t most, std::function<void()> more) override;

  const event_filter& filter() const { return filter_; }
  /// Events lost if this one was too much; 0 while the client keeps up.
  std::uint64_t push(const std::string& message);
  /// What waits is still delivered, then `message`. False if the stream had ended before.
  bool end_with(std::string_view message);
  /// Has the connection write something, so that a client that left is noticed. Nothing where events wait already.
  void probe();
  /// Without a loss: the daemon is stopping.
  void end();
  bool ended() const;

 private:
  void wake_reader(std::unique_lock<std::mutex>& lock);

  const event_filter filter_;
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  /// How much of the first has been taken.
  std::size_t taken_ = 0;
  bool ended_ = false;
  std::function<void()> more_;
};

/// Follows the evidence log from its end, on a thread of its own, for as long as anybody listens. Where lines are gone
/// before they could be passed on, every stream ends with an `event: dropped`.
class event_feed {
 public:
  struct options {
    std::size_t buffer_bytes = std::size_t{1} << 20;
    std::size_t streams = 64;
    /// How often a silent stream says that it is alive.
    std::chrono::nanoseconds heartbeat = std::chrono::seconds{10};
  };

  event_feed(const segment_log& log, std::filesystem::path dir, operator_events& events, options settings);
  ~event_feed();

  /// Events appended from then on; null when there are as many streams as there may be.
  std::shared_ptr<event_stream> subscribe(event_filter filter);

  /// Something was appended. Any thread; costs nothing while nobody listens.
  void appended();

 private:
  void run();
  bool anybody_listens() const { return !streams_.empty(); }
  void pass_on();
  void pass_on(const evidence_line& line);
  void drop_all(std::string_view last_message, std::string_view cause);
  void send_heartbeats();
  void forget_gone();

  const segment_log& log_;
  const std::filesystem::path dir_;
  operator_events& events_;
  const options settings_;

  std::atomic<bool> listening_{false};
  /// Held for moments only: whoever appends takes it.
  std::mutex wake_mutex_;
  std::condition_variable wakes_;
  bool appended_ = false;
  bool stopping_ = false;

  /// Guards the rest.
  std::mutex mutex_;
  /// Whoever holds a stream besides us is a connection.
  std::vector<std::shared_ptr<event_stream>> streams_;
  std::unique_ptr<segment_reader> reader_;
  std::thread thread_;
};

}  // namespace cellos
