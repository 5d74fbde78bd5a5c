#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "runtime/os/file_system.hpp"

namespace cellos {

/// Offset behind the last newline before `end`; 0 if there is none. Reads backwards, a block at a time.
std::uint64_t end_of_last_line(file_system& files, int fd, std::uint64_t end, std::error_code& failure);

/// The line, with its newline, that ends at `end`; nothing where none ends there, or on failure.
std::optional<std::string> line_ending_at(file_system& files, int fd, std::uint64_t end, std::error_code& failure);

/// Newlines in `text`; faster than a loop over its bytes where lines are long.
std::size_t count_lines(std::string_view text);

}  // namespace cellos
