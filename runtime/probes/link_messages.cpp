#include "runtime/probes/link_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "messages/utf8.hpp"
#include "runtime/probes/netlink_attributes.hpp"

namespace cellos {

namespace {

/// RFC 2863, in the order of the kernel's IF_OPER_*.
constexpr std::array<std::string_view, 7> operstates{"unknown", "notpresent", "down", "lowerlayerdown",
                                                     "testing", "dormant",    "up"};

void take_counters(const nlattr* attribute, link_state& into) {
  rtnl_link_stats64 counters{};
  const std::size_t known = std::min<std::size_t>(mnl_attr_get_payload_len(attribute), sizeof counters);
  std::memcpy(&counters, mnl_attr_get_payload(attribute), known);
  into.rx_packets = counters.rx_packets;
  into.tx_packets = counters.tx_packets;
  into.rx_bytes = counters.rx_bytes;
  into.tx_bytes = counters.tx_bytes;
  into.rx_errors = counters.rx_errors;
  into.tx_errors = counters.tx_errors;
  into.rx_dropped = counters.rx_dropped;
  into.tx_dropped = counters.tx_dropped;
}

void take_attribute(const nlattr* attribute, std::string& name, link_state& into) {
  switch (mnl_attr_get_type(attribute)) {
    case IFLA_IFNAME: name = text_in(attribute); break;
    case IFLA_OPERSTATE: {
      const auto state = number_in<std::uint8_t>(attribute);
      if (state < operstates.size()) into.operstate = operstates[state];
      break;
    }
    case IFLA_CARRIER: into.carrier = number_in<std::uint8_t>(attribute) != 0; break;
    case IFLA_CARRIER_CHANGES: into.carrier_changes = number_in<std::uint32_t>(attribute); break;
    case IFLA_STATS64: take_counters(attribute, into); break;
    default: break;
  }
}

/// False if it is no link with a name.
bool take_link(const nlmsghdr* message, link_table& into) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(ifinfomsg)) return false;
  ifinfomsg head{};
  std::memcpy(&head, mnl_nlmsg_get_payload(message), sizeof head);
  link_state link;
  link.index = static_cast<std::uint32_t>(head.ifi_index);
  link.up = (head.ifi_flags & IFF_UP) != 0;
  std::string name;
  for_each_attribute(message, sizeof head, [&](const nlattr* each) { take_attribute(each, name, link); });
  if (name.empty() || !is_valid_utf8(name)) return false;
  into.insert_or_assign(std::move(name), link);
  return true;
}

}  // namespace

std::string link_dump_request(std::uint32_t number) {
  alignas(nlmsghdr) std::array<char, MNL_ALIGN(sizeof(nlmsghdr)) + MNL_ALIGN(sizeof(ifinfomsg))> bytes{};
  nlmsghdr* message = mnl_nlmsg_put_header(bytes.data());
  message->nlmsg_type = RTM_GETLINK;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = number;
  mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
  return {bytes.data(), message->nlmsg_len};
}

bool link_dump::take_message(const nlmsghdr* message) {
  return message->nlmsg_type != RTM_NEWLINK || take_link(message, links_);
}

}  // namespace cellos
