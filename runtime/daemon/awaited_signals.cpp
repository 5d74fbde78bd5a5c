#include "runtime/daemon/awaited_signals.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace cellos {

namespace {

/// SIGXCPU: the hard limit is what kills. SIGPWR: the power is about to fail.
constexpr std::array draining{SIGTERM, SIGINT, SIGQUIT, SIGXCPU, SIGPWR};
constexpr std::array meaningless{SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT};

/// A write to a closed peer, beyond the file size limit, or to the terminal of somebody else's job.
constexpr std::array errors_instead{SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU};

bool contains(const auto& signals, int signal) {
  for (const int each : signals) {
    if (each == signal) return true;
  }
  return false;
}

}  // namespace

sigset_t awaited_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : draining) ::sigaddset(&signals, signal);
  for (const int signal : meaningless) ::sigaddset(&signals, signal);
  ::sigaddset(&signals, SIGHUP);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) ::sigaddset(&signals, signal);
  return signals;
}

std::string take_up_signals() {
  const sigset_t signals = awaited_signals();
  // Blocked before their defaults come back: one that waits must not end us.
  if (::pthread_sigmask(SIG_SETMASK, &signals, nullptr) != 0) return "the kernel refuses to block signals";
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    struct sigaction found {};
    // Handlers are not inherited: one that is there is the runtime's own, a sanitizer's.
    if (::sigaction(signal, nullptr, &found) != 0 || found.sa_handler != SIG_IGN) continue;
    ::signal(signal, SIG_DFL);
  }
  for (const int signal : errors_instead) ::signal(signal, SIG_IGN);
  return {};
}

received_signal wait_for_signal() {
  const sigset_t signals = awaited_signals();
  siginfo_t received{};
  while (true) {
    const int signal = ::sigwaitinfo(&signals, &received);
    if (signal > 0) return {signal, received.si_code <= 0 ? received.si_pid : 0};
    if (errno != EINTR) return {SIGTERM, 0};
  }
}

signal_meaning meaning_of(int signal) {
  if (signal == SIGHUP) return signal_meaning::reload;
  return contains(draining, signal) ? signal_meaning::drain : signal_meaning::nothing;
}

std::string signal_name(int signal) {
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  const char* const name = ::sigabbrev_np(signal);
  return name == nullptr ? std::to_string(signal) : std::string{"SIG"} + name;
}

}  // namespace cellos
