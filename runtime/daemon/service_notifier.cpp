#include "runtime/daemon/service_notifier.hpp"

#include <systemd/sd-daemon.h>

#include <system_error>
#include <utility>

namespace cellos {

namespace {

/// Each extension holds for so long, and is asked for anew at a third of it. Chosen here.
constexpr std::chrono::seconds extension{30};
/// Reading the log of a crashed predecessor: 10 GiB from a slow disk. A start that takes longer has hung. Chosen here.
constexpr std::chrono::seconds start_at_most{600};
/// Above what the daemon itself allows the drain to take. Chosen here.
constexpr std::chrono::seconds stop_at_most{120};

void notify(const std::string& state) { ::sd_notify(0, state.c_str()); }

std::uint64_t microseconds(std::chrono::nanoseconds span) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(span).count());
}

/// Nothing if no watchdog waits for this process.
std::optional<std::chrono::microseconds> watchdog_time() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds{microseconds};
}

std::string counted_cells(std::uint64_t cells) { return std::to_string(cells) + (cells == 1 ? " cell" : " cells"); }

}  // namespace

service_notifier::repetition::repetition(std::chrono::nanoseconds interval, std::function<void()> act)
    : act_(std::move(act)), thread_([this, interval] { run(interval); }) {}

service_notifier::repetition::~repetition() {
  {
    const std::lock_guard lock{mutex_};
    over_ = true;
  }
  wakes_.notify_all();
  thread_.join();
}

void service_notifier::repetition::run(std::chrono::nanoseconds interval) {
  std::unique_lock lock{mutex_};
  do {
    lock.unlock();
    act_();
    lock.lock();
  } while (!wakes_.wait_for(lock, interval, [this] { return over_; }));
}

void service_notifier::starting() {
  notify("STATUS=Reading the evidence log");
  extend_timeout(start_at_most);
}

void service_notifier::ready(std::uint64_t cells, std::uint64_t refused, liveness alive) {
  repeated_.reset();
  cells_ = cells;
  refused_ = refused;
  notify("READY=1\n" + status_line());
  if (const auto time = watchdog_time()) {
    // Two are asked, one after the other, and both may take all their time: a quarter for each is in time.
    repeated_.emplace(*time / 2,
                      [this, alive = std::move(alive), timeout = *time / 8] { notify_watchdog(alive, timeout); });
  }
}

void service_notifier::reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds(now)) + "\nSTATUS=Taking over the configuration");
}

void service_notifier::reloaded(std::optional<std::uint64_t> refused) {
  {
    const std::lock_guard lock{mutex_};
    file_refused_ = !refused;
    if (refused) refused_ = *refused;
  }
  notify("READY=1\n" + status_line());
}

void service_notifier::stopping() {
  repeated_.reset();
  notify("STOPPING=1\nSTATUS=Draining " + counted_cells(cells_));
  extend_timeout(stop_at_most);
}

void service_notifier::extend_timeout(std::chrono::seconds at_most) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  try {
    repeated_.emplace(extension / 3, [end] {
      if (std::chrono::steady_clock::now() > end) return;
      notify("EXTEND_TIMEOUT_USEC=" + std::to_string(microseconds(extension)));
    });
  } catch (const std::system_error&) {
    // No thread is to be had; to drain in the time there is is better than to end here.
  }
}

void service_notifier::notify_watchdog(const liveness& alive, std::chrono::nanoseconds timeout) {
  const sign_of_life seen = alive(timeout);
  if (!seen.problem.empty()) return notify("STATUS=" + seen.problem);
  {
    const std::lock_guard lock{mutex_};
    cells_ = seen.cells;
  }
  notify("WATCHDOG=1\n" + status_line());
}

std::string service_notifier::status_line() {
  const std::lock_guard lock{mutex_};
  std::string line = "STATUS=Serving " + counted_cells(cells_);
  if (refused_ > 0) line += "; " + std::to_string(refused_) + " could not be bound";
  if (file_refused_) line += "; the configuration file was refused, the one before it holds";
  return line;
}

}  // namespace cellos
