#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <span>

namespace cellos {

/// Takes the kernel's answers to one request for a dump. Pure; believes no length it is given.
class netlink_dump {
 public:
  enum class progress : std::uint8_t {
    more,
    complete,
    /// What is listed changed meanwhile: another dump is needed.
    interrupted,
    /// `refusal()` says why.
    refused,
    malformed,
  };

  explicit netlink_dump(std::uint32_t request_number) : request_number_(request_number) {}
  netlink_dump(const netlink_dump&) = delete;
  netlink_dump& operator=(const netlink_dump&) = delete;
  virtual ~netlink_dump() = default;

  /// One datagram of the kernel's, aligned as an integer is.
  progress take(std::span<const char> datagram);
  /// The number of the system's error.
  int refusal() const { return refusal_; }

 private:
  /// A whole message, as its head says. False: it has another form.
  virtual bool take_message(const nlmsghdr* message) = 0;

  std::uint32_t request_number_;
  bool interrupted_ = false;
  int refusal_ = 0;
};

}  // namespace cellos
