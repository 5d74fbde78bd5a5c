#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cellos {

/// Why something was refused. Enumerator, counter label and log field are one word; numbers are append-only.
enum class telemetry_errc : std::uint8_t {
  none = 0,
  /// The cell's socket could not be bound (path, reason in the error's text). Admission fails.
  bind_failed = 1,
  /// One frame's body is not what docs/wire-format.md allows. Costs that frame.
  malformed_frame = 2,
  /// Major of `content_version` is not ours. Costs that frame.
  unsupported_version = 3,
  /// `probe_source` is outside the closed set. Costs that frame.
  unknown_probe_source = 4,
  /// A length of 0 or over 4096: frame boundaries cannot be found again. Costs the connection.
  framing_lost = 5,
  /// The connection ended inside a frame.
  torn_frame = 6,
  /// The cell has used up its share of the evidence log. Costs that frame.
  over_quota = 7,
};

/// The refusals a guest can cause, in counter order.
inline constexpr std::array refusal_kinds{
    telemetry_errc::malformed_frame, telemetry_errc::unsupported_version, telemetry_errc::unknown_probe_source,
    telemetry_errc::framing_lost,    telemetry_errc::torn_frame,          telemetry_errc::over_quota,
};

constexpr std::string_view to_string(telemetry_errc code) {
  switch (code) {
    case telemetry_errc::none: return "none";
    case telemetry_errc::bind_failed: return "bind_failed";
    case telemetry_errc::malformed_frame: return "malformed_frame";
    case telemetry_errc::unsupported_version: return "unsupported_version";
    case telemetry_errc::unknown_probe_source: return "unknown_probe_source";
    case telemetry_errc::framing_lost: return "framing_lost";
    case telemetry_errc::torn_frame: return "torn_frame";
    case telemetry_errc::over_quota: return "over_quota";
  }
  return "none";
}

/// How many frames were refused, by kind.
class refusal_counts {
 public:
  constexpr void add(telemetry_errc kind, std::uint64_t frames = 1) { counts_[slot(kind)] += frames; }
  constexpr std::uint64_t operator[](telemetry_errc kind) const { return counts_[slot(kind)]; }
  constexpr refusal_counts& operator+=(const refusal_counts& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    return *this;
  }
  constexpr std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (auto count : counts_) sum += count;
    return sum;
  }
  bool operator==(const refusal_counts&) const = default;

 private:
  static constexpr std::size_t slot(telemetry_errc kind) {
    return static_cast<std::size_t>(kind) - static_cast<std::size_t>(refusal_kinds.front());
  }
  std::array<std::uint64_t, refusal_kinds.size()> counts_{};
};

}  // namespace cellos
