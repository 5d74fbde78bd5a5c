#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace cellos {

/// Zero where the attribute is too short.
template <class Number>
Number number_in(const nlattr* attribute) {
  Number number{};
  if (mnl_attr_get_payload_len(attribute) >= sizeof number) {
    std::memcpy(&number, mnl_attr_get_payload(attribute), sizeof number);
  }
  return number;
}

inline std::string_view bytes_in(const nlattr* attribute) {
  return {static_cast<const char*>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute)};
}

/// Up to its first NUL.
inline std::string text_in(const nlattr* attribute) {
  const std::string_view all = bytes_in(attribute);
  return std::string{all.substr(0, all.find('\0'))};
}

/// The attributes from there to `end`, until one has another form.
template <class Take>
void for_each_attribute(const void* begin, const void* end, Take take) {
  const auto* at = static_cast<const nlattr*>(begin);
  while (mnl_attr_ok(at, static_cast<int>(static_cast<const char*>(end) - reinterpret_cast<const char*>(at)))) {
    take(at);
    at = mnl_attr_next(at);
  }
}
/// Those behind a message's own head.
template <class Take>
void for_each_attribute(const nlmsghdr* message, std::size_t head, Take take) {
  for_each_attribute(mnl_nlmsg_get_payload_offset(message, head), mnl_nlmsg_get_payload_tail(message), take);
}
/// Those within an attribute.
template <class Take>
void for_each_attribute(const nlattr* nest, Take take) {
  const std::string_view all = bytes_in(nest);
  for_each_attribute(static_cast<const void*>(all.data()), all.data() + all.size(), take);
}

}  // namespace cellos
