#include "runtime/guest_sim/stop_signal.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace cellos::guest_sim {

namespace {

file_descriptor checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return file_descriptor{fd};
}

}  // namespace

stop_signal stop_signal::from_process() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (auto failed = pthread_sigmask(SIG_BLOCK, &signals, nullptr); failed != 0) {
    throw std::system_error(failed, std::generic_category(), "pthread_sigmask");
  }
  return stop_signal{checked(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd")};
}

stop_signal::stop_signal() : fd_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void stop_signal::request() { eventfd_write(fd_.get(), 1); }

bool stop_signal::requested() const {
  pollfd watched{fd_.get(), POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

}  // namespace cellos::guest_sim
