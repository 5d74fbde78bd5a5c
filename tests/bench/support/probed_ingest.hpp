#pragma once

#include <cstddef>
#include <string>

namespace cellos::bench {

struct probed_ingest_options {
  std::size_t cells = 1000;
  /// Of each cell.
  double frames_a_second = 10;
  std::size_t seconds = 30;
  double period_seconds = 10;
  std::size_t rounds = 3;
};

/// The real daemon with its cells' probes and without, in turns: what a frame costs, what the probes of a host with
/// idle agents cost, and how late silence is reported. As Markdown: ratios first, medians with (least..most). Throws
/// where nothing of this can be had here.
std::string compare_probed_ingest(const probed_ingest_options& options);

}  // namespace cellos::bench
