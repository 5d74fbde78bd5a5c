#include "runtime/probes/link_source.hpp"

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "runtime/probes/netlink_socket.hpp"
#include "runtime/probes/network_namespace.hpp"

namespace cellos {

namespace {

/// Links come and go; a namespace where three dumps in a row meet a change is asked again in the next turn.
constexpr std::uint32_t most_attempts = 3;

probe_result<link_table> read_links_here(monotonic_time deadline) {
  netlink_socket socket{NETLINK_ROUTE, "rtnetlink"};
  for (std::uint32_t number = 1; number <= most_attempts; ++number) {
    link_dump dump{number};
    const auto is_complete = socket.ask(link_dump_request(number), dump, deadline);
    if (!is_complete) return is_complete.error();
    if (*is_complete) return dump.links();
  }
  return probe_error{probe_error_kind::io, "rtnetlink: links change while they are listed"};
}

}  // namespace

probe_result<link_table> read_links(const std::string& namespace_path, monotonic_time deadline) {
  std::optional<probe_result<link_table>> links;
  if (auto error = in_network_namespace(namespace_path, [&] { links.emplace(read_links_here(deadline)); })) {
    return *std::move(error);
  }
  return *std::move(links);
}

}  // namespace cellos
