#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/transport/transport_settings.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// An authority and what it has issued, made by the script that people are given, in a directory that goes with it.
class test_authority {
 public:
  test_authority() { run({"authority"}); }

  /// `environment`: the script's variables, `SAN=URI:urn:other`.
  tls_settings host(const std::string& id, std::vector<std::string> environment = {}) const {
    run({"host", id}, std::move(environment));
    return files(id);
  }
  tls_settings collector(const std::string& name, std::vector<std::string> environment = {}) const {
    run({"collector", name, "DNS:localhost", "IP:127.0.0.1"}, std::move(environment));
    return files(name);
  }
  void another_authority(const std::string& name) const { run({"authority", name}); }

  std::filesystem::path operator/(const std::string& name) const { return home_ / name; }
  tls_settings files(const std::string& name) const {
    return {
        .certificate = home_ / (name + ".pem"), .key = home_ / (name + ".key"), .authority = home_ / "authority.pem"};
  }

 private:
  void run(const std::vector<std::string>& what, std::vector<std::string> environment = {}) const {
    auto& arguments = environment;
    arguments.emplace_back(CELLOS_SOURCE_DIR "/config/certificates/make_test_authority.sh");
    arguments.push_back(home_.path().native());
    arguments.insert(arguments.end(), what.begin(), what.end());
    process script{{.program = "/usr/bin/env", .arguments = arguments}};
    if (script.wait() != 0) throw std::runtime_error{"no certificate: " + script.err()};
  }

  temporary_directory home_;
};

}  // namespace cellos::test
