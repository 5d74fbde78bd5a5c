#pragma once

#include "messages/cell_specification.hpp"

namespace cellos {

/// Who hears of cells' connections, on the I/O thread: never waits, and keeps no descriptor of them. Outlives every
/// intake.
class connection_observer {
 public:
  connection_observer() = default;
  connection_observer(const connection_observer&) = delete;
  connection_observer& operator=(const connection_observer&) = delete;
  virtual ~connection_observer() = default;

  /// It was accepted, and counts.
  virtual void connected(const cell_specification& cell, int connection) = 0;
  /// One that was accepted is closed.
  virtual void disconnected(const cell_specification& cell) = 0;
};

}  // namespace cellos
