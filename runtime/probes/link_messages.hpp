#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "runtime/probes/netlink_dump.hpp"

namespace cellos {

/// One interface, as rtnetlink(7) has it. Counters are the host's: what a guest sends, its tap receives.
struct link_state {
  /// Another one if the interface went and came back under the same name.
  std::uint32_t index = 0;
  /// `up`, `down`, `lowerlayerdown` and so on, as /sys/class/net has them.
  std::string_view operstate = "unknown";
  bool up = false;
  bool carrier = false;
  std::uint32_t carrier_changes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_dropped = 0;

  bool operator==(const link_state&) const = default;
};

/// By name.
using link_table = std::map<std::string, link_state, std::less<>>;

/// What a request for a dump of all links is: RTM_GETLINK, with its number.
std::string link_dump_request(std::uint32_t number);

/// The answers to such a request.
class link_dump final : public netlink_dump {
 public:
  using netlink_dump::netlink_dump;

  const link_table& links() const { return links_; }

 private:
  bool take_message(const nlmsghdr* message) override;

  link_table links_;
};

}  // namespace cellos
