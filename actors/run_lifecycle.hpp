#pragma once

#include <cstdint>

namespace cellos {

/// Where one run stands between its cell's admission and its end, and what is to be done next. Pure: the CELL
/// SUPERVISOR does it.
///
///     unbound -> opening -> live -> draining -> closing -> ended
///
/// Each step is put to another actor, which may die with it: CAF then answers by silence, or with what the actor died
/// of. So steps are numbered, a step is begun again when its actor is replaced, and what an earlier number still brings
/// is ignored.
class run_lifecycle {
 public:
  enum class phase : std::uint8_t { unbound, opening, live, draining, closing, ended };
  enum class step : std::uint8_t { none, open_run, start_children, drain, close_run };

  phase now() const { return now_; }
  bool is_live() const { return now_ == phase::live; }

  /// Begins `next`, one of open_run, drain and close_run, and enters its phase. Answers with the attempt's number.
  std::uint64_t begin(step next);
  /// Whether this is the number of the last step begun.
  bool is_current(std::uint64_t attempt) const { return attempt == attempt_; }

  /// `run.v1.started` is in the log.
  step opened();
  /// It will not be: the cell is as it was before it was bound.
  void not_opened() { now_ = phase::unbound; }
  /// False where there is nothing to retire: not bound, ended, or being retired already.
  bool may_retire() const;
  /// The run is to end. While it is being opened, that comes first.
  step retire();
  void ended() { now_ = phase::ended; }

  /// What is begun again after a pause.
  step again() const;
  /// Whether the step under way was put to a SINK, and has to be put to its successor.
  bool waits_for_sink() const { return now_ == phase::opening || now_ == phase::closing; }
  /// Whether it was put to the LISTENER.
  bool waits_for_listener() const { return now_ == phase::draining; }

 private:
  phase now_ = phase::unbound;
  std::uint64_t attempt_ = 0;
  bool retiring_ = false;
};

}  // namespace cellos
