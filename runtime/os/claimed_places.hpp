#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/os/socket_place.hpp"

namespace cellos {

/// Which socket files this process serves, by where they really are: two spellings of one path are one place. Whoever
/// binds or removes a file holds the lock from its first look to its last.
class claimed_places {
 public:
  struct claim {
    /// Of whom an operator knows: "cell c1".
    std::string holder;
    std::string path;
    /// One holder may have several, while one file takes another's place.
    std::size_t times = 1;
  };

  /// Of this process. Never destroyed.
  static claimed_places& of_this_process();

  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock{mutex_}; }

  // With the lock held.

  /// Whose the place is, unless it is nobody's or `holder`'s own. A claim whose path leads elsewhere by now (its
  /// directory was removed, and the number given to another) counts no more.
  std::optional<claim> another_than(const std::string& holder, const socket_identity& place, socket_calls& calls);
  void add(const socket_identity& place, const std::string& holder, const std::string& path);
  void remove(const socket_identity& place, const std::string& holder);

 private:
  std::mutex mutex_;
  std::map<socket_identity, claim> claims_;
};

}  // namespace cellos
