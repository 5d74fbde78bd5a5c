#pragma once

#include <string>
#include <string_view>

namespace cellos {

/// `text` made safe for a log line: printable ASCII stays, everything else becomes `\xNN`, and after `max_bytes` input
/// bytes it ends with `...`. The only way guest or configuration text reaches a log.
std::string escaped(std::string_view text, std::size_t max_bytes = 64);

/// The same for sentences, which name things in quotation marks: each of those becomes `quote`.
std::string escaped(std::string_view text, std::size_t max_bytes, std::string_view quote);

}  // namespace cellos
