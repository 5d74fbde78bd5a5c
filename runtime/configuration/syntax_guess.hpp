#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cellos::settings {

/// What a line that is not TOML was probably meant to say.
struct syntax_guess {
  /// The full key it tried to set, or the table it tried to open; `(syntax)` where that cannot be known.
  std::string key;
  std::string remedy;
};

/// `line` counts from 1; `description` is the parser's. Reads the text line by line, so it is only good for messages.
syntax_guess guess_at(std::string_view text, std::size_t line, std::string_view description = {});

}  // namespace cellos::settings
