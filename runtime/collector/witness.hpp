#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include "messages/instants.hpp"
#include "messages/node_statement.hpp"
#include "runtime/collector/collector_store.hpp"
#include "runtime/collector/recorded_hosts.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

/// Finds what a collector can newly vouch for: of each copy that has moved, a place every `interval` and the end of
/// each segment. Only what is durable, which is never taken back, so that it reads without any lock that ingest needs.
class witness {
 public:
  explicit witness(std::chrono::nanoseconds interval, file_system& files = real_file_system())
      : files_(files), interval_(interval) {}

  /// Of as many copies as it takes for `most`; the others have their turn when these were recorded. `all`: whatever has
  /// moved, whether or not its time has come. A copy that cannot be read is left for later.
  std::vector<witnessed_log> look(const std::vector<collector_store::named_copy>& copies, const recorded_hosts& known,
                                  monotonic_time now, std::size_t most, bool all);

 private:
  struct pace {
    /// When the place it has reached is worth an event.
    monotonic_time due;
    /// Before this one the ends of all segments were looked for.
    std::uint64_t segment = 0;
    /// Of the piece that begins there, so many bytes were hashed.
    segment_position piece;
    std::uint64_t hashed = 0;
    sha256 bytes;
  };

  /// False where something could not be read.
  bool look_at(const collector_store::named_copy& copy, segment_position known, bool is_due, pace& of,
               std::vector<witnessed_log>& into);
  /// What ends there, in the piece that begins at `begin`.
  bool add(const collector_store::named_copy& copy, segment_position begin, segment_position end, pace& of,
           std::vector<witnessed_log>& into);
  bool hash(int piece, std::uint64_t until, pace& of);
  std::uint64_t size_of(const std::filesystem::path& piece) const;

  file_system& files_;
  const std::chrono::nanoseconds interval_;
  std::map<std::tuple<std::string, node_log_id, std::uint32_t>, pace> paces_;
};

}  // namespace cellos
