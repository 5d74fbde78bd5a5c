#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "messages/joint_append.hpp"
#include "runtime/collector/own_chain.hpp"

namespace cellos {

/// The host's own chain for roles that start before it is open and stop after it is closed: what they have to say waits
/// here. A thread appends it, so that nobody else waits for the log.
class node_chain final : public own_chain {
 public:
  /// Waits for the outcome.
  using append_function = std::function<std::error_code(const joint_append_ptr&)>;
  /// The first refusal of a row.
  using refused_function = std::function<void(std::error_code)>;

  node_chain() = default;
  ~node_chain() override { closed(); }

  /// There is a HOST CHAIN, until closed().
  void opened(append_function append, refused_function refused);
  /// What waits is appended once more, or left. Before that whoever asked for it says what there is to say at the end.
  void closed();
  /// On the thread that closes. Of one caller.
  void before_close(std::function<void()> last_words);

  bool is_open() const override;
  bool is_idle() const override;
  void say(std::vector<node_statement> statements) override;

 private:
  void work();
  bool append_next();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<joint_append_ptr> waiting_;
  append_function append_;
  refused_function refused_;
  std::function<void()> last_words_;
  std::uint64_t number_ = 0;
  bool is_open_ = false;
  bool was_refused_ = false;
  std::thread thread_;
};

}  // namespace cellos
