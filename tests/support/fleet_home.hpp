#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "runtime/segments/segment_name.hpp"
#include "tests/support/copies_check.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

/// Real daemons that are nodes: their certificates, their configuration, what they keep.
namespace cellos::test {

/// An authority and what it signed, as the documented script makes them.
class certificate_directory {
 public:
  certificate_directory() { make("authority"); }

  void add_host(std::string_view host_id) const { make("host " + std::string{host_id}); }
  void add_collector(std::string_view name) const { make("collector " + std::string{name} + " IP:127.0.0.1"); }

  std::filesystem::path operator/(std::string_view name) const { return dir_ / name; }

  /// `[tls]` of this node.
  std::string tls_table(const std::string& name) const {
    const auto file = [this](const std::string& of) { return (dir_ / of).string(); };
    return "[tls]\ncertificate_file = '" + file(name + ".pem") + "'\nkey_file = '" + file(name + ".key") +
           "'\nca_file = '" + file("authority.pem") + "'\n";
  }

 private:
  void make(const std::string& what) const {
    const std::string script = std::string{CELLOS_SOURCE_DIR} + "/config/certificates/make_test_authority.sh";
    const std::string line = "bash '" + script + "' '" + dir_.path().string() + "' " + what;
    if (std::system(line.c_str()) != 0) throw std::runtime_error("no certificate: " + line);
  }

  temporary_directory dir_;
};

/// A collector; killed and started again it has the address it had first.
class collector_node {
 public:
  collector_node(const certificate_directory& certificates, const std::string& name, std::string silence_window = "15s")
      : collector_node(certificates.tls_table(name), std::move(silence_window)) {}
  explicit collector_node(std::string tls_table, std::string silence_window = "15s")
      : tls_(std::move(tls_table)), silence_window_(std::move(silence_window)) {
    start();
  }

  void start() {
    home_.configure({.tables = tls_ + "[collector]\nlisten = '127.0.0.1:" + std::to_string(port_) + "'\ndir = '" +
                               kept().string() + "'\nsilence_window = '" + silence_window_ + "'\n"});
    daemon_.emplace(daemon_process::ready(home_));
    const std::string line = daemon_->wait_for_line("collector_listening");
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  }

  daemon_process& daemon() { return *daemon_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::filesystem::path kept() const { return home_ / "hosts"; }
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
  const std::string tls_;
  const std::string silence_window_;
  daemon_home home_;
  std::uint16_t port_ = 0;
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
