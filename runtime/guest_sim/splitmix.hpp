#pragma once

#include <cstddef>
#include <cstdint>

namespace cellos::guest_sim {

/// Steele, Lea and Flood's SplitMix64: the same numbers for a seed on every machine and standard library, which the
/// distributions of `<random>` do not promise.
class splitmix {
 public:
  explicit constexpr splitmix(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// 0 to `limit` - 1; `limit` is at least 1.
  constexpr std::uint32_t below(std::uint32_t limit) {
    return static_cast<std::uint32_t>(((next() >> 32) * limit) >> 32);
  }

  /// Both ends included.
  constexpr std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }

  constexpr bool one_in(std::uint32_t many) { return below(many) == 0; }

  constexpr std::uint8_t byte() { return static_cast<std::uint8_t>(next() >> 56); }

  template <class Sequence>
  constexpr const auto& pick(const Sequence& choices) {
    return choices[below(static_cast<std::uint32_t>(choices.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace cellos::guest_sim
