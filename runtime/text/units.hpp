#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cellos {

/// The longest duration that can be written anywhere: longer ones are typing mistakes.
inline constexpr std::chrono::nanoseconds longest_duration = std::chrono::hours{24};
/// As it is written, for messages.
inline constexpr std::string_view longest_duration_text = "24h";

/// A duration as people write it: a number, whole or with up to 9 decimals, and at once one of `us ms s m h`
/// ("100ms", "1.5s"). Nothing for any other form, for zero, and for more than 24 h. Parts of a nanosecond are dropped.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Bytes as people write them: a number as above and one of `B kB KB MB GB TB` (powers of 1000) or `KiB MiB GiB TiB`
/// (powers of 1024). Nothing for any other form, and for what does not fit a file offset. Parts of a byte are dropped.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The units, for messages.
inline constexpr std::string_view duration_units = "us, ms, s, m, h";
inline constexpr std::string_view size_units = "B, KiB, MiB, GiB, TiB, KB, MB, GB, TB";

}  // namespace cellos
