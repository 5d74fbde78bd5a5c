#include "runtime/signing/verification_key.hpp"

#include <sodium.h>

#include <algorithm>

namespace cellos {

namespace {

struct signature_check {
  std::span<const std::uint8_t> message;
  std::span<const std::uint8_t> signature;

  bool operator()(const std::array<std::uint8_t, 32>& key) const {
    return signature.size() == crypto_sign_BYTES &&
           ::crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.data()) == 0;
  }
  bool operator()(const secret& key) const {
    if (signature.size() != crypto_auth_hmacsha256_BYTES) return false;
    std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> expected{};
    crypto_auth_hmacsha256_state state;
    ::crypto_auth_hmacsha256_init(&state, key.bytes().data(), key.bytes().size());
    ::crypto_auth_hmacsha256_update(&state, message.data(), message.size());
    ::crypto_auth_hmacsha256_final(&state, expected.data());
    ::sodium_memzero(&state, sizeof state);
    return ::sodium_memcmp(expected.data(), signature.data(), expected.size()) == 0;
  }
  bool operator()(const ecdsa_p256::key& key) const { return key.verify(message, signature); }
};

}  // namespace

std::optional<verification_key> verification_key::from_bytes(std::string key_id, signing_algorithm algorithm,
                                                             std::span<const std::uint8_t> key,
                                                             std::vector<std::string> hosts) {
  start_libsodium();
  switch (algorithm) {
    case signing_algorithm::ed25519: {
      ed25519_point point{};
      if (key.size() != point.size() || ::crypto_core_ed25519_is_valid_point(key.data()) != 1) return std::nullopt;
      std::copy(key.begin(), key.end(), point.begin());
      return verification_key{std::move(key_id), point, std::move(hosts)};
    }
    case signing_algorithm::hmac_sha256:
      if (key.size() < 32 || key.size() > 64) return std::nullopt;
      return verification_key{std::move(key_id), secret{key}, std::move(hosts)};
    case signing_algorithm::ecdsa_p256_sha256: {
      auto point = ecdsa_p256::key::from_point(key);
      if (!point) return std::nullopt;
      return verification_key{std::move(key_id), *std::move(point), std::move(hosts)};
    }
  }
  return std::nullopt;
}

bool verification_key::verifies(std::span<const std::uint8_t> message, std::span<const std::uint8_t> signature) const {
  return std::visit(signature_check{message, signature}, key_);
}

bool verification_key::is_canonical(std::span<const std::uint8_t> signature) const {
  return !std::holds_alternative<ecdsa_p256::key>(key_) || ecdsa_p256::has_low_s(signature);
}

bool verification_key::may_sign_for(std::string_view host) const {
  return hosts_.empty() || std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

}  // namespace cellos
