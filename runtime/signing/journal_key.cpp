#include "runtime/signing/journal_key.hpp"

#include <sodium.h>

#include <limits>
#include <utility>

#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/secret.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

namespace {

constexpr std::string_view label = "cellos-host-telemetry recovery journal 1";

class plain_mac final : public journal_mac {
 public:
  journal_tag tag(const journal_tag& before, std::string_view record) const override {
    return sha256{}.update(before).update(record).finish();
  }
};

class keyed_mac final : public journal_mac {
 public:
  explicit keyed_mac(secret key) : key_(std::move(key)) {}

  journal_tag tag(const journal_tag& before, std::string_view record) const override {
    journal_tag made{};
    crypto_auth_hmacsha256_state state;
    ::crypto_auth_hmacsha256_init(&state, key_.bytes().data(), key_.bytes().size());
    ::crypto_auth_hmacsha256_update(&state, before.data(), before.size());
    const auto bytes = bytes_of(record);
    ::crypto_auth_hmacsha256_update(&state, bytes.data(), bytes.size());
    ::crypto_auth_hmacsha256_final(&state, made.data());
    ::sodium_memzero(&state, sizeof state);
    return made;
  }

 private:
  secret key_;
};

const host_sealing* host_sealing_of(const event_sealing_ptr& sealing) {
  return dynamic_cast<const host_sealing*>(sealing.get());
}

void add_key(key_list& keys, const signing_key* key) {
  if (key == nullptr) return;
  if (key->algorithm() == signing_algorithm::hmac_sha256) {
    const secret raw = key->export_secret();
    keys.add(key->key_id(), key->algorithm(), raw.bytes());
  } else {
    keys.add(key->key_id(), key->algorithm(), key->public_key());
  }
}

}  // namespace

journal_mac_ptr journal_mac_of(const event_sealing_ptr& sealing) {
  const host_sealing* own = host_sealing_of(sealing);
  if (own == nullptr || !own->key()) return std::make_shared<const plain_mac>();
  return std::make_shared<const keyed_mac>(own->key()->derived(label));
}

journal_mac_ptr former_journal_mac_of(const event_sealing_ptr& sealing) {
  const host_sealing* own = host_sealing_of(sealing);
  if (own == nullptr || !own->former_key()) return nullptr;
  return std::make_shared<const keyed_mac>(own->former_key()->derived(label));
}

key_list own_keys(const event_sealing_ptr& sealing) {
  key_list keys;
  if (const host_sealing* own = host_sealing_of(sealing)) {
    add_key(keys, own->key().get());
    add_key(keys, own->former_key().get());
  }
  return keys;
}

event_sealing_ptr sealing_for_ending(const signing_statement& former, const event_sealing_ptr& sealing) {
  const host_sealing* own = host_sealing_of(sealing);
  switch (former.mode) {
    case signing_statement::kind::off: return nullptr;
    case signing_statement::kind::digests: break;
    case signing_statement::kind::checkpoint:
    case signing_statement::kind::event:
      if (own != nullptr && own->key()) return std::make_shared<const host_sealing>(own->key(), own->former_key(), 1);
      break;
  }
  return std::make_shared<const host_sealing>(nullptr, nullptr, host_sealing::never);
}

}  // namespace cellos
