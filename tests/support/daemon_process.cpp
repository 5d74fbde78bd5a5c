#include "tests/support/daemon_process.hpp"

#include <signal.h>

#include <fstream>
#include <stdexcept>
#include <utility>

namespace cellos::test {

namespace {

/// Spelled as a TOML literal string.
std::string literal(std::string_view text) { return "'" + std::string{text} + "'\n"; }

}  // namespace

std::string daemon_home::vsock_uds_base(const cell_settings& cell) const {
  return cell.vsock_uds_base.empty() ? (root_ / cell.id).string() : cell.vsock_uds_base;
}

void daemon_home::configure(const daemon_settings& settings) const {
  std::string toml = "host_id = " + literal(settings.host.empty() ? host_id : settings.host);
  toml += "[evidence]\ndir = " + literal(evidence_dir().native()) + settings.evidence + '\n';
  toml += settings.tables + '\n';
  for (const cell_settings& cell : settings.cells) {
    toml += "[[cell]]\nid = " + literal(cell.id) + "run_id = " + literal(cell.run_id());
    toml += "vsock_uds_base = " + literal(vsock_uds_base(cell));
    toml += "spec_signature_hash = " + literal(cell.spec_signature_hash());
    toml += "keepalive_window = " + literal(cell.keepalive_window);
    if (cell.expected_uid) toml += "expected_uid = " + std::to_string(*cell.expected_uid) + '\n';
  }
  write_configuration(toml);
}

void daemon_home::write_configuration(std::string_view toml) const {
  std::ofstream file{configuration_file(), std::ios::binary | std::ios::trunc};
  file << toml;
  if (!file.flush()) throw std::runtime_error("cannot write " + configuration_file());
}

namespace {

command in(command surroundings, const daemon_home& home) {
  surroundings.program = program_path("cellos-telemetryd");
  surroundings.arguments = {"--config", home.configuration_file()};
  return surroundings;
}

}  // namespace

daemon_process::daemon_process(const daemon_home& home, command surroundings)
    : process(in(std::move(surroundings), home)) {}

daemon_process daemon_process::ready(const daemon_home& home) {
  daemon_process started{home};
  started.wait_for_line(" daemon_ready ");
  return started;
}

void daemon_process::reload() {
  send(SIGHUP);
  wait_for_line(" reloaded ", ++reloads_);
}

int daemon_process::stop(std::chrono::nanoseconds limit) {
  send(SIGTERM);
  return wait(limit);
}

}  // namespace cellos::test
