#pragma once

#include <string_view>

#include "runtime/evidence/journal_content.hpp"

namespace cellos {

/// The append within which a segment ends at `end`; null if it ends between two. It is taken back as a whole. Pure.
///
/// A process that is killed leaves the last one so. A loss of power, which another `boot_id` shows, leaves any that was
/// not durable so; in the same boot a segment that ends within an earlier one was cut by somebody, and stays as it is.
const journal_record* torn_append(const journal_content& left, segment_position end, std::string_view boot_id);

}  // namespace cellos
