#pragma once

#include <cstdint>
#include <span>
#include <string>

/// seccomp(2), as far as the privileged reader needs it. Not by libseccomp: a list of calls is a dozen lines of BPF,
/// and no library to have.
namespace cellos {

/// A system call that is allowed; where `argument` is not negative, only if its lower 32 bits, masked, are the value:
/// for arguments that are of 32 bits themselves.
struct allowed_call {
  long number;
  int argument = -1;
  std::uint32_t mask = ~0U;
  std::uint32_t value = 0;
};

/// From here on any other call kills this process, and those that it forks; empty, or why that cannot be had. Needs
/// no_new_privs. Filters add up: a later one takes away only. Does nothing in a build with a sanitizer, whose runtime
/// makes calls of its own.
std::string allow_only(std::span<const allowed_call> calls);

}  // namespace cellos
