#include "runtime/evidence/chain_recovery.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/chain_name.hpp"
#include "messages/cloud_event.hpp"
#include "messages/host_event.hpp"
#include "runtime/evidence/read_statement.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/signing/material.hpp"

namespace cellos {

namespace {

/// Signatures of a chain that are looked at, from its end. With more forged ones behind the last true one, more is
/// adopted than had to be. Chosen here.
constexpr std::size_t most_signatures_tried = 4;

std::uint64_t count_in(const nlohmann::json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_string()) return 0;
  const auto& digits = member->get_ref<const std::string&>();
  std::uint64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

/// Whatever the log holds: a member that is no text is as absent.
std::string text_in(const nlohmann::json& object, const char* key, const std::string& otherwise = {}) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : otherwise;
}

void take_losses(run_totals& totals, const nlohmann::json& data) {
  const std::string reason = text_in(data, "reason");
  if (reason == to_string(loss_reason::quarantined)) {
    const std::uint64_t frames = count_in(data, "frames");
    totals.quarantined += frames;
    totals.received += frames;
  }
  const auto refused = data.find("refused");
  if (reason != to_string(loss_reason::frames_refused) || refused == data.end() || !refused->is_object()) return;
  for (telemetry_errc kind : refusal_kinds) {
    const std::uint64_t frames = count_in(*refused, std::string{to_string(kind)}.c_str());
    totals.refused.add(kind, frames);
    totals.received += frames;
  }
}

bool is_signed_by(const key_list& keys, const std::string& dssematerial, const event_digest& digest) {
  const auto envelope = dsse::read_envelope(dssematerial);
  if (!envelope || envelope->material != digest) return false;
  const dsse::signed_message message{digest};
  return std::any_of(envelope->signatures.begin(), envelope->signatures.end(), [&](const auto& each) {
    return keys.verify(each.key_id, message.bytes(), each.bytes()) == signature_result::good;
  });
}

std::uint64_t sequence_of(const milestone& each) { return each.head.position.next_event - 1; }

}  // namespace

chain_recovery::chain_recovery(std::string name, const expected_chain* expected) : expected_(expected) {
  run_.chain = std::move(name);
  if (const auto who = parse_chain_name(run_.chain)) {
    run_.attribution = {std::string{who->host}, std::string{who->cell}, std::string{who->run}, {}};
  }
}

const milestone* chain_recovery::milestone_at(std::uint64_t sequence) const {
  if (expected_ == nullptr) return nullptr;
  const auto found = std::ranges::lower_bound(expected_->milestones, sequence, {}, sequence_of);
  return found != expected_->milestones.end() && sequence_of(*found) == sequence ? &*found : nullptr;
}

const milestone* chain_recovery::milestone_before(std::uint64_t sequence) const {
  if (expected_ == nullptr) return nullptr;
  const auto found = std::ranges::lower_bound(expected_->milestones, sequence, {}, sequence_of);
  return found == expected_->milestones.begin() ? nullptr : &*(found - 1);
}

void chain_recovery::stand_at(const chain_head& head) {
  // Its lines lie before where reading begins: the journal's word for them is all there is.
  if (last_ == 0) vouched_ = head.position.next_event - 1;
  static_cast<chain_position&>(run_) = head.position;
  digest_ = head.position.digest;
  if (!head.run) return;
  run_.attribution = *head.run->attribution;
  run_.totals = head.run->totals;
  run_.silence_told = head.run->silence_told;
  run_.resumed = head.run->resumed;
}

/// The first line of the chain that is looked at: it may be anywhere up to where the journal begins.
void chain_recovery::begin(const recovery_line& line) {
  run_.sealed = line.sealed;
  const milestone* before = milestone_before(line.sequence);
  if (before != nullptr) {
    stand_at(before->head);
    last_ = vouched_ = sequence_of(*before);
    return;
  }
  digest_.reset();
  last_ = line.sequence - 1;
  if (line.sequence == 1) digest_ = no_event;
}

bool chain_recovery::follows(const recovery_line& line) const {
  if (line.sequence != last_ + 1 || line.sealed != run_.sealed) return false;
  return !line.sealed || !digest_ || *digest_ == line.before;
}

void chain_recovery::take(const recovery_line& line, const event_digest& own, std::uint64_t segment) {
  if (last_ == 0) begin(line);
  broken_ = broken_ || !follows(line);
  last_ = line.sequence;
  segment_ = segment;
  digest_ = own;
  run_.next_event = line.sequence + 1;
  run_.digest = own;
  account(line);
  const milestone* const here = milestone_at(line.sequence);
  if (here != nullptr && ends_at(here->head.position)) {
    stand_at(here->head);
    if (!broken_) vouched_ = line.sequence;
    diverged_ = false;
    signed_.clear();
  } else if (here != nullptr) {
    diverged_ = true;
    signed_.clear();
  } else if (!line.dssematerial.empty() && !diverged_) {
    if (signed_.size() == most_signatures_tried) signed_.pop_front();
    signed_.push_back({line.sequence, own, std::string{line.dssematerial}});
  }
}

bool chain_recovery::ends_at(const chain_position& position) const {
  if (last_ + 1 != position.next_event || run_.sealed != position.sealed) return false;
  return !position.sealed || (digest_ && *digest_ == position.digest);
}

std::uint64_t chain_recovery::vouched_until(const key_list& keys) const {
  for (auto each = signed_.rbegin(); each != signed_.rend(); ++each) {
    if (!broken_ && is_signed_by(keys, each->dssematerial, each->digest)) return std::max(vouched_, each->sequence);
  }
  return vouched_;
}

event_place chain_recovery::place() const {
  event_place place{run_.next_event - 1, {}};
  if (run_.sealed && digest_) place.digest = prevdigest_text{*digest_}.view();
  return place;
}

/// A declaration changes nothing but the count; everything else is rare enough to be parsed.
void chain_recovery::account(const recovery_line& line) {
  ended_ = line.type == event_type::run_ended || line.type == event_type::host_stopped;
  if (names_guest_event(line.type_name) && line.data.find(R"("probeSource":)") != std::string_view::npos &&
      line.type != event_type::telemetry_dropped) {
    ++run_.totals.appended;
    ++run_.totals.received;
    if (!run_.attribution.spec_signature_hash.empty()) return;
  }
  account_run_event(line.type, std::string{line.data});
}

void chain_recovery::account_run_event(std::optional<event_type> type, const std::string& text) {
  const auto data = nlohmann::json::parse(text, nullptr, false);
  if (!data.is_object()) return;
  run_.attribution.spec_signature_hash = text_in(data, "specSignatureHash", run_.attribution.spec_signature_hash);
  run_.key_id = text_in(data, "keyId", run_.key_id);
  if (type == event_type::agent_silenced) run_.silence_told = true;
  if (type == event_type::agent_resumed) run_.resumed = true;
  if (type == event_type::telemetry_dropped) take_losses(run_.totals, data);
  if (type != event_type::run_started && type != event_type::run_resumed && type != event_type::host_started) return;
  started_ = true;
  statement_ = read_statement(data);
}

}  // namespace cellos
