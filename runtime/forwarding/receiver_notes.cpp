#include "runtime/forwarding/receiver_notes.hpp"

#include <chrono>
#include <utility>

namespace cellos {

namespace {

/// Chosen here.
constexpr std::chrono::minutes again_after{1};

}  // namespace

void receiver_notes::add(receiver_note what, monotonic_time now) {
  using enum receiver_note::kind;
  if (what.what == lost || what.what == refuses || what.what == stopped) is_reached_news_ = true;
  if (what.what == lost || what.what == refuses) {
    if (what.cause == trouble_ && now < again_at_) return;
    trouble_ = what.cause;
    again_at_ = now + again_after;
  }
  if (what.what == lines_undelivered) ++gaps_;
  waiting_.push_back(std::move(what));
}

void receiver_notes::add_reached() {
  trouble_.clear();
  if (std::exchange(is_reached_news_, false)) waiting_.push_back({receiver_note::kind::reached});
}

std::vector<receiver_note> receiver_notes::take() { return std::exchange(waiting_, {}); }

}  // namespace cellos
