#include "runtime/verification/line_verifier.hpp"

#include <algorithm>
#include <utility>

#include "messages/chain_name.hpp"
#include "messages/escaped_text.hpp"
#include "messages/probe_source.hpp"
#include "runtime/signing/material.hpp"
#include "runtime/text/base64.hpp"
#include "runtime/verification/facts_reader.hpp"

namespace cellos::verification {

namespace {

constexpr std::size_t known_chains = 1024;
constexpr std::size_t known_types = 64;

/// Whose data says something that matters to the chain.
bool has_facts(event_type type) {
  switch (type) {
    case event_type::telemetry_dropped:
    case event_type::run_started:
    case event_type::run_resumed:
    case event_type::run_key_changed:
    case event_type::run_ended:
    case event_type::run_adopted:
    case event_type::host_started:
    case event_type::host_key_changed:
    case event_type::host_run_opened:
    case event_type::host_run_closed:
    case event_type::host_range_adopted:
    case event_type::host_chain_abandoned:
    case event_type::host_evidence_lost:
    case event_type::host_evidence_removed:
    case event_type::host_journal_unusable:
    case event_type::host_segments_missing:
    case event_type::host_line_not_understood:
    case event_type::host_witnessed: return true;
    default: return false;
  }
}

/// `"name":"` in canonical data has another text behind it than `expected`, which ends with its quote.
bool says_otherwise(std::string_view data, std::string_view name, std::string_view expected) {
  const std::size_t at = data.rfind(name);
  return at != std::string_view::npos && !data.substr(at + name.size()).starts_with(expected);
}

}  // namespace

struct line_verifier::known_chain {
  std::string text;
  /// Views into `text`; nothing if it is no chain's name.
  std::optional<chain_name> identity;
  std::string source;
  std::string subject;
  /// As data spells them, with their closing quotes.
  std::string host_value;
  std::string cell_value;
  std::string run_value;
  chain_material material;
};

struct line_verifier::known_type {
  std::string text;
  std::optional<event_type> type;
  /// Also where a later version writes it: all that hosts say of themselves is.
  bool is_always_signed = false;
  digest hashed{};
};

line_verifier::line_verifier(const key_list* keys)
    : keys_(keys), facts_reader_(std::make_unique<facts_reader>()), chains_(known_chains), types_(known_types) {}

line_verifier::~line_verifier() = default;

line_verifier::known_chain& line_verifier::chain_of(std::string_view chain) {
  known_chain& known = chains_[std::hash<std::string_view>{}(chain) % known_chains];
  if (known.text == chain) return known;
  known = known_chain{};
  known.text = chain;
  known.identity = parse_chain_name(known.text);
  // Not kept: it may be as long as a line.
  if (!known.identity) return known = known_chain{};
  const chain_name& identity = *known.identity;
  known.source = identity.source();
  known.subject = identity.subject();
  known.host_value = std::string{identity.host} + '"';
  known.cell_value = std::string{identity.cell} + '"';
  known.run_value = std::string{identity.run} + '"';
  known.material.set(chain_material::source, known.source);
  known.material.set(chain_material::subject, known.subject);
  known.material.set(chain_material::chain, known.text);
  return known;
}

const line_verifier::known_type& line_verifier::type_of(std::string_view type) {
  known_type& known = types_[std::hash<std::string_view>{}(type) % known_types];
  if (known.text == type) return known;
  // A longer one is none of ours, and not kept.
  constexpr std::size_t longest_type = 256;
  known.text = type.size() > longest_type ? std::string{} : std::string{type};
  const auto name = event_name_in(type);
  known.type = name ? find_event_type(*name) : std::nullopt;
  known.is_always_signed = known.type ? is_always_signed(*known.type) : name && names_host_event(*name);
  known.hashed = sha256::of(type);
  return known;
}

/// Whether the line says one thing of where it belongs. If not, it belongs nowhere.
bool line_verifier::place(line_result& result, const known_chain& chain) {
  const auto refuse = [&result](finding_cause cause, std::string words) {
    result.faults.push_back({cause, std::move(words)});
    return false;
  };
  const auto sequence = decimal(line_.sequence);
  if (!chain.identity) return refuse(finding_cause::malformed, "\"" + escaped(line_.chain, 128) + "\" names no chain");
  if (!sequence || *sequence == 0) {
    return refuse(finding_cause::malformed, "its sequence \"" + escaped(line_.sequence) + "\" is no number from 1");
  }
  const std::string_view id = line_.core.id;
  if (!is_event_id(id, chain.text, line_.sequence)) {
    return refuse(finding_cause::foreign, "its id " + escaped(id, 256) + " is not of chain " +
                                              escaped(line_.chain, 256) + " and sequence " + escaped(line_.sequence));
  }
  if (line_.core.source != chain.source) {
    return refuse(finding_cause::foreign,
                  "its source " + escaped(line_.core.source, 192) + " is not its chain's, " + chain.source);
  }
  if (line_.core.subject != chain.subject) {
    return refuse(finding_cause::foreign,
                  "its subject " + escaped(line_.core.subject, 192) + " is not its chain's, " + chain.subject);
  }
  if (!line_.canonical_line) {
    const auto covers = [this](std::string_view name) {
      return std::any_of(line_.signed_extensions.begin(), line_.signed_extensions.end(),
                         [name](const extension_attribute& each) { return each.first == name; });
    };
    const bool any = !line_.signed_extensions.empty() || !line_.prevdigest.empty();
    if (any && !(covers("chain") && covers("sequence") && covers("prevdigest"))) {
      return refuse(finding_cause::malformed, "signedextattrs does not name chain, sequence and prevdigest");
    }
    result.sealed = any;
  } else {
    result.sealed = true;
  }
  if (result.sealed && decode_base64(line_.prevdigest, result.prevdigest) != result.prevdigest.size()) {
    return refuse(finding_cause::malformed, "its prevdigest is not the Base64 of 32 bytes");
  }
  result.sequence = *sequence;
  result.chain = line_.canonical_line ? line_.chain : std::string_view{kept_.emplace_back(line_.chain)};
  result.time = line_.canonical_line ? line_.core.time : std::string_view{kept_.emplace_back(line_.core.time)};
  return true;
}

/// `data` names the cell, the run and the host again.
void line_verifier::check_attribution(line_result& result, const known_chain& chain) const {
  const std::string_view data = line_.core.data;
  const auto foreign = [&result](const char* words) { result.faults.push_back({finding_cause::foreign, words}); };
  if (chain.identity->is_host()) {
    if (says_otherwise(data, R"("hostId":")", chain.host_value)) foreign("its data is about another host");
    return;
  }
  constexpr std::string_view cell_first = R"({"cellId":")";
  if (!data.starts_with(cell_first) ? says_otherwise(data, cell_first.substr(1), chain.cell_value)
                                    : !data.substr(cell_first.size()).starts_with(chain.cell_value)) {
    foreign("its data is about another cell");
  }
  if (says_otherwise(data, R"("runId":")", chain.run_value)) foreign("its data is about another run");
}

digest line_verifier::material_of_line(const known_chain& chain, const known_type& type) const {
  if (!line_.canonical_line) return material_of(line_.core, line_.signed_extensions);
  chain_material material = chain.material;
  material.set(chain_material::id, line_.core.id);
  material.set(chain_material::type, type.hashed);
  material.set(chain_material::time, line_.core.time);
  material.set(chain_material::data, line_.core.data);
  material.set(chain_material::sequence, line_.sequence);
  material.set(chain_material::prevdigest, line_.prevdigest);
  return material.material();
}

void line_verifier::check_signatures(line_result& result, const known_chain& chain, std::string_view former_key_id,
                                     std::string_view key_id) {
  const auto fault = [&result](finding_cause cause, std::string words) {
    result.faults.push_back({cause, std::move(words)});
  };
  const auto envelope = dsse::read_envelope(line_.dssematerial);
  if (!envelope) return fault(finding_cause::bad_signature, "its dssematerial is no envelope of a signature");
  if (keys_ == nullptr) {
    if (envelope->material != result.material) fault(finding_cause::altered, "its content is not what was signed");
    return;
  }
  // Whoever could add a signature that is ignored, or write one twice, could change a line without a trace.
  const bool hands_over = result.type == event_type::run_key_changed || result.type == event_type::host_key_changed;
  if (envelope->signatures.size() > (hands_over ? 2u : 1u)) {
    return fault(finding_cause::bad_signature,
                 "has " + std::to_string(envelope->signatures.size()) + " signatures, where one belongs");
  }
  const dsse::signed_message message{envelope->material};
  bool all_good = true;
  for (const dsse::read_signature& each : envelope->signatures) {
    const verification_key* key = keys_->find(each.key_id);
    if (key == nullptr) continue;
    if (!key->may_sign_for(chain.identity->host)) {
      all_good = false;
      fault(finding_cause::foreign, "key " + escaped(each.key_id, 128) + " does not sign for this host");
    } else if (!key->is_canonical(each.bytes()) || !key->verifies(message.bytes(), each.bytes())) {
      all_good = false;
      fault(finding_cause::bad_signature, "its signature by key " + escaped(each.key_id, 128) + " is wrong");
    }
  }
  if (!all_good) return;
  note_signers(result, *envelope, former_key_id, key_id);
  if (!result.is_signed() || envelope->material == result.material) return;
  fault(finding_cause::altered, "its content is not what was signed");
  // The signature says what the line was: the chain goes on from there.
  result.material = envelope->material;
}

/// Every signature by a key in the list is good.
void line_verifier::note_signers(line_result& result, const dsse::envelope& envelope, std::string_view former_key_id,
                                 std::string_view key_id) const {
  const auto& signatures = envelope.signatures;
  const bool twice = signatures.size() == 2 && signatures[0].key_id == signatures[1].key_id;
  if (twice || (signatures.size() == 2 && (signatures[0].key_id != former_key_id || signatures[1].key_id != key_id))) {
    result.faults.push_back({finding_cause::bad_signature, "its two signatures are not of the keys that it names"});
    return;
  }
  for (const dsse::read_signature& each : signatures) {
    const verification_key* key = keys_->find(each.key_id);
    if (key == nullptr) {
      result.faults.push_back({finding_cause::unknown_key,
                               "is signed by key " + escaped(each.key_id, 128) + ", which the key list does not hold"});
    } else {
      result.from_key = result.to_key = key;
    }
  }
  const bool hands_over = signatures.size() == 2 && !former_key_id.empty() && signatures[0].key_id == former_key_id &&
                          signatures[1].key_id == key_id;
  if (!hands_over) return;
  result.from_key = keys_->find(former_key_id);
  result.to_key = keys_->find(key_id);
  if (result.from_key == nullptr) result.from_key = result.to_key;
}

line_result line_verifier::verify(std::string_view line) {
  line_result result;
  // Without digests nothing says that the bytes of `data` are to be these: what counts is what they mean.
  if (!read_canonical_line(line, line_) || !line_.is_sealed()) {
    if (auto problem = generic_.read(line, line_)) {
      result.faults.push_back({finding_cause::malformed, *std::move(problem)});
      return result;
    }
  }
  const known_chain& chain = chain_of(line_.chain);
  if (!place(result, chain)) return result;
  const known_type& type = type_of(line_.core.type);
  result.type = type.type;
  result.is_declaration = type.type && is_declarable(*type.type) && type.type != event_type::telemetry_dropped;
  check_attribution(result, chain);
  if (result.sealed && !line_.uncovered.empty()) {
    result.faults.push_back(
        {finding_cause::altered, "nothing covers its attribute \"" + escaped(line_.uncovered) + "\""});
  }
  result.material = material_of_line(chain, type);
  std::string_view former_key_id;
  std::string_view key_id;
  if (result.type && has_facts(*result.type)) {
    result.facts = facts_reader_->read(line_.core.data);
    if (result.facts != nullptr) {
      // Both a guest and the host say that telemetry was dropped, by one type.
      if (result.type == event_type::telemetry_dropped) result.is_declaration = result.facts->declared;
      former_key_id = facts_reader_->former_key_id();
      key_id = facts_reader_->key_id();
    }
  }
  result.has_signature = !line_.dssematerial.empty();
  if (result.has_signature) {
    check_signatures(result, chain, former_key_id, key_id);
  } else {
    result.signature_absent = result.sealed && (chain.identity->is_host() || type.is_always_signed);
  }
  return result;
}

}  // namespace cellos::verification
