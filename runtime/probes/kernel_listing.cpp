#include "runtime/probes/kernel_listing.hpp"

#include <linux/netlink.h>

#include "runtime/probes/link_messages.hpp"
#include "runtime/probes/nft_messages.hpp"

namespace cellos {

int netlink_family_of(kernel_listing what) { return what == kernel_listing::links ? NETLINK_ROUTE : NETLINK_NETFILTER; }

std::string_view source_of(kernel_listing what) { return what == kernel_listing::links ? "rtnetlink" : "nftables"; }

std::string request_of(kernel_listing what, std::uint32_t number) {
  switch (what) {
    case kernel_listing::nft_tables: return nft_dump_request(nft_listing::tables, number);
    case kernel_listing::nft_named_counters: return nft_dump_request(nft_listing::named_counters, number);
    case kernel_listing::nft_rules: return nft_dump_request(nft_listing::rules, number);
    default: return link_dump_request(number);
  }
}

}  // namespace cellos
