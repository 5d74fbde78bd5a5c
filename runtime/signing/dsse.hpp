#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/algorithm.hpp"
#include "runtime/signing/sha256.hpp"

/// The DSSE v1 envelope of the CloudEvents extension: `dssematerial` is its JSON in Base64. See docs/evidence.md.
namespace cellos::dsse {

inline constexpr std::string_view payload_type = "https://cloudevents.io/verifiability/dsse/v0.1";

/// The message a signature is over: `DSSEv1 46 payload_type 32 MATERIAL`, MATERIAL raw.
class signed_message {
 public:
  explicit signed_message(const digest& material);
  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  static constexpr std::string_view prefix = "DSSEv1 46 https://cloudevents.io/verifiability/dsse/v0.1 32 ";

  std::array<std::uint8_t, prefix.size() + std::tuple_size_v<digest>> bytes_;
};

struct signature {
  std::string_view key_id;
  std::span<const std::uint8_t> bytes;
};

/// Appends `dssematerial`'s value. Its length depends on the key ids and algorithms alone. Key ids satisfy is_key_id().
void append_envelope(std::string& out, const digest& material, std::span<const signature> signatures);

/// What append_envelope() appends.
std::size_t envelope_length(std::string_view key_id, signing_algorithm algorithm);

/// Someone else's signature: any key id, of any length.
struct read_signature {
  std::string key_id;
  std::array<std::uint8_t, longest_signature> storage{};
  /// 0: not as long as any signature of ours, so that it verifies with no key.
  std::size_t length = 0;

  std::span<const std::uint8_t> bytes() const { return {storage.data(), length}; }
};

struct envelope {
  digest material{};
  /// At least one, at most most_signatures.
  std::vector<read_signature> signatures;
};

inline constexpr std::size_t most_signatures = 16;
/// Of the Base64 text.
inline constexpr std::size_t longest_envelope = 16 * 1024;

/// Reads `dssematerial` of unknown origin: nothing unless it is an envelope of this payload type around 32 bytes, in
/// the one form that append_envelope() writes: no member more, none twice, no white space. Else a signed line could be
/// changed.
std::optional<envelope> read_envelope(std::string_view dssematerial);

}  // namespace cellos::dsse
