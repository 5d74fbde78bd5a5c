#include "runtime/probes/link_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "messages/utf8.hpp"

namespace cellos {

namespace {

/// RFC 2863, in the order of the kernel's IF_OPER_*.
constexpr std::array<std::string_view, 7> operstates{"unknown", "notpresent", "down", "lowerlayerdown",
                                                     "testing", "dormant",    "up"};

template <class Number>
Number number_in(const nlattr* attribute) {
  Number number{};
  if (mnl_attr_get_payload_len(attribute) >= sizeof number) {
    std::memcpy(&number, mnl_attr_get_payload(attribute), sizeof number);
  }
  return number;
}

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

/// Up to its first NUL.
std::string text_in(const nlattr* attribute) {
  const std::string_view all{static_cast<const char*>(mnl_attr_get_payload(attribute)),
                             mnl_attr_get_payload_len(attribute)};
  return std::string{all.substr(0, all.find('\0'))};
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
  const char* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(message));
  const auto* at = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof head));
  while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
    take_attribute(at, name, link);
    at = mnl_attr_next(at);
  }
  if (name.empty() || !is_valid_utf8(name)) return false;
  into.insert_or_assign(std::move(name), link);
  return true;
}

/// What NLMSG_ERROR and NLMSG_DONE begin with; 0 where all is well.
std::optional<int> error_in(const nlmsghdr* message) {
  int error = 0;
  if (mnl_nlmsg_get_payload_len(message) < sizeof error) return std::nullopt;
  std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof error);
  return error < 0 && error != INT32_MIN ? -error : error;
}

/// libmnl takes a length of more than 2^31 for a negative one.
bool is_whole(const nlmsghdr* message, int left) {
  return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= static_cast<std::uint32_t>(left);
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

link_dump::progress link_dump::take(std::span<const char> datagram) {
  int left = static_cast<int>(datagram.size());
  const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
  for (; is_whole(message, left); message = mnl_nlmsg_next(message, &left)) {
    // Of an earlier dump that was given up.
    if (message->nlmsg_seq != request_number_) continue;
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
    if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
      const auto error = error_in(message);
      if (!error) return progress::malformed;
      refusal_ = *error;
      if (refusal_ != 0) return progress::refused;
      return interrupted_ ? progress::interrupted : progress::complete;
    }
    if (message->nlmsg_type == RTM_NEWLINK && !take_link(message, links_)) return progress::malformed;
  }
  return left <= 0 ? progress::more : progress::malformed;
}

}  // namespace cellos
