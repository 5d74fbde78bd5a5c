#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "messages/instants.hpp"

namespace cellos {

/// `2026-11-24T06:00:00.123456789Z`: RFC 3339, UTC, always nanoseconds, so that text order is time order.
class timestamp_text {
 public:
  explicit timestamp_text(wall_time time);
  std::string_view view() const { return {text_.data(), text_.size()}; }
  wall_time time() const { return time_; }

 private:
  wall_time time_;
  std::array<char, 30> text_;
};

/// The instant a `timestamp_text` spells, or nothing when `text` has any other form.
std::optional<wall_time> parse_timestamp(std::string_view text);

}  // namespace cellos
