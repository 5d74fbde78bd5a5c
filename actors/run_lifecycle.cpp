#include "actors/run_lifecycle.hpp"

namespace cellos {

std::uint64_t run_lifecycle::begin(step next) {
  switch (next) {
    case step::open_run: now_ = phase::opening; break;
    case step::drain: now_ = phase::draining; break;
    case step::close_run: now_ = phase::closing; break;
    case step::none:
    case step::start_children: break;
  }
  return ++attempt_;
}

run_lifecycle::step run_lifecycle::opened() {
  now_ = phase::live;
  return retiring_ ? step::drain : step::none;
}

bool run_lifecycle::may_retire() const { return !retiring_ && now_ != phase::unbound && now_ != phase::ended; }

run_lifecycle::step run_lifecycle::retire() {
  retiring_ = true;
  return now_ == phase::live ? step::drain : step::none;
}

run_lifecycle::step run_lifecycle::again() const {
  switch (now_) {
    case phase::opening: return step::open_run;
    case phase::live: return step::start_children;
    case phase::draining: return step::drain;
    case phase::closing: return step::close_run;
    case phase::unbound:
    case phase::ended: break;
  }
  return step::none;
}

}  // namespace cellos
