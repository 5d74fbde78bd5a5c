// `./dev fuzz SECONDS link_dump`: libFuzzer on what rtnetlink answers.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "runtime/probes/link_messages.hpp"

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  // Of the size, so that a read beyond the end is seen; from new, so that it is aligned.
  const auto datagram = std::make_unique<char[]>(size);
  std::memcpy(datagram.get(), input, size);
  cellos::link_dump dump{1};
  if (dump.take({datagram.get(), size}) == cellos::link_dump::progress::refused && dump.refusal() == 0) std::abort();
  for (const auto& [name, link] : dump.links()) {
    if (name.empty() || link.operstate.empty()) std::abort();
  }
  return 0;
}
