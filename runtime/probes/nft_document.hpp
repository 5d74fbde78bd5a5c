#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  /// The rule's expressions as libnftables spells them, without what was counted; empty where that is long.
  std::string expressions;

  bool operator==(const nft_counter&) const = default;
};

struct nft_table_name {
  /// `inet`, `ip`, `ip6`, `arp`, `bridge`, `netdev`.
  std::string family;
  std::string table;
  auto operator<=>(const nft_table_name&) const = default;
};

/// The counters of each table, in the document's order.
using nft_ruleset = std::map<nft_table_name, std::vector<nft_counter>>;

/// What `nft -j list ruleset` says, libnftables-json(5). Nothing of what has another form.
std::optional<nft_ruleset> parse_nft_ruleset(std::string_view document);

}  // namespace cellos
