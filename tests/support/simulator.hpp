#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/telemetry_errc.hpp"
#include "tests/support/process.hpp"

namespace cellos::test {

/// How a guest is to behave; see `cellos-guest-sim --help`.
struct simulation {
  std::string socket{};
  std::uint64_t frames = 0;
  std::string scenario = "honest";
  std::uint64_t seed = 1;
  /// Empty: as the scenario needs.
  std::string content_version{};
  std::vector<std::string> further{};
  std::optional<uid_t> uid{};
  /// Empty: the one that was built.
  std::string program{};
};

/// What the simulator says it sent.
struct sent_report {
  std::uint64_t frames = 0;
  std::uint64_t declarations = 0;
  std::uint64_t heartbeats = 0;
  refusal_counts refused;
  std::uint64_t forged_attribution = 0;
  std::uint64_t missing_seq = 0;
  std::uint64_t dropped_by_guest = 0;
  std::uint64_t connections = 0;
  double seconds = 0;
};

/// A running `cellos-guest-sim`.
class simulator : public process {
 public:
  explicit simulator(const simulation& what);

  /// Waits for its end, which must be a good one, and reads its report.
  sent_report finish(std::chrono::nanoseconds limit = test_timeout);
  /// SIGTERM first: it ends between two frames.
  sent_report stop(std::chrono::nanoseconds limit = test_timeout);
  /// After its end, good or not.
  sent_report report() const;
};

sent_report simulate(const simulation& what);

}  // namespace cellos::test
