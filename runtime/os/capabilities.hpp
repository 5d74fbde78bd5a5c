#pragma once

#include <cstdint>
#include <string>
#include <system_error>

/// capabilities(7) of the calling thread, which is the whole process as long as it has no other.
namespace cellos {

/// A bit for each number of linux/capability.h.
using capability_set = std::uint64_t;

constexpr capability_set capability(int number) { return capability_set{1} << number; }

struct capability_sets {
  capability_set effective = 0;
  capability_set permitted = 0;
  capability_set inheritable = 0;
};

capability_sets present_capabilities();

/// An error where a filter of system calls forbids it, or `permitted` has more than there was.
std::error_code set_capabilities(const capability_sets& sets);

/// Takes these out of every set of the thread, so that neither it nor what it becomes by exec has them again. Out of
/// the bounding set only where it has CAP_SETPCAP: without, no_new_privs does the same.
std::error_code drop_capabilities(capability_set dropped);

/// What this thread is to pass on to the program that it becomes next, among what it has. Async-signal-safe.
void keep_over_exec(capability_set kept);

/// `CAP_NET_ADMIN CAP_SYS_ADMIN`; those that have no name here by their number.
std::string to_words(capability_set set);

}  // namespace cellos
