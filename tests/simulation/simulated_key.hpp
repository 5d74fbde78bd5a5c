#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "runtime/signing/host_sealing.hpp"

namespace cellos::simulation {

/// The key that every simulated host has.
inline signing_key the_key() {
  const std::array<std::uint8_t, 32> seed{1, 2, 3};
  return std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, "simulated", seed));
}

inline key_list the_public_key() {
  key_list keys;
  keys.add("simulated", signing_algorithm::ed25519, the_key().public_key());
  return keys;
}

/// A signature for so many events at most.
inline event_sealing_ptr a_sealing_of(std::uint64_t rate) {
  return std::make_shared<const host_sealing>(std::make_shared<const signing_key>(the_key()), nullptr, rate,
                                              std::chrono::milliseconds{500});
}

}  // namespace cellos::simulation
