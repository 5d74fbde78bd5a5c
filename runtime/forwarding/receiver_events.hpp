#pragma once

#include <string_view>

#include "runtime/forwarding/receiver_note.hpp"

namespace cellos {

/// What an operator can see of a delivery to a receiver. Thread-safe.
class receiver_events {
 public:
  receiver_events() = default;
  receiver_events(const receiver_events&) = delete;
  receiver_events& operator=(const receiver_events&) = delete;
  virtual ~receiver_events() = default;

  /// `receiver`: as an operator knows it.
  virtual void noted(const receiver_note& note, std::string_view receiver) = 0;
};

}  // namespace cellos
