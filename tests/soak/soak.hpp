#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// A whole host under load, in one process and on real sockets, whose actors are killed all the while.
namespace cellos::soak {

struct soak_options {
  std::filesystem::path dir;
  /// Of all cells together.
  std::uint64_t frames = 1'000'000;
  std::size_t cells = 8;
  /// Actors killed, spread evenly over the frames.
  std::uint64_t crashes = 50;
  /// Chunks that no DECODER survives, a cell.
  std::uint64_t poison_per_cell = 1;
  /// Which actors are killed, and how.
  std::uint64_t seed = 1;
};

struct soak_outcome {
  std::uint64_t sent = 0;
  std::uint64_t logged = 0;
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  std::uint64_t quarantined_frames = 0;
  std::uint64_t quarantined_chunks = 0;
  std::uint64_t planted = 0;
  std::uint64_t crashes = 0;
  /// Times the books of a cell were looked at and held.
  std::uint64_t books_held = 0;
  double seconds = 0;
  /// Broken promises, as sentences; at most ten.
  std::vector<std::string> violations;
};

/// Throws when the host cannot even be started. `tell` hears now and then how many frames were sent.
soak_outcome run_soak(const soak_options& options, const std::function<void(std::uint64_t sent)>& tell = {});

}  // namespace cellos::soak
