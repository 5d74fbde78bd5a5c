#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cellos {

/// Cuts one connection's byte stream at frame boundaries. Keeps at most one partial frame (4100 bytes).
class framer {
 public:
  struct cut {
    /// Whole frames only, lengths included.
    std::vector<std::uint8_t> bytes;
    std::uint32_t frames = 0;
    /// A length of 0 or over 4096 came: no boundary can be found after `bytes`.
    bool lost = false;
  };

  cut push(std::span<const std::uint8_t> input);

  /// Whether the stream stands inside a frame.
  bool inside_frame() const { return !tail_.empty(); }

 private:
  bool completes_nothing(std::size_t input_bytes) const;

  std::vector<std::uint8_t> tail_;
};

}  // namespace cellos
