#include "runtime/forwarding/receiver_report.hpp"

#include "runtime/forwarding/delivery_lag.hpp"
#include "runtime/os/clocks.hpp"

namespace cellos {

namespace {

forwarding_state state_of(const receiver_status& status) {
  if (status.is_stopped) return forwarding_state::refused;
  return status.is_reached ? forwarding_state::delivering : forwarding_state::unreached;
}

}  // namespace

forwarding_status receiver_shown(std::string name, const std::string& receiver, const receiver_status& status,
                                 committed_log& log) {
  forwarding_status out;
  out.name = std::move(name);
  out.state = state_of(status);
  if (status.is_reached) out.destination = receiver;
  out.lag = lag_of(log, {status.delivered, status.sent, status.lines_in_flight}, system_wall_time());
  out.lines_delivered = status.lines_delivered;
  out.bytes_delivered = out.bytes_sent = status.bytes_delivered;
  out.gaps = status.gaps;
  return out;
}

}  // namespace cellos
