#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

/// OpenSSL's EVP_PKEY.
struct evp_pkey_st;

/// ECDSA on P-256 with SHA-256, through OpenSSL.
namespace cellos::ecdsa_p256 {

inline constexpr std::size_t scalar_length = 32;
inline constexpr std::size_t point_length = 65;

/// Of the two signatures (r, s) and (r, order - s), which are equally good, the one that signers here write.
bool has_low_s(std::span<const std::uint8_t> signature);

/// Private or public. Any number of threads may use one.
class key {
 public:
  /// Nothing if `scalar` is not between 1 and the group's order.
  static std::optional<key> from_scalar(std::span<const std::uint8_t> scalar);
  /// Uncompressed. Nothing if it is not on the curve.
  static std::optional<key> from_point(std::span<const std::uint8_t> point);

  std::array<std::uint8_t, point_length> point() const;

  /// Raw r||s, with the lower s. Nothing when OpenSSL fails.
  std::optional<std::array<std::uint8_t, 64>> sign(std::span<const std::uint8_t> message) const;
  bool verify(std::span<const std::uint8_t> message, std::span<const std::uint8_t> signature) const;

 private:
  explicit key(std::shared_ptr<evp_pkey_st> evp) : evp_(std::move(evp)) {}

  std::shared_ptr<evp_pkey_st> evp_;
};

}  // namespace cellos::ecdsa_p256
