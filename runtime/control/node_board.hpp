#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "messages/host_status.hpp"
#include "messages/node_status.hpp"

namespace cellos {

/// What one part of the daemon shows of itself as a node. Each may be called by any thread, must not wait, and must not
/// call the board; those that are empty show nothing.
struct node_source {
  std::function<forwarding_status()> forwarder{};
  std::function<transport_status()> transport{};
  /// Nothing where it has no certificate.
  std::function<std::optional<certificate_status>()> certificate{};
  std::function<collection_status()> collection{};
  /// Every host that it collects from, by name.
  std::function<std::vector<host_status>()> hosts{};
  std::function<cell_figures()> cells{};
};

/// What a daemon is as a node: parts that forward, collect or serve cells show themselves here, and whoever answers for
/// the daemon reads it. Thread-safe.
class node_board {
 public:
  /// `who` stands for the part. What it shows before is replaced.
  void show(const void* who, node_source source);
  /// Once it returns, no function of the part runs or will.
  void hide(const void* who);

  std::vector<forwarding_status> forwarders() const;
  std::vector<transport_status> transports() const;
  std::vector<certificate_status> certificates() const;
  /// Nothing where nobody collects.
  std::optional<collection_status> collection() const;
  std::optional<std::vector<host_status>> hosts() const;
  cell_figures cells() const;

 private:
  mutable std::mutex mutex_;
  std::map<const void*, node_source> sources_;
};

}  // namespace cellos
