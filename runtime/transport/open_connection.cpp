#include "runtime/transport/open_connection.hpp"

#include <sys/socket.h>

#include <utility>

namespace cellos {

open_connection::open_connection(std::shared_ptr<open_connections> all, int fd, std::string host_id,
                                 monotonic_time oldest, std::function<void()> ended)
    : all_(std::move(all)),
      host_id_(std::move(host_id)),
      oldest_(oldest),
      until_(oldest),
      ended_(std::move(ended)),
      fd_(fd) {}

open_connection::~open_connection() { end(); }

void open_connection::end() {
  connection_end how{};
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(fd_, -1) < 0) return;
    how = how_;
  }
  all_->remove(*this, how);
  if (ended_) ended_();
}

void open_connection::shut(std::string_view why, connection_end how) {
  const std::lock_guard lock{mutex_};
  if (why_.empty()) {
    why_ = why;
    how_ = how;
  }
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

std::string open_connection::why_shut() const {
  const std::lock_guard lock{mutex_};
  return why_;
}

std::shared_ptr<open_connection> open_connections::add(int fd, std::string host_id, monotonic_time oldest,
                                                       std::function<void()> ended, room most) {
  const std::lock_guard lock{mutex_};
  auto& of_host = per_host_[host_id];
  if (connections_.size() >= most.of_all || of_host >= most.of_one_host) {
    if (of_host == 0) per_host_.erase(host_id);
    return nullptr;
  }
  ++of_host;
  auto added = std::make_shared<open_connection>(shared_from_this(), fd, std::move(host_id), oldest, std::move(ended));
  connections_.insert(added.get());
  return added;
}

void open_connections::remove(open_connection& connection, connection_end how) {
  const std::lock_guard lock{mutex_};
  if (connections_.erase(&connection) == 0) return;
  counts.count(how);
  std::erase_if(nodes_, [&](const auto& row) { return row.second == &connection; });
  const auto of_host = per_host_.find(connection.host_id_);
  if (--of_host->second == 0) per_host_.erase(of_host);
}

open_connections::claim_result open_connections::claim(const basp_node_id& node, open_connection& claimant) {
  const std::lock_guard lock{mutex_};
  const auto [at, first] = nodes_.emplace(node, &claimant);
  if (first || at->second == &claimant) return claim_result::claimed;
  if (at->second->host_id_ != claimant.host_id_) return claim_result::of_another_host;
  at->second->shut("the same node connected again", connection_end::replaced);
  at->second = &claimant;
  return claim_result::replaced;
}

void open_connections::shut_all() {
  const std::lock_guard lock{mutex_};
  for (auto* connection : connections_) connection->shut("closed by this node", connection_end::closed_here);
}

void open_connections::shut_hosts(const std::function<bool(const std::string& host_id)>& is_denied) {
  const std::lock_guard lock{mutex_};
  for (auto* connection : connections_) {
    if (is_denied(connection->host_id_)) connection->shut("closed by this node", connection_end::host_denied);
  }
}

std::size_t open_connections::size() const {
  const std::lock_guard lock{mutex_};
  return connections_.size();
}

}  // namespace cellos
