#pragma once

#include <string_view>

#include "runtime/forwarding/delivery.hpp"

namespace cellos {

/// What an operator of a forwarding host can see. Thread-safe.
class forwarding_events {
 public:
  forwarding_events() = default;
  forwarding_events(const forwarding_events&) = delete;
  forwarding_events& operator=(const forwarding_events&) = delete;
  virtual ~forwarding_events() = default;

  /// `collector`: as the configuration names it. `cause`: of what a connection failed; may be empty.
  virtual void noted(const delivery_event& event, std::string_view collector, std::string_view cause) = 0;
};

}  // namespace cellos
