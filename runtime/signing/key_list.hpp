#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/signing/algorithm.hpp"
#include "runtime/signing/ecdsa_p256.hpp"
#include "runtime/signing/secret.hpp"

namespace cellos {

enum class signature_verdict : std::uint8_t {
  good,
  bad,
  unknown_key,
};

/// The keys a verifier accepts, by key id. Any number of threads may verify at once.
///
/// `{"KID": "base64url of 32 bytes", "OTHER": {"alg": "ecdsa-p256-sha256", "key": "base64url"}}`: plain text is an
/// ed25519 public key. `hmac-sha256` stands here with its secret, so that whoever holds such a list can also sign.
class key_list {
 public:
  /// The alternative is a sentence: file, key id, what is wrong, what to write instead.
  static std::variant<key_list, std::string> load(const std::filesystem::path& path);
  static std::variant<key_list, std::string> parse(std::string_view text, std::string_view origin);

  key_list() = default;

  /// `key` as the list spells it decoded: public key, or secret for hmac-sha256. False if it is no such key.
  bool add(std::string key_id, signing_algorithm algorithm, std::span<const std::uint8_t> key);

  signature_verdict verify(std::string_view key_id, std::span<const std::uint8_t> message,
                           std::span<const std::uint8_t> signature) const;

  std::size_t size() const { return keys_.size(); }
  bool knows(std::string_view key_id) const { return keys_.find(key_id) != keys_.end(); }

 private:
  using ed25519_key = std::array<std::uint8_t, 32>;
  using any_key = std::variant<ed25519_key, secret, ecdsa_p256::key>;

  std::map<std::string, any_key, std::less<>> keys_;
};

}  // namespace cellos
