#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cellos {

/// One thing wrong with a configuration file, and what to write instead.
struct configuration_error {
  std::string file;
  /// Both from 1. Where something is missing: of the table it is missing from.
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  /// The full key (`cell[1].run_id`); `(file)` or `(syntax)` where there is none to name.
  std::string key;
  std::string problem;
  std::string remedy;

  bool operator==(const configuration_error&) const = default;
};

/// `FILE:LINE:COL: KEY: problem; remedy`, one line of printable ASCII.
std::string to_string(const configuration_error& error);

namespace settings {

/// `text` escaped, at most 128 bytes of it, between double quotes: how a message repeats what the file said.
std::string in_quotes(std::string_view text);

}  // namespace settings

}  // namespace cellos
