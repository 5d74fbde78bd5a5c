#pragma once

#include <caf/actor_addr.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "messages/instants.hpp"

namespace cellos {

/// What one actor is at: whether a handler is running, and since when. Written by the actor, read by the watchdog.
class activity {
 public:
  activity(const char* role, std::string cell_id, caf::actor_addr actor)
      : role_(role), cell_id_(std::move(cell_id)), actor_(std::move(actor)) {}

  const char* role() const { return role_; }
  const std::string& cell_id() const { return cell_id_; }
  const caf::actor_addr& actor() const { return actor_; }

  /// When the running handler began; the epoch when none is.
  monotonic_time busy_since() const { return busy_since_.load(std::memory_order_relaxed); }

  /// Marks a handler as running for as long as it lives.
  class mark {
   public:
    explicit mark(activity& marked) : marked_(marked) {
      marked_.busy_since_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed);
    }
    ~mark() { marked_.busy_since_.store({}, std::memory_order_relaxed); }
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;

   private:
    activity& marked_;
  };

 private:
  const char* role_;
  const std::string cell_id_;
  const caf::actor_addr actor_;
  std::atomic<monotonic_time> busy_since_{};
};

using activity_ptr = std::shared_ptr<activity>;

/// Every live actor's activity. Thread-safe. An actor that ends leaves by letting go of its activity.
class activity_registry {
 public:
  activity_ptr enter(const char* role, std::string cell_id, caf::actor_addr actor) {
    auto entered = std::make_shared<activity>(role, std::move(cell_id), std::move(actor));
    const std::lock_guard lock{mutex_};
    if (present_.size() >= sweep_at_) sweep();
    present_.push_back(entered);
    return entered;
  }

  std::vector<activity_ptr> present() const {
    std::vector<activity_ptr> out;
    const std::lock_guard lock{mutex_};
    for (const auto& entry : present_) {
      if (auto still = entry.lock()) out.push_back(std::move(still));
    }
    return out;
  }

 private:
  void sweep() {
    std::erase_if(present_, [](const auto& entry) { return entry.expired(); });
    sweep_at_ = present_.size() * 2 + 64;
  }

  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<activity>> present_;
  std::size_t sweep_at_ = 64;
};

}  // namespace cellos
