#pragma once

#include <unistd.h>

#include <optional>
#include <string>

#include "tests/support/process.hpp"

namespace cellos::test {

/// Runs a shell command to its end; its output, or nothing if it fails.
inline std::optional<std::string> shell(const std::string& words) {
  process command{{"/bin/sh", {"-c", words}}};
  if (command.wait() != 0) return std::nullopt;
  return command.out();
}

/// A network namespace with a tap and a pair of interfaces whose other end is in a second one. Both go with the
/// object.
class network_test_namespace {
 public:
  network_test_namespace() {
    made_ =
        shell("ip netns add " + name_ + " && ip netns add " + other_ + " && ip -n " + name_ +
              " tuntap add cfc-tap mode tap && ip -n " + name_ + " link add cfc-veth type veth peer name peer netns " +
              other_ + " && ip -n " + name_ + " addr add 10.99.0.1/24 dev cfc-veth && ip -n " + other_ +
              " addr add 10.99.0.2/24 dev peer && ip -n " + name_ + " link set cfc-veth up && ip -n " + other_ +
              " link set peer up && ip -n " + name_ + " link set lo up")
            .has_value();
  }
  network_test_namespace(const network_test_namespace&) = delete;
  network_test_namespace& operator=(const network_test_namespace&) = delete;
  ~network_test_namespace() {
    shell("ip netns del " + name_);
    shell("ip netns del " + other_);
  }

  /// None where this machine lets us make none.
  explicit operator bool() const { return made_; }
  std::string path() const { return "/run/netns/" + name_; }
  /// In it.
  std::optional<std::string> run(const std::string& words) const {
    return shell("ip netns exec " + name_ + " " + words);
  }
  /// At the other end, which is 10.99.0.2; this one is 10.99.0.1.
  std::optional<std::string> run_at_peer(const std::string& words) const {
    return shell("ip netns exec " + other_ + " " + words);
  }

 private:
  std::string name_ = "cellos-test-a" + std::to_string(::getpid());
  std::string other_ = "cellos-test-b" + std::to_string(::getpid());
  bool made_ = false;
};

}  // namespace cellos::test
