#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "messages/node_message.hpp"
#include "runtime/collector/log_copy.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/os/lock_file.hpp"
#include "runtime/segments/copy_name.hpp"

namespace cellos {

/// How many copies a host can make a collector keep; chosen here. A host whose directory was lost begins another log.
struct copy_limits {
  std::uint32_t logs_per_host = 64;
  std::uint32_t forks_per_log = 16;
};

/// What a collector keeps: the copies of its hosts' logs, in one directory of one file system. Thread-safe.
class collector_store {
 public:
  struct opening {
    /// Null when refused.
    std::unique_ptr<collector_store> store;
    /// A sentence for a person.
    std::string refusal;
  };

  /// Makes the directory where there is none, claims it, and makes durable what is in it. `files` must outlive the
  /// store.
  static opening open(std::filesystem::path dir, copy_limits limits = {}, file_system& files = real_file_system());

  struct found_copy {
    /// Null when refused.
    std::shared_ptr<log_copy> copy;
    node_refusal refusal = node_refusal::none;
    std::error_code failure;
    /// How many copies of this log there are beside the first.
    std::uint32_t forks = 0;
    std::uint64_t torn_bytes = 0;
  };

  /// The newest copy of this log; begun if there is none.
  found_copy copy_of(const std::string& host_id, const node_log_id& log);
  /// Another copy, beside those there are. None is made while the newest is empty: that one is answered.
  found_copy fork_of(const std::string& host_id, const node_log_id& log);

  /// Hosts that have a directory, sorted.
  std::vector<std::string> hosts(std::error_code& failure) const;

  /// One sync of the file system: everything that was written before it is durable.
  std::error_code sync();
  /// Every copy that is open.
  std::vector<std::shared_ptr<log_copy>> open_copies() const;

  struct named_copy {
    std::string host_id;
    copy_name name;
    std::shared_ptr<log_copy> copy;
  };
  /// The same, and whose they are.
  std::vector<named_copy> named_copies() const;

  const std::filesystem::path& dir() const { return dir_; }

 private:
  struct copies_of_log {
    std::uint32_t forks = 0;
    std::shared_ptr<log_copy> newest;
  };
  using log_key = std::pair<std::string, node_log_id>;

  collector_store(std::filesystem::path dir, copy_limits limits, file_system& files)
      : files_(files), dir_(std::move(dir)), limits_(limits), lock_(dir_ / ".lock") {}

  found_copy find(const std::string& host_id, const node_log_id& log, copies_of_log& into);
  found_copy begin(const std::string& host_id, const node_log_id& log, std::uint32_t fork, copies_of_log& into);
  std::error_code make_directory(const std::filesystem::path& path) const;

  file_system& files_;
  const std::filesystem::path dir_;
  const copy_limits limits_;
  lock_file lock_;
  file_descriptor entries_;
  mutable std::mutex mutex_;
  std::map<log_key, copies_of_log> open_;
};

}  // namespace cellos
