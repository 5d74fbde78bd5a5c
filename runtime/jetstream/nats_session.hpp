#pragma once

#include <nats/nats.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/jetstream/jetstream_settings.hpp"
#include "runtime/jetstream/stream_link.hpp"

namespace cellos {

/// Events of all connections of a link, in the order in which they happened. Thread-safe.
class link_events {
 public:
  void add(link_event event) {
    {
      const std::lock_guard guard{mutex_};
      events_.push_back(std::move(event));
    }
    added_.notify_one();
  }
  std::vector<link_event> take(std::chrono::milliseconds at_most) {
    std::unique_lock guard{mutex_};
    added_.wait_for(guard, at_most, [this] { return !events_.empty(); });
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<link_event> events_;
};

/// What every connection of a link is made with.
struct nats_session_settings {
  jetstream_settings stream;
  std::string host_id;
};

/// One connection to one server, on a thread of its own, which ends with it: libnats waits without an end for a server
/// that stops in the middle of a TLS handshake. Whoever asked may leave it to itself at any time.
class nats_session : public std::enable_shared_from_this<nats_session> {
 public:
  nats_session(std::shared_ptr<const nats_session_settings> settings, std::shared_ptr<link_events> events,
               std::uint64_t number)
      : settings_(std::move(settings)), events_(std::move(events)), number_(number) {}
  nats_session(const nats_session&) = delete;
  nats_session& operator=(const nats_session&) = delete;
  ~nats_session() = default;

  /// Starts the thread. Once.
  void start();
  void ask_tail();
  void publish(std::vector<stream_message> messages);
  /// Nothing it does counts any more.
  void leave();
  /// Whether its thread has ended, until then at most.
  bool ended(std::chrono::steady_clock::time_point until);

 private:
  struct nats_deleter;
  struct command {
    /// Nothing: the tail is asked for.
    std::optional<stream_message> message;
  };

  void run();
  void serve();
  void lose(std::string cause);
  /// Empty if all of it counts; else why not.
  std::string connect();
  std::string set_security(natsOptions* options);
  std::vector<command> take_commands(std::chrono::milliseconds at_most);
  bool carry_out(const command& what);
  bool publish_one(const stream_message& message);
  bool take_answer(std::chrono::milliseconds at_most);
  void close();

  const std::shared_ptr<const nats_session_settings> settings_;
  const std::shared_ptr<link_events> events_;
  const std::uint64_t number_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<command> commands_;
  bool is_left_ = false;
  bool has_ended_ = false;

  // The thread's own.
  natsConnection* connection_ = nullptr;
  jsCtx* jetstream_ = nullptr;
  natsSubscription* answers_ = nullptr;
  std::string inbox_;
  std::uint64_t unanswered_ = 0;
};

}  // namespace cellos
