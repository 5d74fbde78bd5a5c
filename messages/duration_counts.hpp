#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cellos {

/// How often something took how long, counted while it happens. Thread-safe.
class duration_counts {
 public:
  /// Upper bounds in seconds, from a write to memory to a disk that is about to fail; chosen here.
  static constexpr std::array<double, 16> bounds{100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3,
                                                 50e-3,  0.1,    0.25,   0.5,  1.0,    2.5,  5.0,   10.0};

  struct values {
    /// Those within each bound and above the one before; the last: above all.
    std::array<std::uint64_t, bounds.size() + 1> within{};
    double seconds = 0;

    std::uint64_t count() const {
      std::uint64_t all = 0;
      for (const std::uint64_t each : within) all += each;
      return all;
    }
  };

  void add(std::chrono::nanoseconds took) {
    const double seconds = std::chrono::duration<double>{took}.count();
    std::size_t at = 0;
    while (at < bounds.size() && seconds > bounds[at]) ++at;
    ++within_[at];
    nanoseconds_ += static_cast<std::uint64_t>(took.count() > 0 ? took.count() : 0);
  }

  values read() const {
    values now;
    for (std::size_t i = 0; i < within_.size(); ++i) now.within[i] = within_[i];
    now.seconds = static_cast<double>(nanoseconds_) * 1e-9;
    return now;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> within_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace cellos
