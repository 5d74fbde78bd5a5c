#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/configuration/configuration.hpp"
#include "runtime/configuration/configuration_error.hpp"

namespace cellos {

/// A configuration that is whole and coherent, or everything that is wrong with it in the file's order (never empty).
using configuration_outcome = std::variant<configuration, std::vector<configuration_error>>;

/// Reads a file. One that cannot be read, is no regular file, or has more than 16 MiB, is an error like any other.
configuration_outcome load_configuration(const std::filesystem::path& path);
/// Leaves what was read in `text`.
configuration_outcome load_configuration(const std::filesystem::path& path, std::string& text);

/// Whether a file, understood or not, has the line with which `[log]` asks for JSON: its refusal is then JSON too.
bool asks_for_json_log(std::string_view text);

/// Reads a text; `origin_name` is what its errors call the file. A text that is not TOML has one error, its first.
configuration_outcome parse_configuration(std::string_view text, std::string_view origin_name);

}  // namespace cellos
