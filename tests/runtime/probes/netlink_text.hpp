#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "runtime/probes/netlink_dump.hpp"

namespace cellos::test {

/// A netlink message, byte by byte.
inline std::string message(std::uint16_t type, std::uint32_t number, const std::string& payload,
                           std::uint16_t flags = 0) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + payload.size());
  head.nlmsg_type = type;
  head.nlmsg_flags = flags;
  head.nlmsg_seq = number;
  std::string bytes{reinterpret_cast<const char*>(&head), sizeof head};
  bytes += payload;
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

inline std::string attribute(std::uint16_t type, const std::string& value) {
  nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
  std::string bytes{reinterpret_cast<const char*>(&head), sizeof head};
  bytes += value;
  bytes.resize(NLA_ALIGN(bytes.size()));
  return bytes;
}

/// The payload of NLMSG_DONE where all is well.
inline const std::string done(4, '\0');

/// A copy of the datagram's size, so that a read beyond the end is seen, and aligned.
inline netlink_dump::progress take(netlink_dump& dump, const std::string& datagram) {
  const auto copy = std::make_unique<char[]>(datagram.size());
  std::memcpy(copy.get(), datagram.data(), datagram.size());
  return dump.take({copy.get(), datagram.size()});
}

}  // namespace cellos::test
