#include "runtime/control/shared_answers.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace cellos {

/// Who waits for what. Outlives the thread: an answer that is made elsewhere may come at any time.
class shared_answers::queue : public std::enable_shared_from_this<queue> {
 public:
  void add(std::string_view name, std::chrono::nanoseconds interval, maker make, http_reply reply) {
    const std::lock_guard lock{mutex_};
    const auto known = all_.find(name);
    asked& one = known != all_.end() ? known->second : all_[std::string{name}];
    if (!one.make) {
      one.make = std::move(make);
      one.interval = interval;
    }
    one.waiting.push_back(std::move(reply));
    changed_.notify_all();
  }

  void stop() {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }

  void run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
      const auto now = clock::now();
      if (asked* due = due_locked(now)) {
        make(lock, *due);
      } else if (const auto next = next_locked(); next == clock::time_point::max()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, next);
      }
    }
  }

 private:
  using clock = std::chrono::steady_clock;

  struct asked {
    maker make;
    std::chrono::nanoseconds interval{};
    /// None is begun before.
    clock::time_point next{};
    bool being_made = false;
    std::vector<http_reply> waiting;

    bool is_wanted() const { return !waiting.empty() && !being_made; }
  };

  asked* due_locked(clock::time_point now) {
    const auto due = std::find_if(all_.begin(), all_.end(), [now](const auto& each) {
      return each.second.is_wanted() && each.second.next <= now;
    });
    return due == all_.end() ? nullptr : &due->second;
  }

  clock::time_point next_locked() const {
    auto next = clock::time_point::max();
    for (const auto& [name, one] : all_) {
      if (one.is_wanted()) next = std::min(next, one.next);
    }
    return next;
  }

  void make(std::unique_lock<std::mutex>& lock, asked& due) {
    due.being_made = true;
    due.next = clock::now() + due.interval;
    const auto waiting = std::make_shared<std::vector<http_reply>>(std::exchange(due.waiting, {}));
    lock.unlock();
    const http_reply settle = [self = shared_from_this(), &due, waiting](http_answer made) {
      made.share_body();
      for (const http_reply& reply : std::exchange(*waiting, {})) reply(made);
      const std::lock_guard again{self->mutex_};
      due.being_made = false;
      self->changed_.notify_all();
    };
    try {
      due.make(settle);
    } catch (const std::exception&) {
      settle(refusal_for_now("there is no memory to answer with"));
    }
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, asked, std::less<>> all_;
  bool stopping_ = false;
};

shared_answers::shared_answers() : queue_(std::make_shared<queue>()) {
  thread_ = std::thread{[queue = queue_] {
    ::pthread_setname_np(::pthread_self(), "shared-answers");
    queue->run();
  }};
}

shared_answers::~shared_answers() { stop(); }

void shared_answers::ask(std::string_view name, std::chrono::nanoseconds interval, maker make, http_reply reply) {
  queue_->add(name, interval, std::move(make), std::move(reply));
}

void shared_answers::stop() {
  queue_->stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace cellos
