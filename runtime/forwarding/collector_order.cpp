#include "runtime/forwarding/collector_order.hpp"

#include <algorithm>

namespace cellos {

collector_order::choice collector_order::after_failure(std::size_t collector, collector_failure how,
                                                       monotonic_time now) {
  all_permanent_ = how == collector_failure::permanent && (failed_ == 0 || all_permanent_);
  some_silent_ = how == collector_failure::silent || (failed_ > 0 && some_silent_);
  if (++failed_ < collectors_) return {(collector + 1) % collectors_, now};
  failed_ = 0;
  constexpr std::uint32_t most_doublings = 20;
  const std::chrono::nanoseconds doubled = pauses_.first * (std::int64_t{1} << std::min(rounds_, most_doublings));
  ++rounds_;
  // Nothing gets better by asking often.
  const std::chrono::nanoseconds most = some_silent_ ? pauses_.longest_silent : pauses_.longest;
  const auto longest = all_permanent_ ? most : std::min(doubled, most);
  return {0, now + draw(longest)};
}

std::chrono::nanoseconds collector_order::draw(std::chrono::nanoseconds longest) {
  const auto most = static_cast<std::uint64_t>(longest.count());
  return std::chrono::nanoseconds{static_cast<std::int64_t>(random_() % (most + 1))};
}

}  // namespace cellos
