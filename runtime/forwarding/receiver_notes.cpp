#include "runtime/forwarding/receiver_notes.hpp"

#include <chrono>
#include <utility>

namespace cellos {

namespace {

/// Of the same cause, and of another: whoever has the receiver chooses the words. Chosen here.
constexpr std::chrono::minutes again_after{1};
constexpr std::chrono::seconds other_after{1};

}  // namespace

void receiver_notes::add(receiver_note what, monotonic_time now) {
  using enum receiver_note::kind;
  if (what.what == lost || what.what == refuses) {
    if (now < noted_at_ + (what.cause == trouble_ ? std::chrono::seconds{again_after} : other_after)) return;
    trouble_ = what.cause;
    noted_at_ = now;
  }
  if (what.what == lost || what.what == refuses || what.what == stopped) is_reached_news_ = true;
  if (what.what == lines_undelivered) ++gaps_;
  waiting_.push_back(std::move(what));
}

void receiver_notes::add_reached() {
  trouble_.clear();
  if (std::exchange(is_reached_news_, false)) waiting_.push_back({receiver_note::kind::reached});
}

std::vector<receiver_note> receiver_notes::take() { return std::exchange(waiting_, {}); }

}  // namespace cellos
