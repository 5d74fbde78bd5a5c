#include "actors/cell_sighting.hpp"

namespace cellos {

cell_sighting::cell_sighting(const cell_specification& specification, monotonic_time now) : seen_at_(now) {
  last_.cell_id = specification.cell_id;
  last_.run_id = specification.run_id;
  last_.socket_path = specification.socket_path();
  last_.spec_signature_hash = specification.spec_signature_hash;
  last_.keepalive_window = specification.keepalive_window;
}

void cell_sighting::see(const cell_status& status, monotonic_time now) {
  // Two questions may be under way, and the answer to the earlier come last.
  if (seen_ && status.totals.received < last_.totals.received) return;
  last_ = status;
  last_.newly_admitted = false;
  seen_at_ = now;
  seen_ = true;
}

cell_status cell_sighting::stale(monotonic_time now) const {
  cell_status status = last_;
  status.stale_for = now - seen_at_;
  return status;
}

}  // namespace cellos
