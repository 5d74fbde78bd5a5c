#pragma once

#include <cstdint>

#include "messages/host_probe.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// For whom a source is read, and until when.
struct probe_context {
  host_stamp_ptr attribution;
  /// Of the schedule. What is read for one cell in a turn is not read again for another one in it.
  std::uint64_t turn = 0;
  monotonic_time now{};
  /// Whoever waits gives up then, with `timed_out`.
  monotonic_time deadline{monotonic_time::max()};
};

/// Reads one source of one cell. One thread at a time uses it, and never an actor's: a read may wait.
///
/// An error says that nothing is known, never that anything happened to the cell.
class probe {
 public:
  probe() = default;
  probe(const probe&) = delete;
  probe& operator=(const probe&) = delete;
  virtual ~probe() = default;

  virtual host_probe source() const = 0;
  virtual probe_result<probe_reading> read(const probe_context& context) = 0;
};

}  // namespace cellos
