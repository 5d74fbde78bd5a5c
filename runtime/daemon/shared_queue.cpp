// A scheduling policy for CAF: one queue, and threads that are woken sparingly.

#include "runtime/daemon/shared_queue.hpp"

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

namespace cellos {

namespace {

using instant = std::chrono::steady_clock::time_point;

/// A job that has waited for longer is worth another thread: several times what waking one costs. Chosen here.
constexpr std::chrono::microseconds worth_a_thread{500};
/// How often a standby looks whether those who are awake get on. Chosen here.
constexpr std::chrono::milliseconds standby_period{2};
/// So long after the last job that woke nobody there is no standby any more. Chosen here.
constexpr std::chrono::milliseconds standby_end{20};

/// Jobs of all threads, and who is woken for them. While a job waits and a thread is idle, either one is being woken,
/// or a standby looks again within its period: a handler that hangs holds up nobody.
class shared_queue {
 public:
  void push(caf::resumable* job) {
    std::unique_lock lock{mutex_};
    const instant now = std::chrono::steady_clock::now();
    jobs_.push_back({job, now});
    wake(lock, whom_to_wake(now));
  }

  /// Waits for a job. The calling thread has finished the one before.
  caf::resumable* pop() {
    std::unique_lock lock{mutex_};
    if (jobs_.empty()) {
      --awake_;
      wait(lock);
      ++awake_;
    }
    caf::resumable* job = jobs_.front().job;
    jobs_.pop_front();
    wake_for_the_rest(lock);
    return job;
  }

  void enter() {
    const std::lock_guard lock{mutex_};
    ++awake_;
  }

  void leave() {
    std::unique_lock lock{mutex_};
    --awake_;
    wake_for_the_rest(lock);
  }

  template <class Act>
  void take_all(Act&& act) {
    std::deque<waiting> left;
    {
      const std::lock_guard lock{mutex_};
      left.swap(jobs_);
    }
    for (const waiting& each : left) act(each.job);
  }

 private:
  struct waiting {
    caf::resumable* job;
    instant since;
  };
  enum class woken : std::uint8_t { nobody, a_sleeper, the_standby };

  bool is_needed(instant now) const { return awake_ == 0 || now - jobs_.front().since >= worth_a_thread; }

  /// A job waits. One is woken at a time: whoever is on its way looks at all that is here then.
  woken whom_to_wake(instant now) {
    if (waking_ != woken::nobody || (sleeping_ == 0 && !has_standby_)) return woken::nobody;
    if (!is_needed(now)) {
      spared_at_ = now;
      if (has_standby_) return woken::nobody;
    }
    waking_ = sleeping_ > 0 ? woken::a_sleeper : woken::the_standby;
    return waking_;
  }

  /// Not under the lock, which it would wait for at once.
  void wake(std::unique_lock<std::mutex>& lock, woken whom) {
    lock.unlock();
    if (whom == woken::a_sleeper) sleep_.notify_one();
    if (whom == woken::the_standby) standby_.notify_one();
  }

  void wake_for_the_rest(std::unique_lock<std::mutex>& lock) {
    if (jobs_.empty()) return;
    wake(lock, whom_to_wake(std::chrono::steady_clock::now()));
  }

  /// Until there is a job that this thread is needed for.
  void wait(std::unique_lock<std::mutex>& lock) {
    while (true) {
      const instant now = std::chrono::steady_clock::now();
      if (!jobs_.empty() && is_needed(now)) return;
      // Whoever was woken for a job that somebody else took answers for those that came meanwhile.
      if (!has_standby_ && (!jobs_.empty() || now - spared_at_ < standby_end)) {
        has_standby_ = true;
        standby_.wait_for(lock, standby_period);
        has_standby_ = false;
        if (waking_ == woken::the_standby) waking_ = woken::nobody;
      } else {
        ++sleeping_;
        sleep_.wait(lock);
        --sleeping_;
        if (waking_ == woken::a_sleeper) waking_ = woken::nobody;
      }
    }
  }

  std::mutex mutex_;
  std::deque<waiting> jobs_;
  /// Threads with a job, or on their way to one.
  std::size_t awake_ = 0;
  std::size_t sleeping_ = 0;
  std::condition_variable sleep_;
  bool has_standby_ = false;
  std::condition_variable standby_;
  woken waking_ = woken::nobody;
  /// When a job last came for which nobody was woken.
  instant spared_at_{};
};

class sparing_policy : public caf::policy::unprofiled {
 public:
  struct shared {
    explicit shared(caf::scheduler::abstract_coordinator*) {}
    shared_queue queue;
  };
  struct of_a_thread {
    explicit of_a_thread(caf::scheduler::abstract_coordinator*) {}
    bool has_entered = false;
  };
  // As CAF names them.
  using coordinator_data = shared;
  using worker_data = of_a_thread;

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    d(self).queue.push(job);
  }
  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    queue_of(self).push(job);
  }
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    queue_of(self).push(job);
  }
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    queue_of(self).push(job);
  }
  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    if (!std::exchange(d(self).has_entered, true)) queue_of(self).enter();
    return queue_of(self).pop();
  }
  template <class Worker>
  void before_shutdown(Worker* self) {
    queue_of(self).leave();
  }
  template <class Worker, class Act>
  void foreach_resumable(Worker*, Act) {}
  template <class Coordinator, class Act>
  void foreach_central_resumable(Coordinator* self, Act act) {
    d(self).queue.take_all(act);
  }

 private:
  template <class Worker>
  static shared_queue& queue_of(Worker* self) {
    return d(self->parent()).queue;
  }
};

}  // namespace

void use_shared_queue(caf::actor_system_config& config, std::size_t threads) {
  config.set("scheduler.max-threads", threads);
  config.load<caf::scheduler::coordinator<sparing_policy>>();
}

}  // namespace cellos
