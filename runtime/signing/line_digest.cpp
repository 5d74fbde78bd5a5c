#include "runtime/signing/line_digest.hpp"

#include <array>

#include "messages/event_line.hpp"
#include "runtime/signing/material.hpp"

namespace cellos {

event_digest line_digest(std::string_view line) {
  const auto event = parse_event_line(line);
  if (!event || !event->is_sealed()) return no_event;
  const std::array<extension_attribute, 3> extensions{
      {{"chain", event->chain}, {"sequence", event->sequence}, {"prevdigest", event->prevdigest}}};
  return material_of(core_of(*event), extensions);
}

}  // namespace cellos
