#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "messages/cell_specification.hpp"

namespace cellos::bench {

inline constexpr std::string_view host_id = "host-bench";

/// The cells of a measurement, with their sockets in `home`. The same for every receiver, so that all write lines of
/// one length.
std::vector<cell_specification> cells_in(const std::filesystem::path& home, std::size_t count);

}  // namespace cellos::bench
