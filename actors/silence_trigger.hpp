#pragma once

#include <optional>

#include "messages/agent_silenced.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// Decides when an agent has fallen silent: strictly more than the window since the last accepted frame, reported once.
///
/// Pure: time comes in with each question. Admission counts as the first accepted frame.
class silence_trigger {
 public:
  explicit silence_trigger(std::chrono::nanoseconds window) : window_(window) {}

  /// The first instant at which silence can be concluded if nothing more is accepted.
  monotonic_time deadline(monotonic_time last_accepted) const {
    return last_accepted + window_ + std::chrono::nanoseconds{1};
  }

  bool exceeded(monotonic_time now, monotonic_time last_accepted) const { return now - last_accepted > window_; }

  /// The silence to report, the first time the window is exceeded; nothing before and nothing ever after.
  std::optional<agent_silenced> fire(monotonic_time now, monotonic_time last_accepted);

  bool spent() const { return spent_; }

 private:
  std::chrono::nanoseconds window_;
  bool spent_ = false;
};

}  // namespace cellos
