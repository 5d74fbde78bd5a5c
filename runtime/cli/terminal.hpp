#pragma once

#include <string>
#include <string_view>

namespace cellos::cli {

/// What may be sent to standard output besides text. The one place that decides about colours.
struct terminal {
  /// A person looks at it, not a file or another program.
  bool is_terminal = false;
  /// Neither NO_COLOR (https://no-color.org) nor a TERM that cannot asks for plain text.
  bool has_colours = false;
  /// Can be drawn anew in place: TERM is neither missing nor "dumb".
  bool can_redraw = false;
};

terminal standard_output();
terminal standard_error();
/// The decision itself; null where a variable is not set.
terminal terminal_of(bool is_terminal, const char* term, const char* no_color);

/// A JSON text of the same meaning that no terminal obeys: DEL, C1 controls and what turns or hides text (bidirectional
/// controls, line separators, zero-width characters) as escapes. Only strings can hold them. Bytes that are no UTF-8
/// become U+FFFD.
std::string harmless_json(std::string_view text);

}  // namespace cellos::cli
