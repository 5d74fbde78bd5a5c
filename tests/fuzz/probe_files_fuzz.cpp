// `./dev fuzz SECONDS probe_files`: libFuzzer on what the kernel says of processes and control groups, into which a VMM
// writes its own name. The first byte says whose file it is.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/probes/cgroup_files.hpp"
#include "runtime/probes/process_files.hpp"

namespace {

/// No path of a control group leads out of its hierarchy.
void check(const std::string& path) {
  if (path.starts_with("../") || path.find("/../") != std::string::npos || path.ends_with("/..") || path == "..") {
    std::abort();
  }
}

void read_membership(std::string_view text) {
  const auto groups = cellos::parse_cgroup_membership(text);
  if (!groups) return;
  if (groups->v2) check(*groups->v2);
  for (const auto& each : groups->v1) check(each.path);
}

/// A process that names itself moves no field.
void read_named(std::string_view name) {
  const std::string text = "7 (" + std::string{name} +
                           ") S 1 1 1 0 -1 0 0 0 0 0 8 9 0 0 20 0 3 0 11 12 13 14 1 2 3 0 0 " +
                           "0 0 0 0 0 0 0 17 1 0 0 0 0 0 4 5 6 7 8 9 10 0";
  const auto stat = cellos::parse_process_stat(text);
  if (!stat || stat->state != 'S' || stat->start_ticks != 11 || stat->user_ticks != 8) std::abort();
}

}  // namespace

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size == 0) return -1;
  const std::string_view text{reinterpret_cast<const char*>(input) + 1, size - 1};
  switch (input[0] % 7) {
    case 0: cellos::parse_process_stat(text); break;
    case 1: cellos::parse_process_status(text); break;
    case 2: cellos::parse_flat_values(text); break;
    case 3: cellos::parse_single_value(text); break;
    case 4: cellos::parse_pressure(text); break;
    case 5: read_membership(text); break;
    default: read_named(text);
  }
  return 0;
}
