#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace cellos {

/// Whether the daemon still does its work.
struct sign_of_life {
  /// What does not answer; empty if everything does.
  std::string problem{};
  /// How many cells there are; reported when nothing is wrong.
  std::uint64_t cells = 0;
};

/// What the service manager learns, in systemd's notification protocol (sd_notify(3)). Where nobody asked for it, by
/// NOTIFY_SOCKET and WATCHDOG_USEC, nothing is said.
///
/// The watchdog is notified at half its time, and only after everything that must not hang has answered: a daemon that
/// lives and does not work is started again. Used by one thread.
class service_notifier {
 public:
  /// Asks whatever must answer, giving each that long. Called on a thread of the notifier's.
  using liveness = std::function<sign_of_life(std::chrono::nanoseconds)>;

  /// The service manager's timeout is extended while the daemon starts: reading a large log takes its time.
  void starting();
  void ready(std::uint64_t cells, std::uint64_t refused, liveness alive);
  void reloading();
  /// What a reload came to. No value: the file itself was refused, and nothing has changed.
  void reloaded(std::optional<std::uint64_t> refused);
  /// `alive` is not called any more when this returns. The service manager's timeout is extended while the daemon
  /// drains.
  void stopping();

 private:
  /// Does something again and again on a thread of its own.
  class repetition {
   public:
    repetition(std::chrono::nanoseconds interval, std::function<void()> act);
    ~repetition();

   private:
    void run(std::chrono::nanoseconds interval);

    std::function<void()> act_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    bool over_ = false;
    std::thread thread_;
  };

  void extend_timeout(std::chrono::seconds at_most);
  void notify_watchdog(const liveness& alive, std::chrono::nanoseconds timeout);
  std::string status_line();

  /// Of whatever phase the daemon is in.
  std::optional<repetition> repeated_;
  std::mutex mutex_;
  // What the status line says.
  std::uint64_t cells_ = 0;
  std::uint64_t refused_ = 0;
  bool file_refused_ = false;
};

}  // namespace cellos
