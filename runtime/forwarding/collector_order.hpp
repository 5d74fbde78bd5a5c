#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

#include "messages/instants.hpp"

namespace cellos {

/// Which of the collectors is tried next, and when: in their order, and when all have failed after a pause that
/// doubles, drawn evenly between nothing and its whole length, so that a thousand hosts do not come back at once.
class collector_order {
 public:
  struct pauses {
    std::chrono::milliseconds first{100};
    std::chrono::milliseconds longest{30'000};
  };

  /// `collectors`: at least one. `seed`: of the draws.
  collector_order(std::size_t collectors, pauses between, std::uint64_t seed)
      : collectors_(collectors), pauses_(between), random_(seed) {}

  struct choice {
    std::size_t collector = 0;
    monotonic_time when;
  };
  choice first(monotonic_time now) const { return {0, now}; }
  /// This one cannot be reached, or was lost, or refuses. `permanent`: until somebody changes something.
  choice after_failure(std::size_t collector, bool permanent, monotonic_time now);
  /// A collector has been answering well for a while: the next failure counts as the first.
  void note_good() { failed_ = rounds_ = 0; }

 private:
  std::chrono::nanoseconds draw(std::chrono::nanoseconds longest);

  std::size_t collectors_;
  pauses pauses_;
  std::mt19937_64 random_;
  /// Failures in this round, and rounds in which all failed.
  std::size_t failed_ = 0;
  std::uint32_t rounds_ = 0;
  bool all_permanent_ = true;
};

}  // namespace cellos
