#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/signing/algorithm.hpp"
#include "runtime/signing/ecdsa_p256.hpp"
#include "runtime/signing/secret.hpp"

namespace cellos {

/// A key that a verifier accepts. Any number of threads may verify at once.
class verification_key {
 public:
  /// `key`: for ed25519 the 32 bytes of a point, for ecdsa-p256-sha256 the 65 of an uncompressed one, for hmac-sha256
  /// the secret of 32 to 64 bytes. Nothing if it is no such key. No hosts: of any host.
  static std::optional<verification_key> from_bytes(std::string key_id, signing_algorithm algorithm,
                                                    std::span<const std::uint8_t> key,
                                                    std::vector<std::string> hosts = {});

  /// Whether nobody but the signer could have given the signature another spelling: of ECDSA's two, the one with the
  /// lower s.
  bool is_canonical(std::span<const std::uint8_t> signature) const;

  bool verifies(std::span<const std::uint8_t> message, std::span<const std::uint8_t> signature) const;

  const std::string& key_id() const { return key_id_; }
  bool may_sign_for(std::string_view host) const;

 private:
  using ed25519_point = std::array<std::uint8_t, 32>;
  using any_key = std::variant<ed25519_point, secret, ecdsa_p256::key>;

  verification_key(std::string key_id, any_key key, std::vector<std::string> hosts)
      : key_id_(std::move(key_id)), key_(std::move(key)), hosts_(std::move(hosts)) {}

  std::string key_id_;
  any_key key_;
  std::vector<std::string> hosts_;
};

}  // namespace cellos
