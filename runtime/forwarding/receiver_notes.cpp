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
    held_back_.reset();
    const bool is_same = what.cause == trouble_;
    if (now < noted_at_ + (is_same ? std::chrono::seconds{again_after} : other_after)) {
      if (!is_same) held_back_ = std::move(what);
      return;
    }
    trouble_ = what.cause;
    noted_at_ = now;
  }
  if (what.what == lost || what.what == refuses || what.what == stopped) is_reached_news_ = true;
  if (what.what == lines_undelivered) ++gaps_;
  waiting_.push_back(std::move(what));
}

void receiver_notes::add_reached() {
  trouble_.clear();
  held_back_.reset();
  if (std::exchange(is_reached_news_, false)) waiting_.push_back({receiver_note::kind::reached});
}

std::vector<receiver_note> receiver_notes::take(monotonic_time now) {
  if (held_back_ && now >= noted_at_ + other_after) add(receiver_note{std::move(*held_back_)}, now);
  return std::exchange(waiting_, {});
}

}  // namespace cellos
