#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

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

/// Takes the answers to such a request. Pure; believes no length it is given.
class link_dump {
 public:
  enum class progress : std::uint8_t {
    more,
    complete,
    /// Links changed while they were listed: another dump is needed.
    interrupted,
    /// `refusal()` says why.
    refused,
    malformed,
  };

  explicit link_dump(std::uint32_t request_number) : request_number_(request_number) {}

  /// One datagram of the kernel's, aligned as an integer is.
  progress take(std::span<const char> datagram);

  const link_table& links() const { return links_; }
  /// The number of the system's error.
  int refusal() const { return refusal_; }

 private:
  std::uint32_t request_number_;
  bool interrupted_ = false;
  int refusal_ = 0;
  link_table links_;
};

}  // namespace cellos
