#include "runtime/signing/key_list.hpp"

#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

constexpr std::size_t longest_key = 65;
/// Ten thousand hosts with some keys each.
constexpr std::size_t longest_list = std::size_t{16} << 20;

constexpr std::string_view list_form =
    R"(write {"KID": "base64url public key"} or {"KID": {"alg": "ed25519", "key": "base64url"}})";

std::string expected_key(signing_algorithm algorithm) {
  switch (algorithm) {
    case signing_algorithm::ed25519: return "the 32 bytes of an ed25519 public key";
    case signing_algorithm::hmac_sha256: return "the 32 to 64 bytes of an hmac-sha256 secret";
    case signing_algorithm::ecdsa_p256_sha256: return "the 65 bytes of an uncompressed point on P-256";
  }
  return {};
}

struct written_key {
  signing_algorithm algorithm = signing_algorithm::ed25519;
  std::string text;
  std::vector<std::string> hosts;
};

/// What one member says, or what is wrong with it.
std::variant<written_key, std::string> read_member(const nlohmann::json& value) {
  written_key key;
  if (value.is_string()) {
    key.text = value.get_ref<const std::string&>();
    return key;
  }
  const std::size_t hosts = value.is_object() && value.contains("hosts") ? 1 : 0;
  if (!value.is_object() || value.size() != 2 + hosts || !value.contains("alg") || !value.contains("key") ||
      !value["alg"].is_string() || !value["key"].is_string()) {
    return "neither text nor an object with \"alg\" and \"key\"; " + std::string{list_form};
  }
  const auto& name = value["alg"].get_ref<const std::string&>();
  const auto algorithm = signing_algorithm_of(name);
  if (!algorithm) {
    return "unknown algorithm \"" + escaped(name, 64) + "\"; there are ed25519, hmac-sha256, ecdsa-p256-sha256";
  }
  key.algorithm = *algorithm;
  key.text = value["key"].get_ref<const std::string&>();
  if (hosts == 0) return key;
  const auto& list = value["hosts"];
  const auto is_text = [](const nlohmann::json& each) { return each.is_string(); };
  if (!list.is_array() || list.empty() || !std::all_of(list.begin(), list.end(), is_text)) {
    return std::string{R"("hosts" is not a list of host ids; write "hosts": ["host-a"])"};
  }
  key.hosts = list.get<std::vector<std::string>>();
  return key;
}

/// Which of the outermost members' names comes twice; JSON parsers keep the last in silence.
class repeated_key {
 public:
  auto callback() {
    return [this](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
      if (event == nlohmann::json::parse_event_t::key && depth == 1) {
        const auto& name = parsed.get_ref<const std::string&>();
        if (!seen_.insert(name).second) found_ = name;
      }
      return true;
    };
  }
  const std::optional<std::string>& found() const { return found_; }

 private:
  std::set<std::string> seen_;
  std::optional<std::string> found_;
};

}  // namespace

std::variant<key_list, std::string> key_list::load(const std::filesystem::path& path) {
  const std::string origin = "key list \"" + escaped(path.string(), 512) + "\"";
  std::ifstream file{path, std::ios::binary};
  if (!file) return origin + ": cannot be opened: " + std::strerror(errno);
  std::string text(longest_list + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return origin + ": cannot be read";
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > longest_list) return origin + ": more than 16 MiB; leave out the keys that are not needed";
  auto list = parse(text, origin);
  ::sodium_memzero(text.data(), text.size());
  return list;
}

std::variant<key_list, std::string> key_list::parse(std::string_view text, std::string_view origin) {
  const std::string refusal = std::string{origin} + ": ";
  repeated_key repeated;
  const auto json = nlohmann::json::parse(text, repeated.callback(), false);
  if (!json.is_object()) return refusal + "not a JSON object; " + std::string{list_form};
  if (json.empty()) return refusal + "holds no key; " + std::string{list_form};
  if (repeated.found()) return refusal + "key id \"" + escaped(*repeated.found(), 128) + "\" comes twice; keep one";
  key_list list;
  for (const auto& [key_id, value] : json.items()) {
    const std::string member = refusal + "key id \"" + escaped(key_id, 128) + "\": ";
    const auto read = read_member(value);
    if (const auto* problem = std::get_if<std::string>(&read)) return member + *problem;
    const auto& written = std::get<written_key>(read);
    std::array<std::uint8_t, longest_key> bytes{};
    const auto length = decode_any_base64(written.text, bytes);
    const bool added = length && list.add(key_id, written.algorithm, std::span{bytes}.first(*length), written.hosts);
    ::sodium_memzero(bytes.data(), bytes.size());
    if (!added) return member + "not " + expected_key(written.algorithm) + " in base64url";
  }
  return list;
}

bool key_list::add(const std::string& key_id, signing_algorithm algorithm, std::span<const std::uint8_t> key,
                   std::vector<std::string> hosts) {
  auto made = verification_key::from_bytes(key_id, algorithm, key, std::move(hosts));
  if (!made) return false;
  keys_.insert_or_assign(key_id, *std::move(made));
  return true;
}

const verification_key* key_list::find(std::string_view key_id) const {
  const auto found = keys_.find(key_id);
  return found == keys_.end() ? nullptr : &found->second;
}

signature_result key_list::verify(std::string_view key_id, std::span<const std::uint8_t> message,
                                  std::span<const std::uint8_t> signature) const {
  const verification_key* key = find(key_id);
  if (key == nullptr) return signature_result::unknown_key;
  return key->verifies(message, signature) ? signature_result::good : signature_result::bad;
}

}  // namespace cellos
