// What an event's MATERIAL is made of, and what that costs: of fifteen digests only five differ from event to event
// (id, data, sequence, prevdigest, and the time of each chunk); the id's common beginning is hashed once a chain.

#include "runtime/signing/host_sealing.hpp"

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "messages/event_line.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/signing/material.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

using line_form::before_prevdigest;

std::string digest_placeholder() {
  std::string placeholder{before_prevdigest};
  placeholder.append(prevdigest_length, ' ');
  placeholder += line_form::before_signedextattrs;
  return placeholder += chain_extensions;
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
  /// Types of events there are, and some. Chosen here.
  static constexpr std::size_t most = 32;
  std::vector<std::pair<std::string, digest>> known_;
};

/// The keys a chain's events are signed with.
struct signers {
  std::shared_ptr<const signing_key> key;
  std::shared_ptr<const signing_key> former;
};

class chain_seal final : public event_seal {
 public:
  chain_seal(const chain_constants& constants, signers keys) : keys_(std::move(keys)) {
    material_.set(chain_material::source, constants.source);
    material_.set(chain_material::subject, constants.subject);
    material_.set(chain_material::chain, constants.chain);
    id_begin_.update(event_id_begin(constants.chain));
    digest_placeholder_ = digest_placeholder();
    signature_placeholder_ = signed_placeholder(seal_kind::signature);
    handover_placeholder_ = signed_placeholder(seal_kind::handover);
  }

  std::string_view placeholder(seal_kind kind) const override {
    switch (kind) {
      case seal_kind::chained: return digest_placeholder_;
      case seal_kind::signature: return signature_placeholder_;
      case seal_kind::handover: return handover_placeholder_;
    }
    return digest_placeholder_;
  }

  event_digest seal(std::string& lines, std::span<const rendered_event> events, event_digest before) override {
    for (const rendered_event& event : events) {
      const prevdigest_text previous{before};
      std::memcpy(lines.data() + event.placeholder.begin + before_prevdigest.size(), previous.view().data(),
                  prevdigest_length);
      before = material_of(lines, event, previous);
      if (event.kind != seal_kind::chained && keys_.key) sign(lines, event, before);
    }
    return before;
  }

 private:
  std::string signed_placeholder(seal_kind kind) const {
    if (!keys_.key) return digest_placeholder_;
    std::string room;
    append_signed(room, digest{}, kind);
    room.assign(room.size(), ' ');
    return digest_placeholder_ + std::string{line_form::before_dssematerial} + room;
  }

  digest material_of(const std::string& lines, const rendered_event& event, const prevdigest_text& previous) {
    const std::string_view sequence = text_at(lines, event.sequence);
    sha256 id = id_begin_;
    material_.set(chain_material::id, id.update(sequence).finish());
    material_.set(chain_material::type, types_.of(text_at(lines, event.type)));
    if (const std::string_view time = text_at(lines, event.time); time != last_time_) {
      last_time_ = time;
      material_.set(chain_material::time, time);
    }
    material_.set(chain_material::data, text_at(lines, event.data));
    material_.set(chain_material::sequence, sequence);
    material_.set(chain_material::prevdigest, previous.view());
    return material_.material();
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
    const std::size_t at = event.placeholder.end - envelope_.size();
    std::memcpy(lines.data() + at, envelope_.data(), envelope_.size());
  }

  signers keys_;
  chain_material material_;
  sha256 id_begin_;
  remembered_digests types_;
  std::string last_time_;
  std::string digest_placeholder_;
  std::string signature_placeholder_;
  std::string handover_placeholder_;
  /// Kept between calls for its capacity.
  std::string envelope_;
};

}  // namespace

host_sealing::host_sealing(std::shared_ptr<const signing_key> key, std::shared_ptr<const signing_key> former,
                           std::uint64_t events_per_signature, std::chrono::nanoseconds checkpoint_interval)
    : key_(std::move(key)),
      former_(std::move(former)),
      events_per_signature_(events_per_signature),
      checkpoint_interval_(checkpoint_interval) {
  if (key_) key_id_ = key_->key_id();
  if (former_) former_key_id_ = former_->key_id();
}

std::unique_ptr<event_seal> host_sealing::begin(const chain_constants& constants) const {
  return std::make_unique<chain_seal>(constants, signers{key_, former_});
}

signing_statement host_sealing::statement() const {
  if (!key_) return {signing_statement::kind::digests, 0, {}};
  if (events_per_signature_ == 1) return {signing_statement::kind::event, 0, {}};
  return {signing_statement::kind::checkpoint, events_per_signature_, checkpoint_interval_};
}

std::string host_sealing::digest_text(const event_digest& of_event) const {
  return std::string{prevdigest_text{of_event}.view()};
}

}  // namespace cellos
