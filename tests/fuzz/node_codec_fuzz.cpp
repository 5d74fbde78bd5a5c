// `./dev fuzz SECONDS node_codec`: libFuzzer on what nodes say to each other. A message that reads differently after it
// was written again is a finding, as is any read beyond the bytes.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "tests/support/node_codec_check.hpp"

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t bytes) {
  const std::string disagreement =
      cellos::test::disagreement_about_message({reinterpret_cast<const char*>(input), bytes});
  if (!disagreement.empty()) {
    std::fprintf(stderr, "%s\n", disagreement.c_str());
    std::abort();
  }
  return 0;
}
