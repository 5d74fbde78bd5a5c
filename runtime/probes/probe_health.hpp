#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "messages/host_probe.hpp"

namespace cellos {

/// What becomes of one probe of one cell: counts each outcome, and says when the kind of it changes, so that an
/// operator hears once of a source that fails a thousand times, and once that it is back.
class probe_health {
 public:
  struct change {
    /// Nothing: it reads again.
    std::optional<probe_error_kind> failing;
    bool operator==(const change&) const = default;
  };

  std::optional<change> succeeded() {
    ++readings_;
    return turn_to(std::nullopt);
  }
  std::optional<change> failed(probe_error_kind kind) {
    ++errors_[static_cast<std::size_t>(kind)];
    return turn_to(kind);
  }

  std::uint64_t readings() const { return readings_; }
  std::uint64_t errors(probe_error_kind kind) const { return errors_[static_cast<std::size_t>(kind)]; }
  std::optional<probe_error_kind> failing() const { return failing_; }

 private:
  std::optional<change> turn_to(std::optional<probe_error_kind> next) {
    if (next == failing_) return std::nullopt;
    failing_ = next;
    return change{next};
  }

  std::uint64_t readings_ = 0;
  std::array<std::uint64_t, probe_error_names.size()> errors_{};
  std::optional<probe_error_kind> failing_;
};

}  // namespace cellos
