#include "runtime/forwarding/send_rate.hpp"

#include <algorithm>

namespace cellos {

namespace {

/// Chosen here: long enough that a look at the log every 20 ms loses none of the rate.
constexpr std::chrono::milliseconds held{500};

}  // namespace

void send_rate::take(std::uint64_t bytes, monotonic_time now) {
  awaits_size_ = false;
  if (rate_ == 0) return;
  const std::chrono::duration<double> cost{static_cast<double>(bytes) / static_cast<double>(rate_)};
  balanced_ = std::max(balanced_, now - held) + std::chrono::duration_cast<monotonic_time::duration>(cost);
}

}  // namespace cellos
