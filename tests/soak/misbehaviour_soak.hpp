#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cellos::soak {

struct misbehaviour_options {
  std::chrono::seconds length{600};
  /// That stay all day; others come and go.
  std::size_t cells = 8;
  std::uint64_t seed = 1;
  std::size_t threads = 4;
  /// Rows of the report.
  std::size_t rows = 12;
  /// Sockets and evidence are made below; the caller removes them.
  std::filesystem::path dir;
  /// Off where the process is watched by what keeps freed memory, such as a sanitizer.
  bool checks_memory = true;
  /// Says how far it is, on stderr.
  bool progress = false;
};

/// One range of the day.
struct soak_hour {
  std::chrono::seconds until{};
  std::uint64_t frames = 0;
  std::uint64_t cells_retired = 0;
  std::uint64_t crashes = 0;
  /// Of this process, guests and checks included.
  double mean_resident_mb = 0;
  double most_resident_mb = 0;
  std::size_t most_descriptors = 0;
};

struct misbehaviour_report {
  std::vector<soak_hour> hours;
  /// Before the first cell was admitted and after the last was retired.
  std::size_t descriptors_before = 0;
  std::size_t descriptors_after = 0;
  std::map<std::string, std::uint64_t> actions;
  std::map<std::string, std::uint64_t> deaths;
  std::uint64_t received = 0;
  std::uint64_t log_lines = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t audits = 0;
  std::uint64_t full_logs = 0;
  std::uint64_t quarantined_chunks = 0;
  /// Each a sentence; none if all is as it must be.
  std::vector<std::string> faults;
};

/// What is wrong with how resident memory went, or nothing: in the last third of the rows it is what it was in the
/// second, while the first warms up. Fewer than three rows are too few to say so, which is wrong too.
std::optional<std::string> memory_growth(const std::vector<soak_hour>& hours);

/// A day of guests that misbehave in every way, of crashes, full disks and cells that come and go, compressed. The
/// totals must balance and chains have no gap as always; memory and descriptors must not grow.
misbehaviour_report run_misbehaviour_soak(const misbehaviour_options& options);

/// Markdown.
std::string to_text(const misbehaviour_report& report);

}  // namespace cellos::soak
