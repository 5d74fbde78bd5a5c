#include "runtime/signing/dsse.hpp"

#include <algorithm>
#include <utility>

#include "runtime/text/base64.hpp"

namespace cellos::dsse {

namespace {

// The pieces of an envelope as we write it.
constexpr std::string_view payload_member = R"({"payload":")";
constexpr std::string_view signatures_member =
    R"(","payloadType":"https://cloudevents.io/verifiability/dsse/v0.1","signatures":[)";
constexpr std::string_view key_id_member = R"({"keyid":")";
constexpr std::string_view signature_member = R"(","sig":")";
constexpr std::string_view signature_end = R"("})";
constexpr std::string_view envelope_end = "]}";

constexpr std::size_t material_length = base64_length(std::tuple_size_v<digest>);

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// Up to the next quote, which stays.
std::optional<std::string_view> take_string(std::string_view& text) {
  const std::size_t end = text.find('"');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
}

bool read_material(std::string_view payload, digest& material) {
  return payload.size() == material_length && decode_base64(payload, material) == material.size();
}

/// False when `text` is no Base64 at all.
bool read_signature_bytes(std::string_view text, read_signature& into) {
  if (text.size() > base64_length(longest_signature)) {
    into.length = 0;
    return decode_base64(text).has_value();
  }
  const auto length = decode_base64(text, into.storage);
  into.length = length.value_or(0);
  return length.has_value();
}

/// Exactly what append_envelope() writes, which is also RFC 8785's form of it.
std::optional<envelope> read_canonical(std::string_view json) {
  envelope read;
  if (!take(json, payload_member) || !read_material(json.substr(0, material_length), read.material))
    return std::nullopt;
  json.remove_prefix(material_length);
  if (!take(json, signatures_member)) return std::nullopt;
  do {
    if (read.signatures.size() == most_signatures || !take(json, key_id_member)) return std::nullopt;
    read_signature& each = read.signatures.emplace_back();
    const auto key_id = take_string(json);
    if (!key_id || !is_key_id(*key_id) || !take(json, signature_member)) return std::nullopt;
    each.key_id = *key_id;
    const auto text = take_string(json);
    if (!text || !read_signature_bytes(*text, each) || !take(json, signature_end)) return std::nullopt;
  } while (take(json, ","));
  if (json != envelope_end) return std::nullopt;
  return read;
}

}  // namespace

signed_message::signed_message(const digest& material) {
  static_assert(payload_type.size() == 46 && prefix.substr(10, 46) == payload_type);
  const auto end = std::copy(prefix.begin(), prefix.end(), bytes_.begin());
  std::copy(material.begin(), material.end(), end);
}

void append_envelope(std::string& out, const digest& material, std::span<const signature> signatures) {
  // Kept for its capacity: in every event's way.
  thread_local std::string json;
  json.clear();
  json += payload_member;
  append_base64(json, material);
  json += signatures_member;
  for (const signature& each : signatures) {
    if (&each != &signatures.front()) json += ',';
    json += key_id_member;
    json += each.key_id;
    json += signature_member;
    append_base64(json, each.bytes);
    json += signature_end;
  }
  json += envelope_end;
  append_base64(out, bytes_of(json));
}

std::size_t envelope_length(std::string_view key_id, signing_algorithm algorithm) {
  return base64_length(payload_member.size() + material_length + signatures_member.size() + key_id_member.size() +
                       key_id.size() + signature_member.size() + base64_length(signature_length(algorithm)) +
                       signature_end.size() + envelope_end.size());
}

std::optional<envelope> read_envelope(std::string_view dssematerial) {
  if (dssematerial.size() > longest_envelope) return std::nullopt;
  const auto json = decode_base64(dssematerial);
  if (!json) return std::nullopt;
  return read_canonical(*json);
}

}  // namespace cellos::dsse
