#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace cellos {

enum class signal_meaning : std::uint8_t { drain, reload, nothing };

struct received_signal {
  int number = 0;
  /// 0 where the kernel sent it.
  pid_t sender = 0;
};

/// Every signal that would end the process and that nobody sends it for a fault of its own: the main thread waits for
/// them, so that none ends the daemon undrained.
sigset_t awaited_signals();

/// Blocks them for this thread and all it starts. Any other that the parent blocked or ignored is as it is by default,
/// but for those whose default would end or stop a daemon for what an error code says too. Empty, or why not.
std::string take_up_signals();

/// Waits for one of them.
received_signal wait_for_signal();

signal_meaning meaning_of(int signal);

/// As `kill -l` calls it, with SIG before it.
std::string signal_name(int signal);

}  // namespace cellos
