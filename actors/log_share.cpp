#include "actors/log_share.hpp"

#include <algorithm>

namespace cellos {

namespace {

/// A cell that keeps to its share and has this part of it left is held back again before it is refused anything. Chosen
/// here.
constexpr double recovered_part = 1.0 / 16;

}  // namespace

double log_share::level_at(monotonic_time now) const {
  const std::chrono::duration<double> passed = earned_until_ ? now - *earned_until_ : std::chrono::nanoseconds{0};
  const double whole = static_cast<double>(limits_.bytes);
  return std::min(whole, level_ + whole * (passed / std::chrono::duration<double>{limits_.interval}));
}

void log_share::earn(monotonic_time now) {
  level_ = level_at(now);
  earned_until_ = now;
}

log_share::allowance log_share::ask(std::uint64_t declarations, monotonic_time now,
                                    std::chrono::nanoseconds longest_hold) {
  if (!limits_.limited() || declarations == 0) return {};
  earn(now);
  const double left = level_ - static_cast<double>(declarations) * bytes_per_declaration_;
  if (left >= static_cast<double>(limits_.bytes) * recovered_part) over_since_.reset();
  if (left >= 0) return {};
  if (!over_since_) over_since_ = now;
  if (now - *over_since_ < std::min(limits_.hold, longest_hold)) return {.held = true, .declarations = 0};
  const double covered = std::max(0.0, level_) / bytes_per_declaration_;
  return {.held = false, .declarations = static_cast<std::uint64_t>(covered)};
}

void log_share::spend(std::uint64_t bytes, std::uint64_t declarations, monotonic_time now) {
  if (!limits_.limited()) return;
  earn(now);
  level_ -= static_cast<double>(bytes);
  if (declarations != 0) bytes_per_declaration_ = static_cast<double>(bytes) / static_cast<double>(declarations);
}

}  // namespace cellos
