#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/event_seal.hpp"
#include "messages/event_types.hpp"
#include "runtime/lines/logged_event.hpp"

namespace cellos {

/// An event of the log as a start looks at it. The texts live until its reader reads another line.
struct recovery_line {
  std::string_view chain;
  std::uint64_t sequence = 0;
  /// Without the common prefix.
  std::string_view type_name;
  /// Nothing of a type that this version does not know.
  std::optional<event_type> type;
  /// Has a digest, that of the event before it.
  bool sealed = false;
  event_digest before = no_event;
  /// Empty where unsigned.
  std::string_view dssematerial;
  std::string_view data;
};

/// Reads events in whatever form they are: a log that was written anew with other white space is the same log.
class recovery_line_reader {
 public:
  /// Nothing if the line is no event of a chain of ours.
  std::optional<recovery_line> read(std::string_view line);
  /// Of the line read last.
  event_digest digest() const;

 private:
  generic_event_reader generic_;
  logged_event event_;
};

}  // namespace cellos
