#include "runtime/collector/host_board.hpp"

#include <utility>

namespace cellos {

void host_board::add(const std::string& host_id, host_account_ptr account) {
  const std::lock_guard guard{mutex_};
  hosts_.insert_or_assign(host_id, std::move(account));
}

std::vector<host_status> host_board::read(monotonic_time now) const {
  std::vector<host_status> all;
  const std::lock_guard guard{mutex_};
  all.reserve(hosts_.size());
  for (const auto& [host_id, account] : hosts_) all.push_back(account->status(host_id, now));
  return all;
}

collection_status host_board::taken() const {
  collection_status all;
  const std::lock_guard guard{mutex_};
  for (const auto& [host_id, account] : hosts_) {
    all.bytes += account->bytes;
    all.lines += account->lines;
    all.batches += account->batches;
    all.refused += account->refusals;
    all.over_quota += account->over_quota;
    all.not_stored += account->not_stored;
    all.crowded += account->crowded;
  }
  return all;
}

}  // namespace cellos
