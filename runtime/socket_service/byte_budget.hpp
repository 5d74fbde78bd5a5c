#pragma once

#include <atomic>
#include <cstddef>

namespace cellos {

/// Bytes in unacknowledged chunks of all cells together. Thread-safe.
class byte_budget {
 public:
  explicit byte_budget(std::size_t limit) : limit_(limit) {}

  void take(std::size_t bytes) { used_ += bytes; }
  void give_back(std::size_t bytes) { used_ -= bytes; }
  bool exhausted() const { return used_ >= limit_; }
  void set_limit(std::size_t limit) { limit_ = limit; }
  std::size_t used() const { return used_; }

 private:
  std::atomic<std::size_t> limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace cellos
