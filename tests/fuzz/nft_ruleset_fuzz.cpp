// `./dev fuzz SECONDS nft_ruleset`: libFuzzer on what libnftables lists.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/probes/nft_document.hpp"

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto ruleset = cellos::parse_nft_ruleset({reinterpret_cast<const char*>(input), size});
  if (!ruleset) return 0;
  for (const auto& [table, counters] : *ruleset) {
    for (const auto& each : counters) {
      // A row is a named counter's or a rule's.
      if (!each.name.empty() && !each.chain.empty()) std::abort();
    }
  }
  return 0;
}
