#pragma once

#include <caf/actor_system.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "messages/peer_identity.hpp"
#include "runtime/collector/collector_interfaces.hpp"
#include "runtime/collector/collector_store.hpp"
#include "runtime/collector/collector_supervisor.hpp"
#include "runtime/collector/commit_queue.hpp"
#include "runtime/collector/ingest_session.hpp"
#include "runtime/signing/key_list.hpp"

namespace cellos {

/// What an operator decides about a collector.
struct collector_service_settings {
  std::filesystem::path dir;
  copy_limits copies{};
  collector_settings hosts{};
  /// Set: only lines that these keys have signed are taken. Each connection has a thread of its own then.
  std::shared_ptr<const key_list> signers{};
  /// Bytes of one host's lines that may be unanswered.
  std::uint32_t window_bytes = ingest_limits{}.window_bytes;
  /// Lines wait so long for others to be made durable with them. Default: chosen here.
  std::chrono::milliseconds commit_pause{20};
};

/// A collector but for its listener: the directory, the thread that commits, the actors.
class collector_service {
 public:
  struct opening {
    /// Null when refused.
    std::unique_ptr<collector_service> service;
    /// A sentence for a person.
    std::string refusal;
  };

  /// Claims the directory; there need not be actors yet. `events` and `files` must outlive the service.
  static opening open(collector_service_settings settings, collector_events& events,
                      file_system& files = real_file_system());
  collector_service(const collector_service&) = delete;
  collector_service& operator=(const collector_service&) = delete;
  /// stop()
  ~collector_service();

  /// Sessions can be spawned from here on. `system` must outlive the service.
  void start(caf::actor_system& system);
  /// For the listener, on any thread, while the service runs: the session of a connection whose peer is known; null
  /// once it stops.
  caf::strong_actor_ptr spawn_session(const peer_identity& peer);
  /// No session is spawned any more, those there are end, and what they took is durable. The listener should have
  /// ended.
  void stop();

  /// Hosts that were silent when the process before this one ended. For settings that await it; any thread.
  void recall(std::vector<std::string> silent_hosts);
  /// Copies that are open, and whose they are. Any thread.
  std::vector<collector_store::named_copy> copies() const { return store_->named_copies(); }

  /// All hosts, by name; nothing where the supervisor does not answer in time.
  std::optional<std::vector<host_status>> hosts(std::chrono::milliseconds timeout) const;
  /// The same without asking an actor. Any thread, from start() on.
  std::vector<host_status> shown_hosts(monotonic_time now) const { return settings_.hosts.board->read(now); }
  /// What was taken of all hosts. Any thread.
  collection_status taken() const;
  std::uint64_t commits() const { return commits_.commits(); }
  std::uint64_t commit_failures() const { return commits_.failures(); }
  std::size_t sessions() const;

 private:
  collector_service(collector_service_settings settings, collector_events& events,
                    std::unique_ptr<collector_store> store);

  const collector_service_settings settings_;
  collector_events& events_;
  std::unique_ptr<collector_store> store_;
  commit_queue commits_;
  ingest_environment environment_;
  std::optional<committer> committer_;
  caf::actor_system* system_ = nullptr;
  collector_actor supervisor_;

  mutable std::mutex mutex_;
  std::condition_variable session_ended_;
  std::size_t sessions_ = 0;
  bool stopping_ = true;
};

}  // namespace cellos
