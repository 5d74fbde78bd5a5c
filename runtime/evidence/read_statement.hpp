#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "messages/signing_statement.hpp"

namespace cellos {

/// The `signing` member of `object`, as `append_statement` writes it; nothing where there is none.
std::optional<signing_statement> read_statement(const nlohmann::json& object);

}  // namespace cellos
