#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "runtime/control/http_message.hpp"

namespace cellos {

/// One answer for everybody who waits for the same: however many ask, it is made once at a time, and no more often than
/// its interval allows. Whoever asks is answered with what was looked up after it had asked. Thread-safe.
class shared_answers {
 public:
  /// Calls its argument once, on any thread.
  using maker = std::function<void(const http_reply&)>;

  shared_answers();
  ~shared_answers();
  shared_answers(const shared_answers&) = delete;
  shared_answers& operator=(const shared_answers&) = delete;

  /// `name` stands for what is asked, and always comes with the same `make` and `interval`.
  void ask(std::string_view name, std::chrono::nanoseconds interval, maker make, http_reply reply);

  /// No answer is begun from then on; whoever still waits hears nothing, unless its answer is being made elsewhere.
  void stop();

 private:
  class queue;

  const std::shared_ptr<queue> queue_;
  std::thread thread_;
};

}  // namespace cellos
