#include "runtime/collector/byte_quota.hpp"

#include <algorithm>

namespace cellos {

namespace {

constexpr std::chrono::seconds depth{2};

}  // namespace

std::chrono::milliseconds byte_quota::take(std::uint64_t bytes, monotonic_time now) {
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  if (rate_ == 0) return milliseconds{0};
  const auto seconds = static_cast<double>(bytes) / static_cast<double>(rate_);
  const auto cost = nanoseconds{static_cast<std::int64_t>(std::min(seconds, 3600.0) * 1e9)};
  balanced_ = std::max<monotonic_time>(balanced_, now - depth);
  const monotonic_time latest = now - std::min<nanoseconds>(cost, depth);
  if (balanced_ > latest) return std::chrono::duration_cast<milliseconds>(balanced_ - latest) + milliseconds{1};
  balanced_ += cost;
  return milliseconds{0};
}

}  // namespace cellos
