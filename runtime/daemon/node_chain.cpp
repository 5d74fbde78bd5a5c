#include "runtime/daemon/node_chain.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace cellos {

namespace {

/// After which a log that took nothing is asked again. Chosen here.
constexpr std::chrono::seconds try_again{1};
/// Of a forwarder whose host never opens its log; chosen here.
constexpr std::size_t most_waiting = 1024;

}  // namespace

void node_chain::opened(append_function append, refused_function refused) {
  const std::lock_guard guard{mutex_};
  append_ = std::move(append);
  refused_ = std::move(refused);
  is_open_ = true;
  thread_ = std::thread{[this] { work(); }};
}

void node_chain::before_close(std::function<void()> last_words) {
  const std::lock_guard guard{mutex_};
  last_words_ = std::move(last_words);
}

void node_chain::closed() {
  std::function<void()> last_words;
  {
    const std::lock_guard guard{mutex_};
    if (!is_open_) return;
    last_words = std::exchange(last_words_, nullptr);
  }
  if (last_words) last_words();
  {
    const std::lock_guard guard{mutex_};
    is_open_ = false;
    changed_.notify_all();
  }
  thread_.join();
}

bool node_chain::is_open() const {
  const std::lock_guard guard{mutex_};
  return is_open_;
}

bool node_chain::is_idle() const {
  const std::lock_guard guard{mutex_};
  return is_open_ && waiting_.empty();
}

void node_chain::say(std::vector<node_statement> statements) {
  auto what = std::make_shared<joint_append>();
  for (node_statement& each : statements) {
    what->behind.emplace_back(std::make_shared<const node_statement>(std::move(each)));
  }
  what->origin = "nodes";
  const std::lock_guard guard{mutex_};
  if (waiting_.size() >= most_waiting) return;
  what->number = ++number_;
  waiting_.push_back(std::move(what));
  changed_.notify_all();
}

void node_chain::work() {
  for (;;) {
    {
      std::unique_lock guard{mutex_};
      changed_.wait(guard, [this] { return !is_open_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
    }
    if (append_next()) continue;
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, try_again, [this] { return !is_open_; });
    if (!is_open_) return;
  }
}

/// It stays in front until it is in the log: asked for again under its number, it is not appended again.
bool node_chain::append_next() {
  joint_append_ptr next;
  {
    const std::lock_guard guard{mutex_};
    next = waiting_.front();
  }
  const auto refused = append_(next);
  if (refused) {
    if (!std::exchange(was_refused_, true)) refused_(refused);
    return false;
  }
  was_refused_ = false;
  const std::lock_guard guard{mutex_};
  waiting_.pop_front();
  return true;
}

}  // namespace cellos
