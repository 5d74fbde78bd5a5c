#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "tests/support/certificate_directory.hpp"

namespace cellos::bench {

/// A collector whose hosts say nothing but that they live.
struct idle_hosts_result {
  std::size_t hosts = 0;
  /// Of the collector's process, before the first host came and with all of them greeted.
  double resident_mb_before = 0;
  double resident_mb = 0;
  /// Of one core, while they are idle.
  double cpu_percent = 0;
};

/// A real collector and so many hosts with a certificate each, which are played by a light client of the same protocol.
/// Throws if one of them is not connected at the end.
idle_hosts_result measure_idle_hosts(const std::filesystem::path& dir, const test::certificate_directory& certificates,
                                     std::size_t hosts);

}  // namespace cellos::bench
