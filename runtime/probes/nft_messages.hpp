#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/probes/netlink_dump.hpp"

namespace cellos {

/// Packets and bytes that nftables has counted, in a counter with a name or in a rule.
struct nft_counter {
  /// Of a named counter; empty in a rule.
  std::string name;
  /// Of a rule; empty of a named counter.
  std::string chain;
  /// What the rule's author wrote beside it.
  std::string comment;
  std::uint64_t handle = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  /// What the rule is made of: the names of its expressions as the kernel has them, with a comma between two; empty
  /// where that is long.
  std::string expressions;

  bool operator==(const nft_counter&) const = default;
};

struct nft_table_name {
  /// `inet`, `ip`, `ip6`, `arp`, `bridge`, `netdev`.
  std::string family;
  std::string table;
  auto operator<=>(const nft_table_name&) const = default;
};

/// The counters of each table: those with names, then the rules'.
using nft_ruleset = std::map<nft_table_name, std::vector<nft_counter>>;

/// What is listed in this order.
enum class nft_listing : std::uint8_t { tables, named_counters, rules };

/// A request for a dump of all of a namespace: NFT_MSG_GETTABLE, NFT_MSG_GETOBJ, NFT_MSG_GETRULE, with its number.
std::string nft_dump_request(nft_listing what, std::uint32_t number);

/// The answers to such a request, added to a ruleset.
class nft_dump final : public netlink_dump {
 public:
  /// Of all tables; no host has so many. Chosen here.
  static constexpr std::size_t most_counters = 100'000;

  /// `into` must outlive it.
  nft_dump(std::uint32_t request_number, nft_ruleset& into) : netlink_dump(request_number), into_(into) {}

 private:
  bool take_message(const nlmsghdr* message) override;
  bool add(const nft_table_name& table, nft_counter counter);

  nft_ruleset& into_;
  std::size_t taken_ = 0;
};

}  // namespace cellos
