#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "runtime/segments/segment_name.hpp"
#include "tests/support/certificate_directory.hpp"
#include "tests/support/copies_check.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/files.hpp"
#include "tests/support/fixed_port.hpp"
#include "tests/support/temporary_directory.hpp"

/// Real daemons that are nodes: their certificates, their configuration, what they keep.
namespace cellos::test {

/// A collector; killed and started again it has the address that it had.
class collector_node {
 public:
  collector_node(const certificate_directory& certificates, const std::string& name, std::string silence_window = "15s")
      : collector_node(certificates.tls_table(name), std::move(silence_window)) {}
  explicit collector_node(std::string tls_table, std::string silence_window = "15s",
                          const std::filesystem::path& kept_below = {})
      : tls_(std::move(tls_table)),
        silence_window_(std::move(silence_window)),
        kept_(kept_below.empty() ? home_ / "hosts" : kept_below / "hosts") {
    start();
  }

  void start() {
    configure();
    daemon_.emplace(daemon_process::ready(home_));
  }

  /// Further lines of `[collector]`, from now on: by a reload.
  void change(std::string further) {
    further_ = std::move(further);
    configure();
    daemon_->reload();
  }

  daemon_process& daemon() { return *daemon_; }
  std::string control_socket() const { return home_.control_socket(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }
  std::filesystem::path kept() const { return kept_; }
  /// Of this host; empty while there are none.
  std::vector<std::filesystem::path> copies_of(std::string_view host_id) const {
    std::vector<std::filesystem::path> copies;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator{kept() / host_id, absent}) {
      copies.push_back(entry.path());
    }
    return copies;
  }

 private:
  void configure() const {
    home_.configure({.tables = home_.control_table() + tls_ +
                               "[collector]\nlisten = '127.0.0.1:" + std::to_string(port_) + "'\ndir = '" +
                               kept().string() + "'\nsilence_window = '" + silence_window_ + "'\n" + further_});
  }

  const std::string tls_;
  const std::string silence_window_;
  std::string further_;
  daemon_home home_;
  const std::filesystem::path kept_;
  const std::uint16_t port_ = fixed_port();
  std::optional<daemon_process> daemon_;
};

/// The whole of a host's evidence log.
inline log_text log_text_of(const std::filesystem::path& evidence_dir) {
  log_text all;
  std::error_code failure;
  for (const auto& each : list_segments(evidence_dir, failure)) {
    all[each.segment] = content_of(evidence_dir / segment_file_name(each.segment));
  }
  return all;
}

/// Empty if these collectors together have every byte of the log, each has none twice, and nothing else.
inline std::string difference(const daemon_home& host, std::initializer_list<const collector_node*> collectors) {
  const log_text log = log_text_of(host.evidence_dir());
  copies_check check{log};
  for (const collector_node* each : collectors) {
    for (const auto& copy : each->copies_of(daemon_home::host_id)) check.look_at(copy);
  }
  return check.finish();
}

}  // namespace cellos::test
