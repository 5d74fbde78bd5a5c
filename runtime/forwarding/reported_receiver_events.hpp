#pragma once

#include "actors/events.hpp"
#include "runtime/forwarding/receiver_events.hpp"

namespace cellos {

/// As lines of the operator's log.
class reported_receiver_events final : public receiver_events {
 public:
  /// `events` must outlive it.
  explicit reported_receiver_events(operator_events& events) : events_(events) {}

  void noted(const receiver_note& note, std::string_view receiver) override;

 private:
  operator_events& events_;
};

}  // namespace cellos
