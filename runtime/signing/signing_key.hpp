#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/signing/algorithm.hpp"
#include "runtime/signing/ecdsa_p256.hpp"
#include "runtime/signing/secret.hpp"

namespace cellos {

class signature_bytes {
 public:
  std::span<const std::uint8_t> view() const { return {bytes_.data(), size_}; }

 private:
  friend class signing_key;
  std::array<std::uint8_t, longest_signature> bytes_{};
  std::size_t size_ = 0;
};

/// A key that signs, with its id. Move-only; its secret is wiped when it goes. Printing one is impossible by design:
/// nothing gives out the secret but export_secret().
class signing_key {
 public:
  /// `raw`: for ed25519 the seed of 32 bytes, for hmac-sha256 32 to 64 bytes, for ecdsa-p256-sha256 the scalar of 32
  /// bytes. `key_id` satisfies is_key_id(). The alternative is what is wrong, without a word of the secret.
  static std::variant<signing_key, std::string> from_secret(signing_algorithm algorithm, std::string key_id,
                                                            std::span<const std::uint8_t> raw);
  /// From the system's randomness.
  static signing_key generate(signing_algorithm algorithm, const std::string& key_id);

  signing_algorithm algorithm() const { return algorithm_; }
  const std::string& key_id() const { return key_id_; }

  /// Any number of threads may sign at once. Throws std::runtime_error where OpenSSL fails, which only exhausted memory
  /// or randomness explains.
  signature_bytes sign(std::span<const std::uint8_t> message) const;

  /// ed25519: 32 bytes; ecdsa-p256-sha256: the uncompressed point, 65 bytes; hmac-sha256: empty, there is none.
  std::vector<std::uint8_t> public_key() const;

  /// Whether the other is this key, whatever each is called.
  bool has_secret_of(const signing_key& other) const;

  /// Another secret, of 32 bytes, that only who has this one can make: HMAC-SHA256 of `label`.
  secret derived(std::string_view label) const;

  /// The raw secret, as from_secret() takes it: for writing a key file.
  secret export_secret() const;

 private:
  signing_key(signing_algorithm algorithm, std::string key_id) : algorithm_(algorithm), key_id_(std::move(key_id)) {}

  signing_algorithm algorithm_;
  std::string key_id_;
  /// ed25519: libsodium's 64 bytes, seed and public key; otherwise the raw secret.
  secret secret_;
  /// ecdsa-p256-sha256 only.
  std::optional<ecdsa_p256::key> ecdsa_;
};

/// The key file: one line, the raw secret in Base64 or base64url; for ed25519 and ecdsa-p256-sha256 also PKCS#8 in PEM.
///
/// Strict: the file is regular, belongs to this user or to root, and nobody else has any right to it. The alternative
/// is a sentence with the path, what is wrong and what to do, without a word of the secret.
std::variant<signing_key, std::string> load_signing_key(signing_algorithm algorithm, std::string key_id,
                                                        const std::filesystem::path& path);

/// The same from the text itself, as environment variables carry it. `origin` is what a refusal calls it.
std::variant<signing_key, std::string> parse_signing_key(signing_algorithm algorithm, std::string key_id,
                                                         std::string_view text, std::string_view origin);

}  // namespace cellos
