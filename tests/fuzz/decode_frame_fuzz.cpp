// `./dev fuzz`: libFuzzer on the frame decoder. Any input on which the decoder and its oracle disagree is a finding.

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "messages/wire_format.hpp"
#include "tests/support/frame_oracle.hpp"

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t bytes) {
  // The framer hands over nothing larger.
  if (bytes > cellos::wire::max_frame_body_bytes) return -1;
  const std::string disagreement = cellos::disagreement_about(std::span{input, bytes});
  if (!disagreement.empty()) {
    std::fprintf(stderr, "%s\n", disagreement.c_str());
    std::abort();
  }
  return 0;
}
