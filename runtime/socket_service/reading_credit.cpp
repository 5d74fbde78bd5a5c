#include "runtime/socket_service/reading_credit.hpp"

#include <utility>

namespace cellos {

bool reading_credit::may_read(const holdings& held) {
  paused_ = !has_credit(held);
  return !paused_;
}

bool reading_credit::resumes(const holdings& held) {
  return paused_ && has_credit(held) && std::exchange(paused_, false);
}

bool reading_credit::has_credit(const holdings& held) const {
  if (!held.delivered) return false;
  return held.unacknowledged == 0 || (held.unacknowledged < max_chunks_ && !held.budget_exhausted);
}

}  // namespace cellos
