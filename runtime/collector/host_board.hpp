#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "messages/host_status.hpp"
#include "messages/instants.hpp"
#include "messages/node_status.hpp"
#include "runtime/collector/host_account.hpp"

namespace cellos {

/// Every host that a collector knows, for scrapes and people: read without a message, so that it costs the actors
/// nothing. Thread-safe.
class host_board {
 public:
  void add(const std::string& host_id, host_account_ptr account);

  /// All hosts, by name.
  std::vector<host_status> read(monotonic_time now) const;
  /// Of all hosts together; what the disk did is not known here.
  collection_status taken() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, host_account_ptr> hosts_;
};

}  // namespace cellos
