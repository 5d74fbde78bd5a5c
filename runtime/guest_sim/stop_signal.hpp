#pragma once

#include "runtime/os/file_descriptor.hpp"

namespace cellos::guest_sim {

/// The wish to stop, as a descriptor that turns readable once and stays so: every wait of the simulation watches it.
class stop_signal {
 public:
  /// Comes with SIGTERM or SIGINT, which no longer end the process. Call before any thread is started.
  static stop_signal from_process();

  /// Comes only with `request`.
  stop_signal();

  void request();
  bool requested() const;
  int fd() const { return fd_.get(); }

 private:
  explicit stop_signal(file_descriptor fd) : fd_(std::move(fd)) {}

  file_descriptor fd_;
};

}  // namespace cellos::guest_sim
