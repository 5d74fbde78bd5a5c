#include "runtime/forwarding/delivery_window.hpp"

#include <algorithm>

namespace cellos {

void delivery_window::restart(segment_position at, std::size_t credit) {
  lose_all();
  delivered_ = next_ = furthest_ = at;
  credit_ = credit;
}

std::uint64_t delivery_window::sent(segment_position after, segment_position end, std::size_t bytes, monotonic_time now,
                                    std::uint32_t lines) {
  in_flight_.push_back({++last_number_, after, end, bytes, lines, now});
  bytes_ += bytes;
  lines_ += lines;
  next_ = end;
  furthest_ = std::max(furthest_, end);
  return last_number_;
}

void delivery_window::lose_all() {
  in_flight_.clear();
  bytes_ = 0;
  lines_ = 0;
  next_ = delivered_;
}

void delivery_window::drop_from(std::size_t index) {
  while (in_flight_.size() > index) {
    bytes_ -= in_flight_.back().bytes;
    lines_ -= in_flight_.back().lines;
    in_flight_.pop_back();
  }
}

delivery_window::consequence delivery_window::on_durable(segment_position position) {
  // What a collector cannot know is nothing to build on.
  if (position > furthest_) return consequence::greet_again;
  if (position <= delivered_) return consequence::none;
  delivered_ = position;
  while (!in_flight_.empty() && in_flight_.front().end <= position) {
    bytes_ -= in_flight_.front().bytes;
    lines_ -= in_flight_.front().lines;
    in_flight_.pop_front();
  }
  next_ = std::max(next_, position);
  return consequence::delivered;
}

delivery_window::consequence delivery_window::answered(std::uint64_t number, const node_answer& answer,
                                                       monotonic_time now) {
  const auto found = std::ranges::find(in_flight_, number, &batch::number);
  if (found == in_flight_.end()) return consequence::none;
  last_answer_ = now;
  const auto index = static_cast<std::size_t>(found - in_flight_.begin());
  switch (answer.kind) {
    case answer_kind::durable: {
      // An answer to a batch is about that batch and all before it, and about nothing else.
      if (answer.position != found->end) return consequence::greet_again;
      return on_durable(answer.position);
    }
    case answer_kind::again:
      if (answer.position < delivered_ || answer.position > furthest_) return consequence::greet_again;
      // Those behind it do not follow either; those before it are still to be answered.
      drop_from(index);
      next_ = answer.position;
      return consequence::went_back;
    case answer_kind::busy:
      next_ = found->after;
      drop_from(index);
      return consequence::pause;
    case answer_kind::refused: return consequence::refused;
  }
  return consequence::refused;
}

std::optional<monotonic_time> delivery_window::waiting_since() const {
  if (in_flight_.empty()) return std::nullopt;
  return std::max(in_flight_.front().sent_at, last_answer_);
}

}  // namespace cellos
