#include "actors/cell_progress.hpp"

#include <utility>

namespace cellos {

void cell_progress::bind(cell_intake_ptr intake, const run_totals& before) {
  const std::lock_guard lock{mutex_};
  intake_ = std::move(intake);
  before_ = before;
  before_.connections = 0;  // only this daemon's are counted
}

void cell_progress::unbind() {
  cell_intake_ptr last;
  const std::lock_guard lock{mutex_};
  if (!intake_) return;
  last_ = intake_->counts();
  last_.connections_open = 0;
  last = std::move(intake_);
  intake_ = nullptr;
}

host_sighting cell_progress::seen() const {
  host_sighting seen = sightings_->read();
  const std::lock_guard lock{mutex_};
  if (intake_) seen.connected = intake_->counts().connections_open != 0;
  return seen;
}

cell_counts cell_progress::read() const {
  // In this order: what is settled had been received.
  const run_progress::reading run = run_->read();
  const host_sighting looked = sightings_->read();
  const std::lock_guard lock{mutex_};
  const intake_counts seen = intake_ ? intake_->counts() : last_;
  cell_counts now;
  now.totals = run.totals;
  now.totals.received += seen.frames_received;
  now.totals.connections = seen.connections_accepted;
  now.totals = now.totals - before_;
  now.connections_refused = seen.connections_refused;
  now.bytes_received = seen.bytes_received;
  now.connections_open = seen.connections_open;
  now.silenced = run.silenced;
  if (looked.vmm) now.vmm = looked.vmm->state;
  now.bound = intake_ != nullptr;
  now.socket_in_place = !now.bound || seen.file_in_place;
  return now;
}

}  // namespace cellos
