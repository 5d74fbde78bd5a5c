// `./dev fuzz SECONDS nft_dump`: libFuzzer on what the kernel lists of nftables.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "runtime/probes/nft_messages.hpp"

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  // Of the size, so that a read beyond the end is seen; from new, so that it is aligned.
  const auto datagram = std::make_unique<char[]>(size);
  std::memcpy(datagram.get(), input, size);
  cellos::nft_ruleset ruleset;
  cellos::nft_dump dump{1, ruleset};
  (void)dump.take({datagram.get(), size});
  for (const auto& [table, counters] : ruleset) {
    if (table.family.empty() || table.table.empty()) std::abort();
    for (const auto& each : counters) {
      // A row is a named counter's or a rule's.
      if (each.name.empty() == each.chain.empty()) std::abort();
    }
  }
  return 0;
}
