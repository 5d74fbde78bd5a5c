#include "runtime/probes/netlink_dump.hpp"

#include <libmnl/libmnl.h>

#include <cstring>
#include <optional>

namespace cellos {

namespace {

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

netlink_dump::progress netlink_dump::take(std::span<const char> datagram) {
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
    if (!take_message(message)) return progress::malformed;
  }
  return left <= 0 ? progress::more : progress::malformed;
}

}  // namespace cellos
