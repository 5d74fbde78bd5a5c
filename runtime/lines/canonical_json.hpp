#pragma once

#include <simdjson.h>

#include <optional>
#include <string>

namespace cellos {

/// Appends `value` as RFC 8785 writes it; integers beyond 2^53 stay exact. False, with something appended, if an object
/// has a member twice, which no two readers take the same.
bool append_canonical(std::string& out, simdjson::dom::element value);

/// A double as ECMAScript, and so RFC 8785, writes it. `number` is finite.
std::string canonical_number(double number);

}  // namespace cellos
