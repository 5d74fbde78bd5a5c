#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string_view>

namespace cellos::test {

/// How often `bytes` are in the memory of a process, but for what it keeps out of core dumps. As root.
std::size_t copies_in_memory(pid_t process, std::string_view bytes);

}  // namespace cellos::test
