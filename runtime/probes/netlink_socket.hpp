#pragma once

#include <string>
#include <string_view>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/probes/netlink_dump.hpp"

namespace cellos {

/// A socket of that netlink family (`NETLINK_ROUTE` and others), and dumps one after the other.
class netlink_socket {
 public:
  /// `name`: what errors begin with. Needs to live as long.
  netlink_socket(int family, std::string_view name);

  /// Whether `dump` has it all; false: it was interrupted, and another one is to be asked for.
  probe_result<bool> ask(const std::string& request, netlink_dump& dump, monotonic_time deadline);

 private:
  probe_result<netlink_dump::progress> take_answers(netlink_dump& dump, monotonic_time deadline);

  std::string_view name_;
  file_descriptor socket_;
  int failure_ = 0;
};

}  // namespace cellos
