#pragma once

#include <chrono>
#include <cstdint>

#include "messages/instants.hpp"

namespace cellos {

/// A token bucket of bytes: what one host may have a collector keep in a second. Up to two seconds' worth may come at
/// once; what comes then is refused until there is room.
class byte_quota {
 public:
  /// 0: no limit.
  explicit byte_quota(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  /// Zero and taken, or how long until it would be. More than the bucket ever holds is taken when it is full.
  std::chrono::milliseconds take(std::uint64_t bytes, monotonic_time now);

 private:
  std::uint64_t rate_;
  /// When the bucket was, or will be, empty of debt and of credit.
  monotonic_time balanced_{monotonic_time::min()};
};

}  // namespace cellos
