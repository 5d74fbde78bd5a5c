#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// One `[[cell]]`. Run and specification are named after the cell, so that a mix-up shows.
struct cell_settings {
  std::string id;
  /// Empty: in the daemon's home.
  std::string vsock_uds_base{};
  /// Longer than any test: silence is reported only to those who ask for it.
  std::string keepalive_window = "10m";
  std::optional<uid_t> expected_uid{};

  std::string run_id() const { return "run-of-" + id; }
  std::string spec_signature_hash() const { return "sha256:spec-of-" + id; }
};

struct daemon_settings {
  /// Empty: daemon_home::host_id.
  std::string host{};
  std::vector<cell_settings> cells{};
  /// Further lines of `[evidence]`.
  std::string evidence{};
  /// Further tables.
  std::string tables{};
};

/// A daemon's configuration file, its evidence and its cells' sockets, in a directory that goes with the object.
class daemon_home {
 public:
  static constexpr std::string_view host_id = "host-e2e";

  daemon_home() = default;
  explicit daemon_home(const daemon_settings& settings) { configure(settings); }

  void configure(const daemon_settings& settings) const;
  void write_configuration(std::string_view toml) const;

  std::filesystem::path operator/(std::string_view name) const { return root_ / name; }
  std::string configuration_file() const { return root_ / "d.toml"; }
  /// Where `control_table()` has the API.
  std::string control_socket() const { return root_ / "control.sock"; }
  std::string control_table() const { return "[control]\nsocket = '" + control_socket() + "'\n"; }
  std::filesystem::path evidence_dir() const { return root_ / "evidence"; }
  std::string vsock_uds_base(const cell_settings& cell) const;
  std::string socket_of(const cell_settings& cell) const { return vsock_uds_base(cell) + "_9001"; }
  std::string socket_of(std::string_view cell_id) const { return socket_of(cell_settings{.id = std::string{cell_id}}); }

 private:
  temporary_directory root_;
};

/// The real daemon.
class daemon_process : public process {
 public:
  explicit daemon_process(const daemon_home& home) : daemon_process(home, {}) {}
  /// `surroundings`: as a command's; its program and arguments are the daemon's.
  daemon_process(const daemon_home& home, command surroundings);
  /// Started, and every cell is answered for.
  static daemon_process ready(const daemon_home& home);

  /// SIGHUP, and all that follows from it.
  void reload();
  /// SIGTERM and its exit code.
  int stop(std::chrono::nanoseconds limit = test_timeout);

 private:
  std::size_t reloads_ = 0;
};

}  // namespace cellos::test
