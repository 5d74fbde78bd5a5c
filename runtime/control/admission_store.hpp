#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/configuration/configuration.hpp"
#include "runtime/os/lock_file.hpp"

namespace cellos {

/// Cells admitted over the control API, in a file that outlives the daemon. Thread-safe.
///
/// The file is replaced whole: whatever a crash or a power cut does, it is either as before or as after. Changes that
/// come while one is being written are written together, so that many at once cost one flush of the disk.
class admission_store {
 public:
  struct opening {
    /// Null when refused.
    std::unique_ptr<admission_store> cells;
    std::string refusal;
  };

  /// Reads `file`, if it is there. One that another daemon writes to (flock on `FILE.lock`) is a refusal: each would
  /// undo what the other remembers. One that cannot be understood is a refusal: forgetting cells silently would be
  /// worse.
  static opening open(std::filesystem::path file);

  /// Changes that nobody has been answered for may be lost.
  ~admission_store();

  /// Called once, on the writing thread: the change is durable, or why it is not.
  using settled = std::function<void(std::error_code)>;

  void remember(const cell_specification& cell, settled done);
  void forget(const std::string& cell_id, settled done);

  /// A cell that is about to be forgotten is not among `all` any more, unless it is remembered anew.
  void expect_forgetting(const std::string& cell_id);

  /// Calls `see` with `all`, and no forgetting is expected before it returns: what `see` asks for comes before whatever
  /// a removal asks for. `see` must not wait, nor call this object.
  void with_all(const std::function<void(const std::vector<cell_specification>&)>& see) const;

  bool contains(const std::string& cell_id) const;
  std::vector<cell_specification> all() const;

 private:
  admission_store(std::filesystem::path file, lock_file lock, std::map<std::string, cell_specification> known);

  struct waiter {
    std::uint64_t version;
    settled done;
  };

  std::vector<cell_specification> all_locked() const;
  void change_locked(settled done);
  void run();
  std::string text_locked() const;
  std::error_code replace_file(const std::string& text);

  const std::filesystem::path file_;
  /// The writing thread's.
  lock_file lock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, cell_specification> cells_;
  std::set<std::string> going_;
  /// Counts changes.
  std::uint64_t version_ = 0;
  /// What the last writing was of, whatever came of it.
  std::uint64_t tried_ = 0;
  std::vector<waiter> waiters_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace cellos
