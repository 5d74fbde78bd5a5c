#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>

namespace cellos {

/// The first of the files that cannot be read, and why, as a sentence for a person. Empty if there is none; so are
/// paths of files that are not configured.
std::string unreadable_file(std::initializer_list<std::filesystem::path> files);

}  // namespace cellos
