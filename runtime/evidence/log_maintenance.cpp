#include "runtime/evidence/log_maintenance.hpp"

#include <pthread.h>

#include <utility>

namespace cellos {

namespace {

/// How long a file that was moved away may go unnoticed while nothing is appended. Chosen here.
constexpr std::chrono::seconds look_interval{1};
/// What could not be done is tried again so soon. Chosen here.
constexpr std::chrono::milliseconds retry_pause{50};

}  // namespace

log_maintenance::log_maintenance(retention::surroundings around, retention_state state, journal_mac_ptr mac)
    : log_(around.log), retention_(std::move(around), std::move(state), std::move(mac)), thread_([this] { run(); }) {
  std::unique_lock lock{mutex_};
  wakes_.wait(lock, [this] { return ready_; });
}

log_maintenance::~log_maintenance() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wakes_.notify_all();
  thread_.join();
  log_.take_removal_back();
}

void log_maintenance::set_mac(journal_mac_ptr mac) {
  const std::lock_guard lock{mutex_};
  next_mac_ = std::move(mac);
}

void log_maintenance::wake() {
  {
    const std::lock_guard lock{mutex_};
    woken_ = true;
  }
  wakes_.notify_all();
}

void log_maintenance::run() {
  ::pthread_setname_np(::pthread_self(), "evidence-keep");
  log_.leave_removal([this] { wake(); });
  std::unique_lock lock{mutex_};
  ready_ = true;
  wakes_.notify_all();
  std::chrono::nanoseconds pause{};
  while (true) {
    wakes_.wait_for(lock, pause, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
    if (next_mac_) retention_.set_mac(std::exchange(next_mac_, nullptr));
    // The log wakes us under its lock, so it is never asked under ours.
    lock.unlock();
    log_.check_files();
    const bool failed = retention_.work();
    lock.lock();
    pause = failed ? std::chrono::nanoseconds{retry_pause} : std::chrono::nanoseconds{look_interval};
  }
}

}  // namespace cellos
