#include "runtime/collector/chain_recorder.hpp"

#include <utility>

#include "runtime/segments/segment_reader.hpp"

namespace cellos {

namespace {

/// Events in one append: the host's chain signs each, and others wait for it meanwhile. Chosen here.
constexpr std::size_t most_at_once = 64;
/// How long the end of a process may be held up by what is witnessed last. Chosen here.
constexpr std::chrono::seconds last_words_time{5};

}  // namespace

void chain_recorder::say(node_statement said) {
  const std::lock_guard guard{mutex_};
  const bool is_known = std::holds_alternative<seen_host>(said) && recorded_.has(said);
  if (is_known || waiting_.size() >= most_waiting) return;
  waiting_.push_back(std::move(said));
}

void chain_recorder::work(bool all) {
  const std::lock_guard one_at_a_time{work_};
  if (!around_.chain.is_open()) return;
  if (!has_recalled_ && !recall()) {
    if (all) say_forks();
    return;
  }
  if (!all && !around_.chain.is_idle()) return;
  const monotonic_time deadline = around_.clock.now() + last_words_time;
  for (;;) {
    auto some = take_some();
    if (some.size() < most_at_once) add_witnessed(some, all, deadline);
    if (some.empty()) return;
    around_.chain.say(std::move(some));
    if (!all || around_.clock.now() >= deadline) return;
  }
}

/// Before the chain was read. Nobody would say them again: a copy that was begun anew contradicts nothing.
void chain_recorder::say_forks() {
  std::vector<node_statement> forks;
  const std::lock_guard guard{mutex_};
  for (node_statement& each : waiting_) {
    if (forks.size() < most_at_once && std::holds_alternative<forked_history>(each)) forks.push_back(std::move(each));
  }
  waiting_.clear();
  if (!forks.empty()) around_.chain.say(std::move(forks));
}

/// Nobody else adds to what is recorded.
void chain_recorder::add_witnessed(std::vector<node_statement>& to, bool all, monotonic_time deadline) {
  const auto goes_on = [&] { return all ? around_.clock.now() < deadline : !ended_; };
  const witness::look_request request{around_.clock.now(), most_at_once - to.size(), all, goes_on};
  for (auto& each : witness_.look(around_.copies(), recorded_, request)) {
    const std::lock_guard guard{mutex_};
    recorded_.add(each);
    to.emplace_back(std::move(each));
  }
}

/// What was said before; of several statements the last counts. A log that cannot be read to its end says what it can.
bool chain_recorder::recall() {
  segment_reader log{{around_.evidence_dir}};
  recorded_hosts read;
  while (const auto line = log.next()) {
    if (ended_) return false;
    if (const auto said = read_node_statement(line->text)) read.add(*said);
  }
  auto silent = read.silent_hosts();
  {
    const std::lock_guard guard{mutex_};
    recorded_ = std::move(read);
  }
  has_recalled_ = true;
  if (around_.recalled) around_.recalled(std::move(silent));
  return true;
}

std::vector<node_statement> chain_recorder::take_some() {
  std::vector<node_statement> some;
  const std::lock_guard guard{mutex_};
  while (!waiting_.empty() && some.size() < most_at_once) {
    if (!recorded_.has(waiting_.front())) {
      recorded_.add(waiting_.front());
      some.push_back(std::move(waiting_.front()));
    }
    waiting_.pop_front();
  }
  return some;
}

bool chain_recorder::await(std::chrono::nanoseconds pause) {
  std::unique_lock guard{mutex_};
  ending_.wait_for(guard, pause, [this] { return ended_.load(); });
  return !ended_;
}

void chain_recorder::end() {
  const std::lock_guard guard{mutex_};
  ended_ = true;
  ending_.notify_all();
}

recorder_thread::recorder_thread(chain_recorder& recorder, std::chrono::nanoseconds pause)
    : recorder_(recorder), thread_([&recorder, pause] {
        while (recorder.await(pause)) recorder.work();
      }) {}

recorder_thread::~recorder_thread() {
  recorder_.end();
  thread_.join();
}

}  // namespace cellos
