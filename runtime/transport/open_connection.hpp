#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "messages/instants.hpp"
#include "runtime/transport/basp_guard.hpp"
#include "runtime/transport/transport_counts.hpp"

namespace cellos {

class open_connections;

/// One connection that CAF has, as seen by whoever may end it. Thread-safe.
class open_connection {
 public:
  /// The descriptor is somebody else's. `ended` is called once, by whichever thread ends the connection.
  open_connection(std::shared_ptr<open_connections> all, int fd, std::string host_id, monotonic_time oldest,
                  std::function<void()> ended);
  open_connection(const open_connection&) = delete;
  open_connection& operator=(const open_connection&) = delete;
  ~open_connection();

  /// Ends it for both sides; CAF notices when it reads next. The first reason is kept.
  void shut(std::string_view why, connection_end how);
  /// By who owns the descriptor, before closing it. Whoever never calls it has given up the connection before.
  void end();
  std::string why_shut() const;

  const std::string& host_id() const { return host_id_; }
  /// When it ends of itself, at the next sign of its peer.
  monotonic_time until() const { return until_; }
  bool is_aged(monotonic_time now) const { return now >= oldest_; }
  /// What is on its way comes through until then.
  void end_by(monotonic_time time) { until_ = std::min(time, until()); }
  open_connections& all() const { return *all_; }

 private:
  friend class open_connections;

  const std::shared_ptr<open_connections> all_;
  const std::string host_id_;
  const monotonic_time oldest_;
  std::atomic<monotonic_time> until_;
  const std::function<void()> ended_;
  mutable std::mutex mutex_;
  int fd_;
  std::string why_;
  connection_end how_ = connection_end::lost;
};

/// All connections of one server or connector, and what it counts. Outlives both as long as CAF has one of them.
class open_connections : public std::enable_shared_from_this<open_connections> {
 public:
  /// Null if there are as many as may be, of all hosts or of this one. `fd` stays the caller's.
  struct room {
    std::size_t of_all;
    std::size_t of_one_host;
  };
  std::shared_ptr<open_connection> add(int fd, std::string host_id, monotonic_time oldest, std::function<void()> ended,
                                       room most);

  enum class claim_result {
    claimed,
    /// Another host's connection has that node: ids are random, so one of the two lies.
    of_another_host,
    /// The same host's earlier connection had it, and was shut: a node has one connection.
    replaced,
  };
  /// A peer says that it is this node.
  claim_result claim(const basp_node_id& node, open_connection& claimant);

  void shut_all();
  /// Those of hosts that are denied.
  void shut_hosts(const std::function<bool(const std::string& host_id)>& is_denied);
  std::size_t size() const;

  transport_counts counts;

 private:
  friend class open_connection;
  void remove(open_connection& connection, connection_end how);

  mutable std::mutex mutex_;
  std::set<open_connection*> connections_;
  std::map<std::string, std::size_t> per_host_;
  std::map<basp_node_id, open_connection*> nodes_;
};

}  // namespace cellos
