#include "runtime/forwarding/reported_forwarding_events.hpp"

#include <string>

namespace cellos {

namespace {

std::string text_of(segment_position place) {
  return std::to_string(place.segment) + ":" + std::to_string(place.offset);
}

}  // namespace

void reported_forwarding_events::noted(const delivery_event& event, std::string_view collector,
                                       std::string_view cause) {
  switch (event.note) {
    case delivery_note::collector_reached: return events_.collector_reached(collector);
    case delivery_note::collector_lost: return events_.collector_lost(collector, cause);
    case delivery_note::collector_unresponsive: return events_.collector_lost(collector, "it answers nothing");
    case delivery_note::collector_refuses: return events_.delivery_refused(collector, to_string(event.reason));
    case delivery_note::history_forked: return events_.delivery_forked(collector, text_of(event.from));
    case delivery_note::lines_skipped:
      return events_.lines_undelivered(collector, text_of(event.from), text_of(event.to));
    case delivery_note::unreadable_log: return events_.evidence_unread(collector);
  }
}

}  // namespace cellos
