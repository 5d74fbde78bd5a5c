#pragma once

#include <string_view>

namespace cellos {

/// runtime/control/page/index.html, as it was when this program was built.
std::string_view status_page();

}  // namespace cellos
