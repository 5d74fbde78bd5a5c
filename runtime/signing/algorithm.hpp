#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cellos {

enum class signing_algorithm : std::uint8_t {
  /// RFC 8032.
  ed25519,
  /// RFC 2104. Whoever can verify can also sign.
  hmac_sha256,
  /// Signatures are raw r||s, as in JWS and KMS interfaces.
  ecdsa_p256_sha256,
};

inline constexpr std::array<signing_algorithm, 3> signing_algorithms{
    signing_algorithm::ed25519, signing_algorithm::hmac_sha256, signing_algorithm::ecdsa_p256_sha256};

/// As configuration and key lists spell it.
constexpr std::string_view to_string(signing_algorithm algorithm) {
  switch (algorithm) {
    case signing_algorithm::ed25519: return "ed25519";
    case signing_algorithm::hmac_sha256: return "hmac-sha256";
    case signing_algorithm::ecdsa_p256_sha256: return "ecdsa-p256-sha256";
  }
  return "ed25519";
}

constexpr std::optional<signing_algorithm> signing_algorithm_of(std::string_view name) {
  for (const signing_algorithm each : signing_algorithms) {
    if (to_string(each) == name) return each;
  }
  return std::nullopt;
}

/// In bytes.
constexpr std::size_t signature_length(signing_algorithm algorithm) {
  return algorithm == signing_algorithm::hmac_sha256 ? 32 : 64;
}

inline constexpr std::size_t longest_signature = 64;
inline constexpr std::size_t longest_key_id = 128;

/// Key ids of ours are 1 to 128 letters, digits and `. _ - : / @ + =`: nothing that JSON or a terminal takes otherwise.
constexpr bool is_key_id(std::string_view text) {
  if (text.empty() || text.size() > longest_key_id) return false;
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && std::string_view{"._-:/@+="}.find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace cellos
