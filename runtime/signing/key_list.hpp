#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/signing/algorithm.hpp"
#include "runtime/signing/verification_key.hpp"

namespace cellos {

enum class signature_result : std::uint8_t {
  good,
  bad,
  unknown_key,
};

/// The keys a verifier accepts, by key id. Any number of threads may ask at once.
///
/// `{"KID": "base64url of 32 bytes", "OTHER": {"alg": "ecdsa-p256-sha256", "key": "base64url", "hosts": ["host-a"]}}`:
/// plain text is an ed25519 public key; with `hosts`, the key counts for events of these hosts only. `hmac-sha256`
/// stands here with its secret, so that whoever holds such a list can also sign.
class key_list {
 public:
  /// The alternative is a sentence: file, key id, what is wrong, what to write instead.
  static std::variant<key_list, std::string> load(const std::filesystem::path& path);
  static std::variant<key_list, std::string> parse(std::string_view text, std::string_view origin);

  key_list() = default;

  /// As verification_key::from_bytes(); false if it is no such key.
  bool add(const std::string& key_id, signing_algorithm algorithm, std::span<const std::uint8_t> key,
           std::vector<std::string> hosts = {});

  /// Null if there is none. The key stays where it is for as long as the list.
  const verification_key* find(std::string_view key_id) const;
  signature_result verify(std::string_view key_id, std::span<const std::uint8_t> message,
                          std::span<const std::uint8_t> signature) const;

  std::size_t size() const { return keys_.size(); }

 private:
  std::map<std::string, verification_key, std::less<>> keys_;
};

}  // namespace cellos
