#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cellos {

/// What a kernel lists of a network namespace over netlink, each in one dump.
enum class kernel_listing : std::uint8_t { links, nft_tables, nft_named_counters, nft_rules };

inline constexpr std::uint8_t kernel_listings = 4;

/// `NETLINK_ROUTE` or `NETLINK_NETFILTER`.
int netlink_family_of(kernel_listing what);
/// What errors begin with.
std::string_view source_of(kernel_listing what);
/// The request, whole: nothing of it is anybody's to choose but its number.
std::string request_of(kernel_listing what, std::uint32_t number);

}  // namespace cellos
