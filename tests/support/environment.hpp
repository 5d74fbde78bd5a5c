#pragma once

#include <cstddef>
#include <cstdlib>

namespace cellos::test {

/// How much a test is to do: `otherwise`, or what an environment variable says for a long run.
inline std::size_t amount_of(const char* variable, std::size_t otherwise) {
  const char* said = std::getenv(variable);
  return said == nullptr ? otherwise : std::strtoul(said, nullptr, 10);
}

}  // namespace cellos::test
