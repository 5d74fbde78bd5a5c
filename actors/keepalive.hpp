#pragma once

#include <optional>

#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"
#include "actors/silence_trigger.hpp"

namespace cellos {

struct keepalive_state {
  static constexpr const char* name = "cell.keepalive";
  keepalive_state() = default;

  host_stamp_ptr run;
  decoder_progress_ptr progress;
  decoder_actor decoder;
  sink_actor sink;
  silence_trigger trigger{std::chrono::nanoseconds{}};
  /// Kept to be reported again to a SINK that may not have heard it.
  std::optional<agent_silenced> reported;
  const host_environment* host = nullptr;
  /// When reading was last seen stopped because the log takes nothing: the guest had no chance to be heard then.
  monotonic_time unheard{};
  /// When the next handler was to run, at the earliest.
  monotonic_time due{};
  activity_ptr activity;
};

/// `window`: of silence, which is reported when it is exceeded. `host` must outlive the actor.
keepalive_actor::behavior_type make_keepalive(keepalive_actor::stateful_pointer<keepalive_state> self,
                                              host_stamp_ptr run, std::chrono::nanoseconds window,
                                              decoder_progress_ptr progress, decoder_actor decoder, sink_actor sink,
                                              const host_environment& host);

}  // namespace cellos
