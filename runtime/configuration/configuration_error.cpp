#include "runtime/configuration/configuration_error.hpp"

#include <fmt/core.h>

#include "messages/escaped_text.hpp"

namespace cellos {

namespace settings {

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", escaped(text, 128)); }

}  // namespace settings

std::string to_string(const configuration_error& error) {
  // The other parts are made of escaped text.
  return fmt::format("{}:{}:{}: {}: {}; {}", escaped(error.file, 4096), error.line, error.column, error.key,
                     error.problem, error.remedy);
}

}  // namespace cellos
