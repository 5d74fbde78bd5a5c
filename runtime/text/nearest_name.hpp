#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace cellos {

/// The candidate that `name` was probably meant to be: the fewest letters inserted, removed, changed or swapped with
/// their neighbour, and no more than a third of the longer one's. The first of equals; nothing when none is near.
std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace cellos
