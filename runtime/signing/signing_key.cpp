#include "runtime/signing/signing_key.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>

namespace cellos {

namespace {

constexpr std::size_t shortest_hmac_key = 32;
constexpr std::size_t longest_hmac_key = 64;

std::string wrong_length(signing_algorithm algorithm, std::size_t bytes) {
  const std::string expected = algorithm == signing_algorithm::hmac_sha256
                                   ? std::to_string(shortest_hmac_key) + " to " + std::to_string(longest_hmac_key)
                                   : "32";
  return "an " + std::string{to_string(algorithm)} + " secret has " + expected + " bytes, this one " +
         std::to_string(bytes);
}

bool has_right_length(signing_algorithm algorithm, std::size_t bytes) {
  if (algorithm == signing_algorithm::hmac_sha256) return bytes >= shortest_hmac_key && bytes <= longest_hmac_key;
  return bytes == 32;
}

}  // namespace

std::variant<signing_key, std::string> signing_key::from_secret(signing_algorithm algorithm, std::string key_id,
                                                                std::span<const std::uint8_t> raw) {
  if (!is_key_id(key_id)) return std::string{"a key id has 1 to 128 letters, digits and . _ - : / @ + ="};
  if (!has_right_length(algorithm, raw.size())) return wrong_length(algorithm, raw.size());
  start_libsodium();
  signing_key key{algorithm, std::move(key_id)};
  if (algorithm == signing_algorithm::ed25519) {
    key.secret_ = secret{crypto_sign_SECRETKEYBYTES};
    std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> public_half{};
    ::crypto_sign_seed_keypair(public_half.data(), key.secret_.bytes().data(), raw.data());
    return key;
  }
  key.secret_ = secret{raw};
  if (algorithm == signing_algorithm::ecdsa_p256_sha256) {
    key.ecdsa_ = ecdsa_p256::key::from_scalar(raw);
    if (!key.ecdsa_) return std::string{"the scalar of a P-256 key is between 1 and the order of the group"};
  }
  return key;
}

signing_key signing_key::generate(signing_algorithm algorithm, const std::string& key_id) {
  secret raw{32};
  for (;;) {
    ::randombytes_buf(raw.bytes().data(), raw.bytes().size());
    auto made = from_secret(algorithm, key_id, raw.bytes());
    if (auto* key = std::get_if<signing_key>(&made)) return std::move(*key);
    if (!is_key_id(key_id)) throw std::invalid_argument(std::get<std::string>(made));
    // A scalar beyond the order, once in 2^32.
  }
}

signature_bytes signing_key::sign(std::span<const std::uint8_t> message) const {
  signature_bytes out;
  out.size_ = signature_length(algorithm_);
  switch (algorithm_) {
    case signing_algorithm::ed25519:
      ::crypto_sign_detached(out.bytes_.data(), nullptr, message.data(), message.size(), secret_.bytes().data());
      break;
    case signing_algorithm::hmac_sha256: {
      crypto_auth_hmacsha256_state state;
      ::crypto_auth_hmacsha256_init(&state, secret_.bytes().data(), secret_.bytes().size());
      ::crypto_auth_hmacsha256_update(&state, message.data(), message.size());
      ::crypto_auth_hmacsha256_final(&state, out.bytes_.data());
      ::sodium_memzero(&state, sizeof state);
      break;
    }
    case signing_algorithm::ecdsa_p256_sha256: {
      const auto raw = ecdsa_->sign(message);
      if (!raw) throw std::runtime_error("OpenSSL could not sign with ECDSA P-256");
      out.bytes_ = *raw;
      break;
    }
  }
  return out;
}

std::vector<std::uint8_t> signing_key::public_key() const {
  switch (algorithm_) {
    case signing_algorithm::ed25519: {
      const auto public_half = secret_.bytes().last(crypto_sign_PUBLICKEYBYTES);
      return {public_half.begin(), public_half.end()};
    }
    case signing_algorithm::hmac_sha256: return {};
    case signing_algorithm::ecdsa_p256_sha256: {
      const auto point = ecdsa_->point();
      return {point.begin(), point.end()};
    }
  }
  return {};
}

bool signing_key::has_secret_of(const signing_key& other) const {
  const auto mine = secret_.bytes();
  const auto others = other.secret_.bytes();
  return algorithm_ == other.algorithm_ && mine.size() == others.size() &&
         ::sodium_memcmp(mine.data(), others.data(), mine.size()) == 0;
}

secret signing_key::derived(std::string_view label) const {
  secret made{crypto_auth_hmacsha256_BYTES};
  const auto own =
      algorithm_ == signing_algorithm::ed25519 ? secret_.bytes().first(crypto_sign_SEEDBYTES) : secret_.bytes();
  crypto_auth_hmacsha256_state state;
  ::crypto_auth_hmacsha256_init(&state, own.data(), own.size());
  ::crypto_auth_hmacsha256_update(&state, reinterpret_cast<const std::uint8_t*>(label.data()), label.size());
  ::crypto_auth_hmacsha256_final(&state, made.bytes().data());
  ::sodium_memzero(&state, sizeof state);
  return made;
}

secret signing_key::export_secret() const {
  if (algorithm_ == signing_algorithm::ed25519) return secret{secret_.bytes().first(crypto_sign_SEEDBYTES)};
  return secret{secret_.bytes()};
}

}  // namespace cellos
