#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

#include "messages/instants.hpp"

namespace cellos {

/// How it ended with a collector.
enum class collector_failure : std::uint8_t {
  /// It is there: it refused, or the connection broke. Whoever was connected to it comes back.
  reached,
  /// Nobody answered for as long as one is waited for.
  silent,
  /// It refuses until somebody changes something.
  permanent,
};

/// Which of the collectors is tried next, and when: in their order, and when all have failed after a pause that
/// doubles, drawn evenly between nothing and its whole length, so that a thousand hosts do not come back at once.
class collector_order {
 public:
  struct pauses {
    std::chrono::milliseconds first{100};
    std::chrono::milliseconds longest{30'000};
    /// Where somebody did not answer at all: an attempt that reaches nobody burdens nobody, and took its time already;
    /// a network that was cut is to be used again within ten seconds. Chosen here.
    std::chrono::milliseconds longest_silent{4000};
  };

  /// `collectors`: at least one. `seed`: of the draws.
  collector_order(std::size_t collectors, pauses between, std::uint64_t seed)
      : collectors_(collectors), pauses_(between), random_(seed) {}

  struct choice {
    std::size_t collector = 0;
    monotonic_time when;
  };
  choice first(monotonic_time now) const { return {0, now}; }
  choice after_failure(std::size_t collector, collector_failure how, monotonic_time now);
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
  bool some_silent_ = false;
};

}  // namespace cellos
