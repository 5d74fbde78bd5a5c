#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cellos::cli {

/// What is known of an event before it is shown: enough to choose by.
struct event_summary {
  std::string cell_id;
  /// Without the common prefix: `guest.v1.process_spawned`.
  std::string type;
  /// One line for a person, guest text escaped; with colours if asked for.
  std::string text;
};

/// Nothing if the line is not an event of ours.
std::optional<event_summary> summarise_event(std::string_view line, bool colours);

}  // namespace cellos::cli
