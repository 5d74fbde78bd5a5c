#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cellos {

/// A SHA-256 digest.
using digest = std::array<std::uint8_t, 32>;

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// SHA-256 piece by piece, without allocation. A copy goes on from the same place: what many texts begin with is
/// hashed once.
class sha256 {
 public:
  sha256();

  sha256& update(std::span<const std::uint8_t> bytes);
  sha256& update(std::string_view text) { return update(bytes_of(text)); }

  /// Of everything so far. Ends this object's use; copies go on.
  digest finish();

  static digest of(std::span<const std::uint8_t> bytes) { return sha256{}.update(bytes).finish(); }
  static digest of(std::string_view text) { return of(bytes_of(text)); }

 private:
  // OpenSSL's SHA256_CTX, whose header stays in the .cpp.
  alignas(8) std::array<std::byte, 112> state_;
};

}  // namespace cellos
