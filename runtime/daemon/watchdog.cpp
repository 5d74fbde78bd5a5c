#include "runtime/daemon/watchdog.hpp"

#include <utility>

namespace cellos {

watchdog::watchdog(const activity_registry& activities, operator_events& events, options settings)
    : activities_(activities), events_(events), settings_(settings), thread_([this] { run(); }) {}

watchdog::~watchdog() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wakes_.notify_all();
  thread_.join();
}

void watchdog::run() {
  std::unique_lock lock{mutex_};
  while (!wakes_.wait_for(lock, settings_.interval, [this] { return stopping_; })) {
    look(std::chrono::steady_clock::now());
  }
}

void watchdog::look(monotonic_time now) {
  std::set<activity_ptr> still_hung;
  for (const activity_ptr& actor : activities_.present()) {
    const monotonic_time since = actor->busy_since();
    if (since == monotonic_time{} || now - since < settings_.timeout) continue;
    if (!hung_.contains(actor)) events_.actor_hung(actor->role(), actor->cell_id(), now - since);
    still_hung.insert(actor);
  }
  hung_ = std::move(still_hung);
  hung_count_ = hung_.size();
}

}  // namespace cellos
