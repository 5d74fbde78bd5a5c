#include "runtime/probes/link_source.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace cellos {

namespace {

/// Links come and go; a namespace where three dumps in a row meet a change is asked again in the next turn.
constexpr std::uint32_t most_attempts = 3;

probe_result<link_table> read_links_of(listing_session& session, monotonic_time deadline) {
  for (std::uint32_t number = 1; number <= most_attempts; ++number) {
    link_dump dump{number};
    const auto is_complete = session.ask(kernel_listing::links, number, dump, deadline);
    if (!is_complete) return is_complete.error();
    if (*is_complete) return dump.links();
  }
  return probe_error{probe_error_kind::io, "rtnetlink: links change while they are listed"};
}

}  // namespace

probe_result<link_table> read_links(const std::string& namespace_path, monotonic_time deadline,
                                    const privileged_reads_ptr& by) {
  std::optional<probe_result<link_table>> links;
  if (auto error = by->in_namespace(
          namespace_path, [&](listing_session& session) { links.emplace(read_links_of(session, deadline)); })) {
    return *std::move(error);
  }
  return *std::move(links);
}

}  // namespace cellos
