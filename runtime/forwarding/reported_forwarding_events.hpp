#pragma once

#include "actors/events.hpp"
#include "runtime/forwarding/forwarding_events.hpp"

namespace cellos {

/// A forwarder's events as lines of the operator's log.
class reported_forwarding_events final : public forwarding_events {
 public:
  /// `events` must outlive it.
  explicit reported_forwarding_events(operator_events& events) : events_(events) {}

  void noted(const delivery_event& event, std::string_view collector, std::string_view cause) override;

 private:
  operator_events& events_;
};

}  // namespace cellos
