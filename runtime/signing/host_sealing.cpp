// What an event's MATERIAL is made of, and what that costs: of fifteen digests only five differ from event to event
// (id, data, sequence, prevdigest, and the time of each chunk). Of these only prevdigest waits for the event before,
// and it stands last: all others of a batch, and the first seven of the eight blocks that MATERIAL is the digest of,
// are hashed side by side. What is left for one event after the other is two blocks.

#include "runtime/signing/host_sealing.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "messages/chain_lines.hpp"
#include "runtime/signing/base64.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/signing/material.hpp"
#include "runtime/signing/sha256_many.hpp"

namespace cellos {

namespace {

constexpr std::string_view before_prevdigest = R"(,"prevdigest":")";
constexpr std::string_view before_dssematerial = R"(","dssematerial":")";

std::string digest_blank() {
  return std::string{before_prevdigest} + std::string(prevdigest_length, ' ') + R"(","signedextattrs":")" +
         std::string{chain_extensions};
}

std::string_view text_at(const std::string& lines, const rendered_event::piece& piece) {
  return std::string_view{lines}.substr(piece.begin, piece.end - piece.begin);
}

/// Digests of the few texts an attribute takes in turn.
class remembered_digests {
 public:
  const digest& of(std::string_view text) {
    for (const auto& [known, hashed] : known_) {
      if (known == text) return hashed;
    }
    if (known_.size() >= most) known_.clear();
    return known_.emplace_back(std::string{text}, sha256::of(text)).second;
  }

 private:
  /// Types of events there are, and some. Ours.
  static constexpr std::size_t most = 32;
  std::vector<std::pair<std::string, digest>> known_;
};

/// The keys a chain's events are signed with.
struct signers {
  std::shared_ptr<const signing_key> key;
  std::shared_ptr<const signing_key> former;
};

/// FIPS 180-4, section 5.1.1; the digest's place is left open.
constexpr std::array<std::uint8_t, sha256_block> end_of_material() {
  std::array<std::uint8_t, sha256_block> block{};
  constexpr std::size_t bytes = chain_material::before_prevdigest + sizeof(digest);
  static_assert(bytes % sha256_block == sizeof(digest));
  block[sizeof(digest)] = 0x80;
  block[sha256_block - 2] = static_cast<std::uint8_t>(bytes * 8 >> 8);
  block[sha256_block - 1] = static_cast<std::uint8_t>(bytes * 8);
  return block;
}

/// What of each event's MATERIAL does not wait for the event before it, of up to `most` events at once.
class independent_parts {
 public:
  /// Enough to keep pairs of texts full, few enough to stay in the first-level cache.
  static constexpr std::size_t most = 32;

  void begin_chain(std::string_view chain) {
    id_.assign(chain);
    id_ += '/';
    id_whole_ = id_.size() / sha256_block * sha256_block;
    id_state_ = sha256_begin;
    for (std::size_t at = 0; at < id_whole_; at += sha256_block) absorb(id_state_, bytes_of(id_).data() + at);
    for (auto& each : id_ends_) each.assign(id_, id_whole_);
  }

  void prepare(const std::string& lines, std::span<const rendered_event> events, chain_material& material,
               remembered_digests& types, std::string& last_time) {
    hash_texts(lines, events);
    for (std::size_t i = 0; i < events.size(); ++i) {
      material.set(chain_material::type, types.of(text_at(lines, events[i].type)));
      if (const std::string_view time = text_at(lines, events[i].time); time != last_time) {
        last_time = time;
        material.set(chain_material::time, time);
      }
      material.set(chain_material::id, digests_[3 * i]);
      material.set(chain_material::data, digests_[3 * i + 1]);
      material.set(chain_material::sequence, digests_[3 * i + 2]);
      std::memcpy(beginnings_[i].data(), material.bytes().data(), chain_material::before_prevdigest);
      states_[i] = sha256_begin;
      texts_of_blocks_[i] = beginnings_[i].data();
    }
    absorb_many(std::span{states_}.first(events.size()), texts_of_blocks_.data(),
                chain_material::before_prevdigest / sha256_block);
  }

  /// MATERIAL of the event `index`, whose `prevdigest` is `previous`.
  digest material(std::size_t index, const prevdigest_text& previous) {
    const digest last = sha256::of(previous.view());
    std::memcpy(last_block_.data(), last.data(), last.size());
    absorb(states_[index], last_block_.data());
    return digest_of(states_[index]);
  }

 private:
  void hash_texts(const std::string& lines, std::span<const rendered_event> events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      const std::string_view sequence = text_at(lines, events[i].sequence);
      id_ends_[i].resize(id_.size() - id_whole_);
      id_ends_[i] += sequence;
      texts_[3 * i] = {bytes_of(id_ends_[i]), &id_state_, id_whole_};
      texts_[3 * i + 1] = {bytes_of(text_at(lines, events[i].data))};
      texts_[3 * i + 2] = {bytes_of(sequence)};
    }
    sha256_many(std::span{texts_}.first(3 * events.size()), std::span{digests_}.first(3 * events.size()));
  }

  /// What every event's id begins with; `id_whole_` bytes of it are in `id_state_`.
  std::string id_;
  std::size_t id_whole_ = 0;
  sha256_state id_state_ = sha256_begin;
  std::array<std::string, most> id_ends_;
  std::array<sha256_text, 3 * most> texts_;
  std::array<digest, 3 * most> digests_;
  std::array<std::array<std::uint8_t, chain_material::before_prevdigest>, most> beginnings_;
  std::array<const std::uint8_t*, most> texts_of_blocks_;
  std::array<sha256_state, most> states_;
  /// MATERIAL's last block: the digest of `prevdigest`, the bit that ends the text, and its length in bits.
  std::array<std::uint8_t, sha256_block> last_block_ = end_of_material();
};

class chain_seal final : public event_seal {
 public:
  chain_seal(const chain_constants& constants, signers keys) : keys_(std::move(keys)) {
    material_.set(chain_material::source, constants.source);
    material_.set(chain_material::subject, constants.subject);
    material_.set(chain_material::chain, constants.chain);
    parts_.begin_chain(constants.chain);
    digest_blank_ = digest_blank() + '"';
    signature_blank_ = signed_blank(seal_kind::signature);
    handover_blank_ = signed_blank(seal_kind::handover);
  }

  std::string_view blank(seal_kind kind) const override {
    switch (kind) {
      case seal_kind::chained: return digest_blank_;
      case seal_kind::signature: return signature_blank_;
      case seal_kind::handover: return handover_blank_;
    }
    return digest_blank_;
  }

  event_digest seal(std::string& lines, std::span<const rendered_event> events, event_digest before) override {
    while (!events.empty()) {
      const auto together = events.first(std::min(events.size(), independent_parts::most));
      parts_.prepare(lines, together, material_, types_, last_time_);
      for (std::size_t i = 0; i < together.size(); ++i) {
        const rendered_event& event = together[i];
        const prevdigest_text previous{before};
        std::memcpy(lines.data() + event.blank.begin + before_prevdigest.size(), previous.view().data(),
                    prevdigest_length);
        before = parts_.material(i, previous);
        if (event.kind != seal_kind::chained && keys_.key) sign(lines, event, before);
      }
      events = events.subspan(together.size());
    }
    return before;
  }

 private:
  std::string signed_blank(seal_kind kind) const {
    if (!keys_.key) return digest_blank_;
    std::string room;
    append_signed(room, digest{}, kind);
    room.assign(room.size(), ' ');
    return digest_blank() + std::string{before_dssematerial} + room + '"';
  }

  void append_signed(std::string& out, const digest& material, seal_kind kind) const {
    const dsse::signed_message message{material};
    // As docs/evidence.md says: the former key first.
    const bool handover = kind == seal_kind::handover && keys_.former;
    const signature_bytes own = keys_.key->sign(message.bytes());
    const signature_bytes formers = handover ? keys_.former->sign(message.bytes()) : signature_bytes{};
    std::array<dsse::signature, 2> signatures{};
    std::size_t count = 0;
    if (handover) signatures[count++] = {keys_.former->key_id(), formers.view()};
    signatures[count++] = {keys_.key->key_id(), own.view()};
    dsse::append_envelope(out, material, std::span{signatures}.first(count));
  }

  void sign(std::string& lines, const rendered_event& event, const digest& material) {
    envelope_.clear();
    append_signed(envelope_, material, event.kind);
    const std::size_t at = event.blank.end - 1 - envelope_.size();
    std::memcpy(lines.data() + at, envelope_.data(), envelope_.size());
  }

  signers keys_;
  chain_material material_;
  independent_parts parts_;
  remembered_digests types_;
  std::string last_time_;
  std::string digest_blank_;
  std::string signature_blank_;
  std::string handover_blank_;
  /// Kept between calls for its capacity.
  std::string envelope_;
};

}  // namespace

host_sealing::host_sealing(std::shared_ptr<const signing_key> key, std::shared_ptr<const signing_key> former,
                           std::uint64_t events_per_signature)
    : key_(std::move(key)), former_(std::move(former)), events_per_signature_(events_per_signature) {
  if (key_) key_id_ = key_->key_id();
  if (former_) former_key_id_ = former_->key_id();
}

std::unique_ptr<event_seal> host_sealing::begin(const chain_constants& constants) const {
  return std::make_unique<chain_seal>(constants, signers{key_, former_});
}

std::string host_sealing::digest_text(const event_digest& of_event) const {
  return std::string{prevdigest_text{of_event}.view()};
}

}  // namespace cellos
