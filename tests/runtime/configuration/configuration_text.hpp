#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/configuration/load.hpp"

/// Writing configuration files in tests, and what their errors read like.
namespace cellos::test {

/// Line 1 to 3 of a file that is valid as it stands and ends inside `[evidence]`.
inline const std::string smallest = "host_id = \"host-a\"\n[evidence]\ndir = \"/var/lib/t\"\n";

/// One whole `[[cell]]` of 5 lines.
inline std::string cell(std::string_view id, std::string_view vsock_uds_base) {
  return "[[cell]]\nid = \"" + std::string{id} + "\"\nrun_id = \"run-7\"\nvsock_uds_base = \"" +
         std::string{vsock_uds_base} + "\"\nspec_signature_hash = \"sha256:00\"\n";
}

inline std::vector<std::string> messages_of(const configuration_outcome& outcome) {
  std::vector<std::string> messages;
  if (const auto* errors = std::get_if<std::vector<configuration_error>>(&outcome)) {
    for (const auto& error : *errors) messages.push_back(to_string(error));
  }
  return messages;
}

inline std::vector<std::string> errors_in(std::string_view text) {
  return messages_of(parse_configuration(text, "t.toml"));
}

/// The message of a file that has exactly one error; else all of them, each on a line.
inline std::string error_in(std::string_view text) {
  std::string joined;
  for (const auto& message : errors_in(text)) {
    if (!joined.empty()) joined += '\n';
    joined += message;
  }
  return joined.empty() ? "no error" : joined;
}

/// The configuration of a valid file; throws for any other.
inline configuration configuration_in(std::string_view text) {
  return std::get<configuration>(parse_configuration(text, "t.toml"));
}

}  // namespace cellos::test
