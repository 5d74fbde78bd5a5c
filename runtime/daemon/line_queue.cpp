// add -> pending lines (bounded) -> one thread: waits until the descriptor takes something, writes no more at once than
// a pipe that is ready takes without blocking. Where somebody else fills it in between, that thread hangs, and no
// other.

#include "runtime/daemon/line_queue.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace cellos {

namespace {

/// How often a descriptor that takes nothing is given up or not. Chosen here.
constexpr std::chrono::milliseconds look_again{50};

bool is_socket(int descriptor) {
  struct stat found {};
  return ::fstat(descriptor, &found) == 0 && S_ISSOCK(found.st_mode);
}

}  // namespace

class line_queue::writer {
 public:
  writer(int descriptor, options settings, loss_report report_loss)
      : descriptor_(descriptor),
        is_socket_(is_socket(descriptor)),
        settings_(settings),
        report_loss_(std::move(report_loss)) {}

  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    if (closing_ || waiting_bytes_ + line.size() > settings_.most_bytes) return count_lost();
    waiting_bytes_ += line.size();
    waiting_.push_back(std::move(line));
    changed_.notify_all();
  }

  std::uint64_t lost() const { return lost_; }

  void run() {
    ::pthread_setname_np(::pthread_self(), "operator-log");
    std::unique_lock lock{mutex_};
    while (true) {
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty() || gave_up_) break;
      const std::string line = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      const bool written = write_line(line);
      lock.lock();
      waiting_bytes_ -= line.size();
      if (!written) {
        count_lost();
      } else if (lost_unreported_ > 0 && !closing_ && waiting_bytes_ < settings_.most_bytes / 2) {
        const std::uint64_t lines = std::exchange(lost_unreported_, 0);
        lock.unlock();
        report(lines);
        lock.lock();
      }
    }
    finished_ = true;
    changed_.notify_all();
  }

  void close() {
    {
      const std::lock_guard reporting{report_mutex_};
      report_loss_ = nullptr;
    }
    std::unique_lock lock{mutex_};
    closing_ = true;
    changed_.notify_all();
    // As long as lines are taken, the next one is waited for too.
    while (!finished_) {
      const std::uint64_t before = taken_;
      if (changed_.wait_for(lock, settings_.farewell, [this] { return finished_; })) break;
      if (taken_ != before) continue;
      gave_up_ = true;
      // One that hangs in a write is left behind: it ends with the process.
      changed_.wait_for(lock, 4 * look_again, [this] { return finished_; });
      return;
    }
  }

 private:
  void count_lost() {
    ++lost_;
    ++lost_unreported_;
  }

  void report(std::uint64_t lines) {
    const std::lock_guard reporting{report_mutex_};
    if (report_loss_) report_loss_(lines);
  }

  bool write_line(std::string_view line) {
    while (!line.empty()) {
      if (!wait_until_ready()) return false;
      const std::string_view piece = line.substr(0, PIPE_BUF);
      const ssize_t written = is_socket_ ? ::send(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                         : ::write(descriptor_, piece.data(), piece.size());
      if (written > 0) {
        line.remove_prefix(static_cast<std::size_t>(written));
        ++taken_;
      } else if (errno == EAGAIN) {
        ::poll(nullptr, 0, static_cast<int>(look_again.count()));
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  /// False when it is given up.
  bool wait_until_ready() const {
    pollfd watched{descriptor_, POLLOUT, 0};
    while (!gave_up_) {
      // An error is for the write to find.
      if (::poll(&watched, 1, static_cast<int>(look_again.count())) > 0) return true;
    }
    return false;
  }

  const int descriptor_;
  const bool is_socket_;
  const options settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t lost_unreported_ = 0;
  bool closing_ = false;
  bool finished_ = false;
  std::atomic<bool> gave_up_{false};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::mutex report_mutex_;
  loss_report report_loss_;
};

line_queue::line_queue(int descriptor, options settings, loss_report report_loss)
    : writer_(std::make_shared<writer>(descriptor, settings, std::move(report_loss))) {
  // Detached: it is waited for in `close`, and only so long.
  std::thread{[shared = writer_] { shared->run(); }}.detach();
}

line_queue::~line_queue() { close(); }

void line_queue::add(std::string line) { writer_->add(std::move(line)); }

void line_queue::close() { writer_->close(); }

std::uint64_t line_queue::lost() const { return writer_->lost(); }

}  // namespace cellos
