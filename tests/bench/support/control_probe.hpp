#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/bench/support/paced_load.hpp"

namespace cellos::bench {

/// An orchestrator beside the load: admits a cell, asks for all cells, and removes it again, several times a second.
class control_probe {
 public:
  /// Sockets of its cells go to `dir`. `cells`: how many there are besides.
  control_probe(std::string control_socket, std::filesystem::path dir, std::size_t cells);
  ~control_probe();

  struct findings {
    distribution puts;
    distribution lists;
    /// Answers of GET /cells, and those in which a cell was missing.
    std::uint64_t lists_asked = 0;
    std::uint64_t lists_incomplete = 0;
    /// Cells that were shown as last seen.
    std::uint64_t stale = 0;
    std::string problem;
  };
  findings finish();

 private:
  void run();
  void admit_and_list(std::uint64_t round);

  std::string control_socket_;
  std::filesystem::path dir_;
  std::size_t cells_;
  findings found_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cellos::bench
