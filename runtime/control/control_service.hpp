#pragma once

#include <memory>
#include <string>

#include "runtime/configuration/configuration.hpp"
#include "runtime/control/control_api.hpp"
#include "runtime/control/control_sockets.hpp"
#include "runtime/control/http_server.hpp"
#include "runtime/os/unix_listener.hpp"

namespace cellos {

/// The control API where the configuration wants it: on its Unix socket, and what is public of it over TCP.
class control_service {
 public:
  struct opening {
    /// Null when refused.
    std::unique_ptr<control_service> service;
    std::string refusal;
  };

  static opening open(control_sockets sockets, const control_configuration& settings, control_environment environment);
  /// Binds the sockets first.
  static opening open(const control_configuration& settings, control_environment environment);

  /// Ends every connection and removes the socket's file. What still asks for the API finds it until this object goes.
  void stop_serving();

  /// Where the public pages are served, with the port that was chosen; empty if they are not.
  const std::string& http_address() const { return http_address_; }

 private:
  explicit control_service(control_environment environment) : api_(std::move(environment)) {}
  std::string serve_socket(const control_configuration& settings);
  std::string serve_http(file_descriptor listening, const control_configuration& settings);

  control_api api_;
  // In this order: the servers end before the socket's file goes and before what they answer with.
  std::unique_ptr<unix_listener> socket_;
  std::string http_address_;
  std::unique_ptr<http_server> control_;
  std::unique_ptr<http_server> http_;
};

}  // namespace cellos
