#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/cbor_writer.hpp"

/// Frame bodies as lists of pairs, so that a test says only in what its body differs from an honest one.
namespace cellos {

struct body_pair {
  std::string key;
  cbor::octets value;
};
using body_pairs = std::vector<body_pair>;

/// What the agent writes, in its order.
inline body_pairs honest_pairs(std::uint16_t content_version = 0x0100) {
  return {
      {"content_version", cbor::number(content_version)},
      {"probe_source", cbor::text("process.spawned")},
      {"guest_pid", cbor::number(4242)},
      {"guest_comm", cbor::text("bash")},
      {"guest_monotonic_ns", cbor::number(5'123'456'789)},
  };
}

inline body_pairs without(body_pairs pairs, std::string_view key) {
  std::erase_if(pairs, [&](const body_pair& pair) { return pair.key == key; });
  return pairs;
}

inline body_pairs with(body_pairs pairs, std::string_view key, const cbor::octets& value) {
  for (body_pair& pair : pairs) {
    if (pair.key == key) pair.value = value;
  }
  return pairs;
}

inline body_pairs plus(body_pairs pairs, std::string_view key, const cbor::octets& value) {
  pairs.push_back({std::string{key}, value});
  return pairs;
}

inline cbor::octets pairs_only(const body_pairs& pairs) {
  cbor::octets out;
  for (const body_pair& pair : pairs) {
    const cbor::octets item = cbor::join({cbor::text(pair.key), pair.value});
    out.insert(out.end(), item.begin(), item.end());
  }
  return out;
}

inline cbor::octets body_of(const body_pairs& pairs) {
  return cbor::join({cbor::head(cbor::major::map, pairs.size()), pairs_only(pairs)});
}

/// The body behind its length.
inline cbor::octets framed(const cbor::octets& body) {
  cbor::octets out;
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(body.size() >> shift));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

inline std::string hex_of(const cbor::octets& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (auto byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 0xF];
  }
  return out;
}

}  // namespace cellos
