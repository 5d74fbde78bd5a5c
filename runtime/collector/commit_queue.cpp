#include "runtime/collector/commit_queue.hpp"

#include <map>
#include <utility>

namespace cellos {

void commit_queue::add(std::shared_ptr<log_copy> copy, std::uint64_t generation, std::size_t bytes,
                       settled_function settled) {
  const std::lock_guard guard{mutex_};
  waiting_.push_back({std::move(copy), generation, std::move(settled)});
  waiting_bytes_ += bytes;
  changed_.notify_all();
}

std::error_code commit_queue::commit() {
  std::vector<entry> waited;
  {
    const std::lock_guard guard{mutex_};
    waited.swap(waiting_);
    waiting_bytes_ = 0;
    if (waited.empty()) return {};
    ++commits_;
  }
  const auto began = std::chrono::steady_clock::now();
  const auto failure = sync(waited);
  durations_.add(std::chrono::steady_clock::now() - began);
  if (failure) {
    const std::lock_guard guard{mutex_};
    ++failures_;
  }
  // A copy that was cut back, now or before, is of another generation.
  for (const entry& each : waited) each.settled(!failure && each.copy->generation() == each.generation);
  return failure;
}

std::error_code commit_queue::sync(const std::vector<entry>& waited) {
  std::map<log_copy*, log_copy::snapshot> before;
  for (const entry& each : waited) {
    if (!before.contains(each.copy.get())) before.emplace(each.copy.get(), each.copy->look());
  }
  const auto failure = store_.sync();
  if (failure) {
    // A copy that was replaced by a fork is open no more, and has lines that wait all the same.
    for (const auto& [copy, at] : before) copy->cut_back();
    for (const auto& copy : store_.open_copies()) copy->cut_back();
    return failure;
  }
  for (const auto& [copy, at] : before) copy->settle(at);
  return {};
}

bool commit_queue::await(std::chrono::nanoseconds pause, std::size_t most_bytes) {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [&] { return ended_ || !waiting_.empty(); });
  changed_.wait_for(guard, pause, [&] { return ended_ || waiting_bytes_ >= most_bytes; });
  return !ended_;
}

void commit_queue::end() {
  const std::lock_guard guard{mutex_};
  ended_ = true;
  changed_.notify_all();
}

std::uint64_t commit_queue::commits() const {
  const std::lock_guard guard{mutex_};
  return commits_;
}

std::uint64_t commit_queue::failures() const {
  const std::lock_guard guard{mutex_};
  return failures_;
}

committer::committer(commit_queue& queue, std::chrono::nanoseconds pause, std::size_t most_bytes)
    : queue_(queue), thread_([this, pause, most_bytes] {
        while (queue_.await(pause, most_bytes)) (void)queue_.commit();
        (void)queue_.commit();
      }) {}

committer::~committer() {
  queue_.end();
  thread_.join();
}

}  // namespace cellos
