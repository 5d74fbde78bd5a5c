#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/transport/transport_settings.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// An authority and what it signed, as the documented script makes them.
class certificate_directory {
 public:
  certificate_directory() { make("authority"); }

  /// `environment`: the script's variables, `DAYS=0 AUTHORITY=other`.
  void add_host(const std::string& host_id, const std::string& environment = {}) const {
    make("host " + host_id, environment);
  }
  /// `names`: what hosts know it by.
  void add_collector(const std::string& name, const std::string& names = "IP:127.0.0.1",
                     const std::string& environment = {}) const {
    make("collector " + name + " " + names, environment);
  }
  void add_authority(const std::string& name) const { make("authority " + name); }

  /// `[tls]` of this node, which believes this authority.
  std::string tls_table(const std::string& name, const std::string& authority = "authority") const {
    const auto file = [this](const std::string& of) { return (dir_ / of).string(); };
    return "[tls]\ncertificate_file = '" + file(name + ".pem") + "'\nkey_file = '" + file(name + ".key") +
           "'\nca_file = '" + file(authority + ".pem") + "'\n";
  }
  tls_settings files(const std::string& name) const {
    return {.certificate = dir_ / (name + ".pem"), .key = dir_ / (name + ".key"), .authority = dir_ / "authority.pem"};
  }
  std::filesystem::path operator/(std::string_view name) const { return dir_ / name; }

 private:
  void make(const std::string& what, const std::string& environment = {}) const {
    const std::string script = std::string{CELLOS_SOURCE_DIR} + "/config/certificates/make_test_authority.sh";
    const std::string line = environment + " bash '" + script + "' '" + dir_.path().string() + "' " + what;
    if (std::system(line.c_str()) != 0) throw std::runtime_error("no certificate: " + line);
  }

  temporary_directory dir_;
};

}  // namespace cellos::test
