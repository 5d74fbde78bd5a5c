#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "messages/clock.hpp"
#include "runtime/collector/own_chain.hpp"
#include "runtime/collector/recorded_hosts.hpp"
#include "runtime/collector/witness.hpp"

namespace cellos {

/// Has a collector's own chain say what the collector knows of its hosts: each thing once, also across restarts, since
/// what the chain says already is read from it before anything is added. Nothing of the ingest path waits for it.
class chain_recorder {
 public:
  /// Statements that wait for a log that takes nothing; what comes then is not said. Chosen here: some 10 MB.
  static constexpr std::size_t most_waiting = 65'536;

  struct surroundings {
    /// Both must outlive the recorder.
    own_chain& chain;
    const monotonic_clock& clock;
    /// Where the chain's log is.
    std::filesystem::path evidence_dir;
    std::function<std::vector<collector_store::named_copy>()> copies;
    /// Once, when the chain was read: hosts that it left silent.
    std::function<void(std::vector<std::string>)> recalled;
  };
  chain_recorder(surroundings around, const witness_limits& limits) : around_(std::move(around)), witness_(limits) {}

  /// For the next round. Any thread; what the chain says already is left out.
  void say(node_statement said);

  /// One round, where the chain is idle: gives it some of what waits, and what can be witnessed. `all`: before the
  /// chain ends, all of that, and whatever copy has moved, for some seconds. Any thread.
  void work(bool all = false);

  /// Until `pause` has passed, or end() was called. False if it was.
  bool await(std::chrono::nanoseconds pause);
  /// A round that is under way ends soon. A chain that was not read by then is not read any more.
  void end();

 private:
  bool recall();
  void say_forks();
  void add_witnessed(std::vector<node_statement>& to, bool all, monotonic_time deadline);
  std::vector<node_statement> take_some();

  surroundings around_;
  std::mutex work_;
  witness witness_;
  bool has_recalled_ = false;

  std::mutex mutex_;
  std::condition_variable ending_;
  std::deque<node_statement> waiting_;
  recorded_hosts recorded_;
  std::atomic<bool> ended_ = false;
};

/// The thread that works for a recorder.
class recorder_thread {
 public:
  /// `pause`: between looks at what can be witnessed. Default: chosen here.
  explicit recorder_thread(chain_recorder& recorder, std::chrono::nanoseconds pause = std::chrono::milliseconds{250});
  recorder_thread(const recorder_thread&) = delete;
  recorder_thread& operator=(const recorder_thread&) = delete;
  ~recorder_thread();

 private:
  chain_recorder& recorder_;
  std::thread thread_;
};

}  // namespace cellos
