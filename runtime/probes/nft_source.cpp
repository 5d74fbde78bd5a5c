#include "runtime/probes/nft_source.hpp"

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "runtime/probes/netlink_socket.hpp"
#include "runtime/probes/network_namespace.hpp"

namespace cellos {

namespace {

/// Rules come and go; a namespace where three listings in a row meet a change is asked again in the next turn.
constexpr int most_attempts = 3;

probe_result<nft_ruleset> read_here(monotonic_time deadline) {
  netlink_socket socket{NETLINK_NETFILTER, "nftables"};
  std::uint32_t number = 0;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    nft_ruleset ruleset;
    bool is_complete = true;
    for (const auto what : {nft_listing::tables, nft_listing::named_counters, nft_listing::rules}) {
      nft_dump dump{++number, ruleset};
      const auto listed = socket.ask(nft_dump_request(what, number), dump, deadline);
      if (!listed) return listed.error();
      is_complete = *listed;
      if (!is_complete) break;
    }
    if (is_complete) return ruleset;
  }
  return probe_error{probe_error_kind::io, "nftables: rules change while they are listed"};
}

}  // namespace

probe_result<nft_ruleset> read_nft_ruleset(const std::string& namespace_path, monotonic_time deadline) {
  std::optional<probe_result<nft_ruleset>> ruleset;
  if (auto error = in_network_namespace(namespace_path, [&] { ruleset.emplace(read_here(deadline)); })) {
    return *std::move(error);
  }
  return *std::move(ruleset);
}

}  // namespace cellos
