#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "messages/node_message.hpp"
#include "messages/segment_position.hpp"

/// The names in a collector's directory, `<host>/<log id>[.fork-<n>]/evidence-<segment>-<offset>.jsonl`. What a peer
/// says becomes a part of a path only by way of these functions.
namespace cellos {

/// Whether a host with this id can have a directory of its name: what the configuration takes for an id, but for those
/// that begin with a point.
bool is_host_directory_name(std::string_view host_id);

/// One copy of a host's log. Forks count from 1; 0 is the copy that was begun first.
struct copy_name {
  node_log_id log{};
  std::uint32_t fork = 0;

  bool operator==(const copy_name&) const = default;
};

/// `<32 hexadecimal digits>`, with `.fork-<n>` behind it for a fork.
std::string to_string(const copy_name& name);
std::optional<copy_name> parse_copy_name(std::string_view text);

/// A file of a copy is named by the place in the host's log where it begins, twenty digits each: name order is log
/// order.
std::string piece_file_name(segment_position begin);
std::optional<segment_position> parse_piece_file_name(std::string_view text);

/// Where the pieces in a copy's directory begin, in log order.
std::vector<segment_position> list_pieces(const std::filesystem::path& dir, std::error_code& failure);

}  // namespace cellos
