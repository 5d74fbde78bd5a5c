#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <variant>

#include "messages/cell_status.hpp"
#include "runtime/configuration/configuration.hpp"

/// Cells as JSON: what a client asks for, what the state file remembers, and what a status says.
namespace cellos {

/// What is wrong with a document, for the client: the field (empty for the whole), and what to write instead.
struct document_refusal {
  std::string error;
  std::string field;
  std::string hint;
};

using cell_or_refusal = std::variant<cell_specification, document_refusal>;

/// The body of a PUT: the keys of a `[[cell]]` but `id`, by the same rules. Unknown, doubled and missing ones are
/// refused.
cell_or_refusal read_cell(std::string_view id, std::string_view body);

/// Everything `read_cell` needs to make the same cell again.
nlohmann::ordered_json cell_to_json(const cell_specification& cell);

nlohmann::ordered_json to_json(const run_totals& totals);
nlohmann::ordered_json to_json(const cell_status& status);

/// Seconds with what a person needs of them; JSON has no durations.
double seconds_of(std::chrono::nanoseconds duration);

/// As configurations spell it: "10s", "250ms".
std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace cellos
