#include "runtime/daemon/readable_files.hpp"

#include <unistd.h>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

std::string unreadable_file(std::initializer_list<std::filesystem::path> files) {
  constexpr std::size_t longest_path_shown = 512;
  for (const auto& each : files) {
    if (each.empty() || ::access(each.c_str(), R_OK) == 0) continue;
    return escaped(each.native(), longest_path_shown) + " cannot be read: " + last_system_error().message();
  }
  return {};
}

}  // namespace cellos
