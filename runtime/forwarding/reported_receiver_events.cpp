#include "runtime/forwarding/reported_receiver_events.hpp"

#include <string>

namespace cellos {

namespace {

std::string text_of(segment_position place) {
  return std::to_string(place.segment) + ":" + std::to_string(place.offset);
}

}  // namespace

void reported_receiver_events::noted(const receiver_note& note, std::string_view receiver) {
  using enum receiver_note::kind;
  switch (note.what) {
    case reached: return events_.receiver_reached(receiver);
    case lost: return events_.receiver_lost(receiver, note.cause);
    case refuses: return events_.lines_refused(receiver, note.cause);
    case forked: return events_.delivery_forked(receiver, text_of(note.from));
    case lines_undelivered: return events_.lines_undelivered(receiver, text_of(note.from), text_of(note.to));
    case removed_early: return events_.lines_removed_early(receiver, text_of(note.from), text_of(note.to));
    case unreadable_log: return events_.evidence_unread(receiver);
    case stopped: return events_.delivery_stopped(receiver, text_of(note.from), note.cause);
    case line_skipped: return events_.line_skipped(receiver, text_of(note.from), note.cause);
  }
}

}  // namespace cellos
