#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "runtime/verification/report.hpp"

namespace cellos::verification {

/// For a person: a table of chains, what is wrong, what to know, and one line of summary last.
std::string text_of(const verification_report& report, bool colours);

/// One JSON object on one line, for programs; docs/evidence.md names its members.
std::string json_of(const verification_report& report);

/// Where each chain of a report stood, from what json_of() wrote. The alternative is what is wrong with `text`.
std::variant<earlier_ends, std::string> read_earlier_ends(std::string_view text);

/// `3 chains of 2 hosts, 2,000 events: nothing wrong`.
std::string summary_of(const verification_report& report);

}  // namespace cellos::verification
