#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "messages/node_message.hpp"
#include "messages/segment_position.hpp"
#include "runtime/os/file_system.hpp"

/// What a forwarder keeps beside the log, in the evidence directory.
namespace cellos {

struct log_id_outcome {
  node_log_id id{};
  std::error_code failure;
};

/// The id of the log in this directory: read from `log-id`, which is made, durably, where there is none. A file that
/// says something else is a failure: under a new id every collector would begin a new copy.
log_id_outcome read_or_make_log_id(const std::filesystem::path& dir, file_system& files = real_file_system());

/// How far a collector has the log: `forwarded-to`. A hint; it may be old, and after a loss of power anything.
struct forwarding_mark {
  segment_position delivered;
  /// As the configuration names it.
  std::string collector;

  bool operator==(const forwarding_mark&) const = default;
};

/// Nothing where there is none, or none that can be read.
std::optional<forwarding_mark> read_mark(const std::filesystem::path& dir);
/// Replaces it; not synced.
std::error_code write_mark(const std::filesystem::path& dir, const forwarding_mark& mark,
                           file_system& files = real_file_system());

/// 32 hexadecimal digits.
std::string to_text(const node_log_id& id);
/// Nothing but what to_text() spells.
std::optional<node_log_id> parse_log_id(std::string_view text);

/// The content of a file of at most 4 KiB. Nothing where there is none, or none that can be read.
std::optional<std::string> read_hint(const std::filesystem::path& path);
/// Puts a file with this text at `path`, by way of PATH.new; not synced.
std::error_code write_hint(const std::filesystem::path& path, std::string_view text,
                           file_system& files = real_file_system());

}  // namespace cellos
