#include "runtime/probes/nft_messages.hpp"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "messages/utf8.hpp"
#include "runtime/probes/netlink_attributes.hpp"

namespace cellos {

namespace {

/// The rest of what identifies a rule, its handle and chain, is there without them.
constexpr std::size_t longest_expressions = 512;
/// What libnftnl writes in a rule's user data before a comment (libnftnl/udata.h).
constexpr unsigned char comment_type = 0;

constexpr std::uint16_t type_of(int message) { return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message); }

/// As nft(8) spells them; empty for one that it does not know.
std::string_view family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET: return "inet";
    case NFPROTO_IPV4: return "ip";
    case NFPROTO_IPV6: return "ip6";
    case NFPROTO_ARP: return "arp";
    case NFPROTO_BRIDGE: return "bridge";
    case NFPROTO_NETDEV: return "netdev";
    default: return {};
  }
}

std::optional<std::string_view> family_of(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(nfgenmsg)) return std::nullopt;
  nfgenmsg head{};
  std::memcpy(&head, mnl_nlmsg_get_payload(message), sizeof head);
  return family_name(head.nfgen_family);
}

std::uint64_t count_in(const nlattr* attribute) { return be64toh(number_in<std::uint64_t>(attribute)); }

void take_counts(const nlattr* data, nft_counter& into) {
  for_each_attribute(data, [&](const nlattr* each) {
    switch (mnl_attr_get_type(each)) {
      case NFTA_COUNTER_PACKETS: into.packets = count_in(each); break;
      case NFTA_COUNTER_BYTES: into.bytes = count_in(each); break;
      default: break;
    }
  });
}

/// What is written beside a rule is a row of types, lengths and values.
std::string comment_in(std::string_view user_data) {
  while (user_data.size() >= 2) {
    const auto type = static_cast<unsigned char>(user_data[0]);
    const auto length = static_cast<unsigned char>(user_data[1]);
    const auto value = user_data.substr(2, length);
    if (type == comment_type) {
      std::string comment{value.substr(0, value.find('\0'))};
      return is_valid_utf8(comment) ? comment : std::string{};
    }
    user_data.remove_prefix(std::min<std::size_t>(user_data.size(), 2U + length));
  }
  return {};
}

/// Adds the expression's name. True if it counts by itself; others name a counter.
bool take_expression(const nlattr* element, nft_counter& into) {
  std::string name;
  const nlattr* data = nullptr;
  for_each_attribute(element, [&](const nlattr* each) {
    if (mnl_attr_get_type(each) == NFTA_EXPR_NAME) name = text_in(each);
    if (mnl_attr_get_type(each) == NFTA_EXPR_DATA) data = each;
  });
  if (!is_valid_utf8(name)) name.clear();
  if (!into.expressions.empty()) into.expressions += ',';
  into.expressions += name;
  if (name != "counter" || data == nullptr) return false;
  take_counts(data, into);
  return true;
}

/// An object as NFT_MSG_NEWOBJ describes it; `type` is 0 if it says none.
struct nft_object {
  std::string table;
  std::uint32_t type = 0;
  nft_counter counter;
};

nft_object object_in(const nlmsghdr* message) {
  nft_object object;
  for_each_attribute(message, sizeof(nfgenmsg), [&](const nlattr* each) {
    switch (mnl_attr_get_type(each)) {
      case NFTA_OBJ_TABLE: object.table = text_in(each); break;
      case NFTA_OBJ_NAME: object.counter.name = text_in(each); break;
      case NFTA_OBJ_TYPE: object.type = be32toh(number_in<std::uint32_t>(each)); break;
      case NFTA_OBJ_HANDLE: object.counter.handle = count_in(each); break;
      case NFTA_OBJ_DATA: take_counts(each, object.counter); break;
      default: break;
    }
  });
  return object;
}

/// A rule as NFT_MSG_NEWRULE describes it.
struct nft_rule {
  std::string table;
  bool counts = false;
  nft_counter counter;
};

nft_rule rule_in(const nlmsghdr* message) {
  nft_rule rule;
  for_each_attribute(message, sizeof(nfgenmsg), [&](const nlattr* each) {
    switch (mnl_attr_get_type(each)) {
      case NFTA_RULE_TABLE: rule.table = text_in(each); break;
      case NFTA_RULE_CHAIN: rule.counter.chain = text_in(each); break;
      case NFTA_RULE_HANDLE: rule.counter.handle = count_in(each); break;
      case NFTA_RULE_USERDATA: rule.counter.comment = comment_in(bytes_in(each)); break;
      case NFTA_RULE_EXPRESSIONS:
        for_each_attribute(each, [&](const nlattr* element) { rule.counts |= take_expression(element, rule.counter); });
        break;
      default: break;
    }
  });
  if (rule.counter.expressions.size() > longest_expressions) rule.counter.expressions.clear();
  return rule;
}

std::string table_in(const nlmsghdr* message) {
  std::string name;
  for_each_attribute(message, sizeof(nfgenmsg), [&](const nlattr* each) {
    if (mnl_attr_get_type(each) == NFTA_TABLE_NAME) name = text_in(each);
  });
  return name;
}

bool is_name(std::string_view text) { return !text.empty() && is_valid_utf8(text); }

}  // namespace

std::string nft_dump_request(nft_listing what, std::uint32_t number) {
  constexpr std::size_t most =
      MNL_ALIGN(sizeof(nlmsghdr)) + MNL_ALIGN(sizeof(nfgenmsg)) + MNL_ALIGN(sizeof(nlattr)) + 4;
  constexpr std::array types{NFT_MSG_GETTABLE, NFT_MSG_GETOBJ, NFT_MSG_GETRULE};
  alignas(nlmsghdr) std::array<char, most> bytes{};
  nlmsghdr* message = mnl_nlmsg_put_header(bytes.data());
  message->nlmsg_type = type_of(types.at(static_cast<std::size_t>(what)));
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = number;
  auto* head = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  head->nfgen_family = NFPROTO_UNSPEC;
  head->version = NFNETLINK_V0;
  if (what == nft_listing::named_counters) mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htobe32(NFT_OBJECT_COUNTER));
  return {bytes.data(), message->nlmsg_len};
}

bool nft_dump::take_message(const nlmsghdr* message) {
  const auto family = family_of(message);
  if (!family) return false;
  if (family->empty()) return true;
  switch (message->nlmsg_type) {
    case type_of(NFT_MSG_NEWTABLE): {
      const std::string table = table_in(message);
      if (is_name(table) && ++taken_ <= most_counters) into_.try_emplace({std::string{*family}, table});
      return is_name(table) && taken_ <= most_counters;
    }
    case type_of(NFT_MSG_NEWOBJ): {
      nft_object object = object_in(message);
      if (object.type != NFT_OBJECT_COUNTER) return true;
      return is_name(object.counter.name) && add({std::string{*family}, object.table}, std::move(object.counter));
    }
    case type_of(NFT_MSG_NEWRULE): {
      nft_rule rule = rule_in(message);
      if (!rule.counts) return true;
      return is_name(rule.counter.chain) && add({std::string{*family}, rule.table}, std::move(rule.counter));
    }
    default: return true;
  }
}

bool nft_dump::add(const nft_table_name& table, nft_counter counter) {
  if (!is_name(table.table) || ++taken_ > most_counters) return false;
  into_[table].push_back(std::move(counter));
  return true;
}

}  // namespace cellos
