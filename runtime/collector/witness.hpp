#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
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

/// What a host can make a collector do at most by what it sends.
struct witness_limits {
  /// Between two places of a copy.
  std::chrono::nanoseconds interval{};
  /// Ends of segments of one host in an interval; of more, the newest. Chosen here: 16 GiB in segments of 64 MiB.
  std::size_t ends = 256;
  /// Read in one look. Chosen here: a quarter of a second or less.
  std::uint64_t bytes = std::uint64_t{64} << 20;
};

/// Finds what a collector can newly vouch for: of each copy that has moved, a place every interval and the end of each
/// segment. Only what is durable, which is never taken back, so that it reads without any lock that ingest needs.
class witness {
 public:
  explicit witness(const witness_limits& limits, file_system& files = real_file_system())
      : files_(files), limits_(limits) {}

  struct look_request {
    monotonic_time now;
    /// Statements at most.
    std::size_t most = 0;
    /// Whatever has moved, whether or not its time has come, and however much there is to read.
    bool all = false;
    /// Asked again and again; once it is false nothing more is found. Needed.
    std::function<bool()> goes_on;
  };
  /// Copies that have nothing in it have their turn when these were recorded, and what is not read yet goes on then. A
  /// copy that cannot be read is left for later.
  std::vector<witnessed_log> look(const std::vector<collector_store::named_copy>& copies, const recorded_hosts& known,
                                  const look_request& request);

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
  /// Of one host.
  struct share {
    monotonic_time renewed;
    std::size_t ends = 0;
  };
  struct piece_end {
    segment_position begin;
    segment_position end;
  };

  share& share_of(const std::string& host_id, monotonic_time now);
  /// The newest that a host may have witnessed, of those that end segments behind `known`, in order, and in any case
  /// that of the segment where `known` is. Nothing where the directory cannot be read.
  std::optional<std::vector<piece_end>> ended_segments(const collector_store::named_copy& copy, segment_position known,
                                                       segment_position last, std::size_t most) const;
  /// False where something is left to be found.
  bool look_at(const collector_store::named_copy& copy, segment_position known, bool is_due, pace& of,
               std::vector<witnessed_log>& into);
  /// What ends there, in the piece that begins at `begin`.
  bool add(const collector_store::named_copy& copy, segment_position begin, segment_position end, pace& of,
           std::vector<witnessed_log>& into);
  bool hash(int piece, std::uint64_t until, pace& of);
  std::uint64_t size_of(const std::filesystem::path& piece) const;

  file_system& files_;
  const witness_limits limits_;
  std::map<std::tuple<std::string, node_log_id, std::uint32_t>, pace> paces_;
  std::map<std::string, share> shares_;
  /// Of the copies, the one that is looked at first: behind one that used up what may be read at once.
  std::size_t first_ = 0;

  // Of one look.
  const look_request* request_ = nullptr;
  std::uint64_t bytes_left_ = 0;
};

}  // namespace cellos
