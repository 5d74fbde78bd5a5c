#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/evidence/segment_log.hpp"

namespace cellos::soak {

struct soak_options {
  /// Over all cells.
  std::uint64_t frames = 20'000'000;
  std::size_t cells = 8;
  std::uint64_t crashes = 500;
  /// Poisoned declarations over all cells.
  std::uint64_t poison = 40;
  std::uint64_t seed = 1;
  std::size_t threads = 4;
  /// Sockets and evidence are made below; the caller removes them.
  std::filesystem::path dir;
  fsync_policy fsync = fsync_policy::interval;
  /// Says how far it is, on stderr.
  bool progress = false;
};

/// What came of it, and what was wrong.
struct soak_report {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t appended = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t refused = 0;
  std::uint64_t quarantined_frames = 0;
  std::uint64_t quarantined_chunks = 0;
  std::uint64_t planted_poison = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t log_lines = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t segments_removed = 0;
  std::uint64_t crashes = 0;
  std::map<std::string, std::uint64_t> deaths;
  std::uint64_t audits = 0;
  std::uint64_t most_in_flight = 0;
  double seconds = 0;
  /// Each a sentence; none if all is as it must be.
  std::vector<std::string> faults;
};

/// A host under full load whose actors are ended again and again; see docs/testing.md. Throws only if it could not be
/// begun or a guest was cut off.
soak_report run_soak(const soak_options& options);

std::string to_text(const soak_report& report);

}  // namespace cellos::soak
