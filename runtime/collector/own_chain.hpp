#pragma once

#include <vector>

#include "messages/node_statement.hpp"

namespace cellos {

/// The chain of this node's own host, as whoever receives others' logs may use it. Thread-safe.
class own_chain {
 public:
  own_chain() = default;
  own_chain(const own_chain&) = delete;
  own_chain& operator=(const own_chain&) = delete;
  virtual ~own_chain() = default;

  /// The log can be read: what an earlier process left is in order. Open it stays until the process ends.
  virtual bool is_open() const = 0;
  /// It is open, and whatever was said before is in it.
  virtual bool is_idle() const = 0;
  /// Has the chain say it, in this order, as soon as the log takes it; asks again until it does. Never waits.
  virtual void say(std::vector<node_statement> statements) = 0;
};

}  // namespace cellos
