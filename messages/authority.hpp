#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/json_text.hpp"

namespace cellos {

/// The ADG block `output` of an event's data: what kind of knowledge the event is.
struct authority {
  std::string_view epistemic_status;
  std::string_view rule_class;
  std::uint64_t tier;
};

inline constexpr authority declared_by_guest{"declared", "guestAgentDeclaration", 1};
inline constexpr authority observed_by_host{"observed", "rawObservation", 2};
/// The absence of declarations, which is itself an observation.
inline constexpr authority observed_absence{"observed", "opacity", 2};

inline void append_output(std::string& out, const authority& known) {
  json::object_writer output{out};
  output.text("epistemicStatus", known.epistemic_status);
  output.text("ruleClass", known.rule_class);
  output.number("tier", known.tier);
}

/// Writes the block as the value of a member.
inline auto output_of(const authority& known) {
  return [&known](std::string& out) { append_output(out, known); };
}

}  // namespace cellos
