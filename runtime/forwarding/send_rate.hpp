#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "messages/instants.hpp"

namespace cellos {

/// A token bucket of bytes that are sent: how many is known only once a message is packed, so that each may begin while
/// there is no debt, and the next waits for what it cost. The bucket holds half a second's worth.
class send_rate {
 public:
  /// 0: no limit.
  explicit send_rate(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  /// Whether a message may be sent.
  bool allows(monotonic_time now) const { return rate_ == 0 || (!awaits_size_ && now >= balanced_); }
  /// One is sent; `take` says what it cost.
  void await_size() { awaits_size_ = true; }
  void take(std::uint64_t bytes, monotonic_time now);

  /// Until when the bucket is in debt; nothing where it is in none.
  std::optional<monotonic_time> in_debt_until(monotonic_time now) const {
    return rate_ != 0 && now < balanced_ ? std::optional{balanced_} : std::nullopt;
  }

 private:
  std::uint64_t rate_;
  bool awaits_size_ = false;
  /// When the bucket was, or will be, empty of debt and of credit.
  monotonic_time balanced_{monotonic_time::min()};
};

}  // namespace cellos
