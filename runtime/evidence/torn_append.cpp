#include "runtime/evidence/torn_append.hpp"

#include <algorithm>

namespace cellos {

const journal_record* torn_append(const journal_content& left, segment_position end, std::string_view boot_id) {
  const auto is_torn = [&](const journal_record& append) { return append.begin < end && end < append.end(); };
  if (left.same_boot(boot_id)) {
    const journal_record* const last = left.last_append();
    return last != nullptr && last->begin.segment == end.segment && is_torn(*last) ? last : nullptr;
  }
  const auto torn = std::find_if(left.records.rbegin(), left.records.rend(), [&](const journal_record& append) {
    return append.begin.segment == end.segment && is_torn(append);
  });
  return torn == left.records.rend() ? nullptr : &*torn;
}

}  // namespace cellos
