#pragma once

#include <string>

#include "tests/support/daemon_process.hpp"
#include "tests/support/http_client.hpp"

namespace cellos::test {

/// A daemon with a control socket, and a client of it.
class controlled_daemon {
 public:
  /// `settings.tables`: further lines of `[control]`, then further tables.
  explicit controlled_daemon(daemon_settings settings = {})
      : settings_(std::move(settings)), daemon_(start()), client_(home_.control_socket()) {}

  const daemon_home& home() const { return home_; }
  daemon_process& daemon() { return daemon_; }
  http_client& client() { return client_; }
  http_client another_client() const { return http_client{home_.control_socket()}; }

  std::string base_of(const std::string& id) const { return home_ / id; }
  nlohmann::json body_of(const std::string& id) const { return cell_body(id, base_of(id)); }
  http_response put(const std::string& id) { return client_.ask("PUT", "/cells/" + id, body_of(id).dump()); }
  http_response remove(const std::string& id) { return client_.ask("DELETE", "/cells/" + id); }
  std::string metrics() { return client_.get("/metrics").body; }

  /// Writes the file anew; nobody is notified.
  void configure(const daemon_settings& settings) const {
    daemon_settings with_socket = settings;
    with_socket.tables = home_.control_table() + settings.tables;
    home_.configure(with_socket);
  }

 private:
  daemon_process start() const {
    configure(settings_);
    return daemon_process::ready(home_);
  }

  daemon_settings settings_;
  daemon_home home_;
  daemon_process daemon_;
  http_client client_;
};

}  // namespace cellos::test
