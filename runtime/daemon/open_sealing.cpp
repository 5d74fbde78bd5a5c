#include "runtime/daemon/open_sealing.hpp"

#include <string.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>
#include <variant>

#include "runtime/signing/environment_secrets.hpp"
#include "runtime/signing/host_sealing.hpp"

namespace cellos {

namespace {

constexpr const char* algorithm_variable = "CELLOS_HOST_TELEMETRY_SIGN_ALG";
constexpr const char* key_id_variable = "CELLOS_HOST_TELEMETRY_SIGN_KID";
constexpr const char* credentials_variable = "CREDENTIALS_DIRECTORY";

using key_ptr = std::shared_ptr<const signing_key>;
using key_outcome = std::variant<key_ptr, std::string>;

key_outcome shared(std::variant<signing_key, std::string>&& loaded) {
  if (auto* refusal = std::get_if<std::string>(&loaded)) return std::move(*refusal);
  return std::make_shared<const signing_key>(std::get<signing_key>(std::move(loaded)));
}

sealing_outcome refused(std::string why) {
  sealing_outcome outcome;
  outcome.refusal = std::move(why);
  return outcome;
}

key_outcome load(signing_algorithm algorithm, const key_source& key, const environment& variables) {
  if (key.file) return shared(load_signing_key(algorithm, key.kid, *key.file));
  const auto directory = variables(credentials_variable);
  if (!directory) {
    return "signing.credential names \"" + *key.credential +
           "\", and $CREDENTIALS_DIRECTORY is not set: start the daemon from a unit with LoadCredential=" +
           *key.credential + ":PATH, or name a key_file";
  }
  return shared(load_signing_key(algorithm, key.kid, std::filesystem::path{*directory} / *key.credential));
}

sealing_outcome sealing_of(const signing_settings& wanted, const environment& variables) {
  sealing_outcome outcome;
  if (!wanted.alg.algorithm) {
    outcome.sealing = std::make_shared<const host_sealing>(nullptr, nullptr, host_sealing::never);
    return outcome;
  }
  const signing_algorithm algorithm = *wanted.alg.algorithm;
  key_outcome key = load(algorithm, wanted.key, variables);
  if (auto* why = std::get_if<std::string>(&key)) return refused(std::move(*why));
  key_outcome former = key_ptr{};
  if (!wanted.former.kid.empty()) former = load(algorithm, wanted.former, variables);
  if (auto* why = std::get_if<std::string>(&former)) return refused(std::move(*why));
  const bool each = wanted.mode == signing_statement::kind::event;
  outcome.sealing =
      std::make_shared<const host_sealing>(std::get<key_ptr>(std::move(key)), std::get<key_ptr>(std::move(former)),
                                           each ? 1 : wanted.checkpoint_events, wanted.checkpoint_interval);
  return outcome;
}

/// A key's text as long as it is needed.
class wiped_text {
 public:
  explicit wiped_text(std::optional<std::string> text) : text_(std::move(text)) {}
  wiped_text(const wiped_text&) = delete;
  wiped_text& operator=(const wiped_text&) = delete;
  ~wiped_text() {
    if (text_) ::explicit_bzero(text_->data(), text_->capacity());
  }
  explicit operator bool() const { return text_.has_value(); }
  std::string_view view() const { return *text_; }

 private:
  std::optional<std::string> text_;
};

/// What the original system's variables ask for; each event is signed.
sealing_outcome sealing_of(const environment& variables) {
  const auto algorithm_name = variables(algorithm_variable);
  const auto key_id = variables(key_id_variable);
  const wiped_text ed25519{variables(ed25519_variable)};
  const wiped_text hmac{variables(hmac_variable)};
  if (!algorithm_name || *algorithm_name == "off") {
    if (!key_id && !ed25519 && !hmac) return {};
    if (algorithm_name) return {};
    return refused(std::string{"a signing key is set in the environment and "} + algorithm_variable +
                   " is not: set it to ed25519 or hmac-sha256, or remove the key");
  }
  if (*algorithm_name != "ed25519" && *algorithm_name != "hmac-sha256") {
    return refused(std::string{algorithm_variable} + " is none of ed25519, hmac-sha256 and off; write one of them");
  }
  if (!key_id || !is_key_id(*key_id)) {
    return refused(std::string{key_id_variable} +
                   " is missing, or has characters a key id may not have: set the name under which a verifier finds "
                   "the public key");
  }
  const bool is_ed25519 = *algorithm_name == "ed25519";
  if (is_ed25519 ? bool{hmac} : bool{ed25519}) {
    return refused(std::string{is_ed25519 ? hmac_variable : ed25519_variable} + " is set, and " + algorithm_variable +
                   " says " + *algorithm_name + ": remove one of the two");
  }
  const char* variable = is_ed25519 ? ed25519_variable : hmac_variable;
  const auto& text = is_ed25519 ? ed25519 : hmac;
  if (!text) return refused(std::string{variable} + " is missing: set the key, or name a key_file under [signing]");
  key_outcome key = shared(parse_signing_key(is_ed25519 ? signing_algorithm::ed25519 : signing_algorithm::hmac_sha256,
                                             *key_id, text.view(), variable));
  if (auto* why = std::get_if<std::string>(&key)) return refused(std::move(*why));
  sealing_outcome outcome;
  outcome.sealing = std::make_shared<const host_sealing>(std::get<key_ptr>(std::move(key)), nullptr, 1);
  return outcome;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  if (auto secret = taken_secret(name)) return secret;
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

sealing_outcome open_sealing(const signing_settings& wanted, const environment& variables) {
  if (wanted.alg == signing_off) return sealing_of(variables);
  const auto algorithm = variables(algorithm_variable);
  if (algorithm && *algorithm != "off") {
    return refused(std::string{"signing is configured twice, by [signing] and by "} + algorithm_variable +
                   ": remove one of them");
  }
  return sealing_of(wanted, variables);
}

sealing_outcome reopen_sealing(const event_sealing_ptr& running, const signing_settings& wanted,
                               const environment& variables) {
  sealing_outcome opened = open_sealing(wanted, variables);
  if (!opened.refusal.empty()) return opened;
  if ((opened.sealing == nullptr) != (running == nullptr)) {
    return refused("signing cannot be switched on or off while the daemon runs: restart it");
  }
  const auto* before = dynamic_cast<const host_sealing*>(running.get());
  const auto* after = dynamic_cast<const host_sealing*>(opened.sealing.get());
  if (before == nullptr || after == nullptr) return opened;
  const bool both_sign = before->key() && after->key();
  if (both_sign && before->key_id() != after->key_id()) {
    opened.sealing = std::make_shared<const host_sealing>(after->key(), before->key(), before->events_per_signature(),
                                                          before->checkpoint_interval());
    return opened;
  }
  if (both_sign && !before->key()->has_secret_of(*after->key())) {
    return refused("key \"" + after->key_id() +
                   "\" is another key than the one of this id that the daemon signs with, and a verifier finds one key "
                   "under an id: give the new key an id of its own under kid");
  }
  if (!before->key() != !after->key()) {
    return refused("signing cannot go over between digests and a key while the daemon runs: restart it");
  }
  opened.sealing = running;
  return opened;
}

}  // namespace cellos
