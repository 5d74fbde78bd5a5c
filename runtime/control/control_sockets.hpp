#pragma once

#include <memory>
#include <string>

#include "runtime/configuration/configuration.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/unix_listener.hpp"

namespace cellos {

/// The sockets that the control API is served on, bound and listening: who connects waits until it is served.
///
/// Apart from the service, so that a daemon whose addresses are taken finds out before it has written anything.
class control_sockets {
 public:
  struct outcome;

  /// Those that `settings` names; none if it names none.
  static outcome bind(const control_configuration& settings);

  /// The Unix socket with its file; null if there is none. Whoever takes it keeps it.
  std::unique_ptr<unix_listener> take_control() { return std::move(control_); }
  file_descriptor take_http() { return std::move(http_); }
  /// With the port that was chosen; empty if there is none.
  const std::string& http_address() const { return http_address_; }

 private:
  std::string bind_socket(const control_configuration& settings);

  std::unique_ptr<unix_listener> control_;
  file_descriptor http_;
  std::string http_address_;
};

struct control_sockets::outcome {
  control_sockets sockets;
  /// Empty, or a sentence that names the setting.
  std::string refusal;
};

}  // namespace cellos
