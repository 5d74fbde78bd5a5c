#include "runtime/os/capabilities.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace cellos {

namespace {

/// The newest of capget(2): two words of 32 bits.
using kernel_sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr int most_numbers = 64;

constexpr std::array<std::pair<int, std::string_view>, 3> names{{
    {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
}};

__user_cap_header_struct own_header() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

std::uint32_t lower(capability_set set) { return static_cast<std::uint32_t>(set); }
std::uint32_t upper(capability_set set) { return static_cast<std::uint32_t>(set >> 32); }
capability_set joined(std::uint32_t low, std::uint32_t high) { return capability_set{high} << 32 | low; }

}  // namespace

capability_sets present_capabilities() {
  auto header = own_header();
  kernel_sets sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return {};
  return {joined(sets[0].effective, sets[1].effective), joined(sets[0].permitted, sets[1].permitted),
          joined(sets[0].inheritable, sets[1].inheritable)};
}

std::error_code set_capabilities(const capability_sets& sets) {
  auto header = own_header();
  const kernel_sets words{{
      {lower(sets.effective), lower(sets.permitted), lower(sets.inheritable)},
      {upper(sets.effective), upper(sets.permitted), upper(sets.inheritable)},
  }};
  if (::syscall(SYS_capset, &header, words.data()) != 0) return {errno, std::generic_category()};
  return {};
}

std::error_code drop_capabilities(capability_set dropped) {
  for (int number = 0; number < most_numbers; ++number) {
    if ((dropped & capability(number)) == 0) continue;
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, number, 0, 0);
    ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
  }
  const capability_sets has = present_capabilities();
  return set_capabilities({has.effective & ~dropped, has.permitted & ~dropped, has.inheritable & ~dropped});
}

void keep_over_exec(capability_set kept) {
  capability_sets has = present_capabilities();
  has.inheritable |= kept & has.permitted;
  if (set_capabilities(has)) return;
  for (int number = 0; number < most_numbers; ++number) {
    if ((kept & capability(number)) != 0) ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
  }
}

std::string to_words(capability_set set) {
  std::string words;
  for (int number = 0; number < most_numbers; ++number) {
    if ((set & capability(number)) == 0) continue;
    std::string name = std::to_string(number);
    for (const auto& [known, spelling] : names) {
      if (known == number) name = spelling;
    }
    words += (words.empty() ? "" : " ") + name;
  }
  return words;
}

}  // namespace cellos
