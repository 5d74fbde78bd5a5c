#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

/// Reads a child's two pipes on a thread of its own until both end.
class captured_output {
 public:
  captured_output(file_descriptor out, file_descriptor err);
  captured_output(const captured_output&) = delete;
  captured_output& operator=(const captured_output&) = delete;
  /// Waits for the end of both pipes: the child must be gone.
  ~captured_output();

  std::string out() const { return copy_of(0); }
  std::string err() const { return copy_of(1); }

  /// Shows `satisfied` all of stderr whenever there is more of it, until it says yes. False at the end of both pipes,
  /// or when `limit` has passed.
  bool wait_for_err(const std::function<bool(std::string_view)>& satisfied, std::chrono::nanoseconds limit) const;
  /// False when `limit` has passed.
  bool wait_for_end(std::chrono::nanoseconds limit) const;

 private:
  struct stream {
    file_descriptor pipe;
    std::string text;
  };

  void read_to_the_end();
  void read_some(stream& from);
  bool ended() const { return !streams_[0].pipe && !streams_[1].pipe; }
  std::string copy_of(std::size_t which) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::array<stream, 2> streams_;
  std::thread reader_;
};

}  // namespace cellos::test
