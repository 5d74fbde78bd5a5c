#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/probes/netlink_dump.hpp"

namespace cellos {

/// What came of a dump, as listing_session::ask has it. `name`: what errors begin with.
probe_result<bool> whether_complete(netlink_dump::progress progress, const netlink_dump& dump, std::string_view name);

/// A socket of that netlink family (`NETLINK_ROUTE` and others), and dumps one after the other.
class netlink_socket {
 public:
  /// `name`: what errors begin with. Needs to live as long.
  netlink_socket(int family, std::string_view name);

  /// Whether `dump` has it all; false: it was interrupted, and another one is to be asked for.
  probe_result<bool> ask(const std::string& request, netlink_dump& dump, monotonic_time deadline);

  /// A datagram of the kernel's; whether more of them follow.
  using taker = std::function<netlink_dump::progress(std::span<const char>)>;
  /// Sends the request, and hands on what the kernel answers until that is all.
  probe_result<netlink_dump::progress> exchange(const std::string& request, const taker& take, monotonic_time deadline);

 private:
  probe_result<netlink_dump::progress> take_answers(const taker& take, monotonic_time deadline);

  std::string_view name_;
  file_descriptor socket_;
  int failure_ = 0;
};

}  // namespace cellos
