#include "runtime/cross_witness/recomputed_log.hpp"

#include "messages/chain_name.hpp"
#include "messages/event_line.hpp"

namespace cellos {

void recomputed_log::take(std::string_view line) {
  const auto event = parse_event_line(line);
  if (!event) return;
  const auto name = parse_chain_name(event->chain);
  if (!name || name->is_host()) return;
  const auto known = runs_.find(event->chain);
  (known != runs_.end() ? known->second : runs_[std::string{event->chain}]).take(*event);
}

}  // namespace cellos
