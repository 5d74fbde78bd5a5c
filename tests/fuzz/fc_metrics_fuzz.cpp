// `./dev fuzz SECONDS fc_metrics`: libFuzzer on what a VMM writes as its metrics, in pieces. Whatever it is, what is
// kept of it stays within the limits, and the pieces do not matter.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/probes/metrics_account.hpp"

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size == 0) return -1;
  const std::size_t piece = 1U + input[0];
  const std::string_view text{reinterpret_cast<const char*>(input) + 1, size - 1};
  cellos::metrics_limits limits;
  limits.document_bytes = 512;
  limits.values = 8;
  limits.name_bytes = 16;
  cellos::metrics_account whole{limits};
  cellos::metrics_account pieces{limits};
  whole.take(text);
  for (std::size_t at = 0; at < text.size(); at += piece) pieces.take(text.substr(at, piece));
  const bool same = whole.documents() == pieces.documents() && whole.malformed_lines() == pieces.malformed_lines() &&
                    whole.last_document() == pieces.last_document() && whole.values() == pieces.values();
  if (!same || whole.values().size() > limits.values) std::abort();
  return 0;
}
