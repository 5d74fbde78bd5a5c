#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/delivery_network.hpp"
#include "tests/support/text_log.hpp"

namespace cellos::test {

/// A delivery network around a log in memory, whose host dies one in so many steps.
class delivery_world {
 public:
  delivery_world(std::uint64_t seed, std::size_t collectors, delivery_faults faults, std::uint32_t host_killed = 0)
      : network(seed, collectors, faults, log), host_killed_(host_killed) {
    network.start_host();
  }

  /// A few lines more, some of them committed; segments change now and then.
  void grow() {
    auto& random = network.random;
    for (std::uint32_t lines = random.below(8); lines > 0; --lines) {
      log.append("{\"n\":" + std::to_string(++written_) + ",\"text\":\"" + std::string(random.below(60), 'x') +
                 "\"}\n");
    }
    if (random.one_in(60)) log.rotate();
    if (random.one_in(2)) log.commit();
  }

  void step() {
    if (host_killed_ > 0 && network.random.one_in(host_killed_)) restart_host();
    network.step();
  }

  /// Nothing goes wrong any more.
  void heal() {
    host_killed_ = 0;
    network.heal();
    log.commit();
  }

  bool finish() { return network.finish(); }
  std::string compare() { return network.compare(log.segments); }

  text_log log;
  delivery_network network;

 private:
  /// Some lose power, and some lose or never wrote their hint.
  void restart_host() {
    if (network.random.one_in(2)) log.lose_uncommitted();
    network.start_host(network.random.one_in(3) ? std::nullopt : network.host->hint());
  }

  std::uint32_t host_killed_;
  std::uint64_t written_ = 0;
};

}  // namespace cellos::test
