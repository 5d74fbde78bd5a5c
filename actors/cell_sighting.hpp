#pragma once

#include "messages/cell_specification.hpp"
#include "messages/cell_status.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// How a cell was seen last: what stands in for its answer where it gives none in time.
class cell_sighting {
 public:
  cell_sighting() = default;
  /// Not seen yet: as the specification says.
  cell_sighting(const cell_specification& specification, monotonic_time now);

  void see(const cell_status& status, monotonic_time now);
  /// Whether the cell itself has ever answered.
  bool seen() const { return seen_; }
  const cell_status& last() const { return last_; }
  /// The last one, with its age; of a cell that was not seen, the time since it was admitted.
  cell_status stale(monotonic_time now) const;

 private:
  cell_status last_;
  monotonic_time seen_at_{};
  bool seen_ = false;
};

}  // namespace cellos
