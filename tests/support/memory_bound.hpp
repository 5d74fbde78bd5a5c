#pragma once

#include <cstdint>
#include <limits>

namespace cellos::test {

/// What the daemon may have resident at most, whatever its guests do. Sanitizers need several times what they watch.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t most_resident_bytes = std::numeric_limits<std::uint64_t>::max();
#else
inline constexpr std::uint64_t most_resident_bytes = 200'000'000;
#endif

}  // namespace cellos::test
