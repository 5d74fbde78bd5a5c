#include "runtime/evidence/run_recovery.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/chain_lines.hpp"
#include "messages/cloud_event.hpp"
#include "runtime/evidence/segment_reader.hpp"
#include "runtime/signing/line_digest.hpp"
#include "runtime/signing/material.hpp"

namespace cellos {

namespace {

constexpr std::string_view id_key = R"({"specversion":"1.0","id":")";
constexpr std::string_view type_key = R"(","type":")";
constexpr std::string_view digest_key = R"(","prevdigest":")";
constexpr std::string_view data_key = R"(,"data":)";
constexpr std::size_t sequence_digits = sequence_text::digits;

/// The text from `at` to the next quote, where no escape may stand.
std::string_view until_quote(std::string_view line, std::size_t at) {
  const std::size_t end = line.find('"', at);
  return end == std::string_view::npos ? std::string_view{} : line.substr(at, end - at);
}

/// `host/cell/run/epoch`; ids have no slash.
std::optional<host_stamp> attribution_of(std::string_view chain) {
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t end = i + 1 < parts.size() ? chain.find('/') : chain.size();
    if (end == std::string_view::npos) return std::nullopt;
    parts[i] = chain.substr(0, end);
    chain.remove_prefix(std::min(chain.size(), end + 1));
  }
  return host_stamp{std::string{parts[0]}, std::string{parts[1]}, std::string{parts[2]}, {}};
}

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

std::string spec_signature_hash_in(std::string_view line) {
  const auto event = nlohmann::json::parse(line, nullptr, false);
  const auto data = event.is_object() ? event.find("data") : event.end();
  if (!event.is_object() || data == event.end() || !data->is_object()) return {};
  return text_in(*data, "specSignatureHash");
}

void take_losses(recovered_run& run, const nlohmann::json& data) {
  const std::string reason = text_in(data, "reason");
  if (reason == to_string(loss_reason::quarantined)) {
    const std::uint64_t frames = count_in(data, "frames");
    run.totals.quarantined += frames;
    run.totals.received += frames;
  }
  const auto refused = data.find("refused");
  if (reason != to_string(loss_reason::frames_refused) || refused == data.end()) return;
  for (telemetry_errc kind : refusal_kinds) {
    const std::uint64_t frames = count_in(*refused, std::string{to_string(kind)}.c_str());
    run.totals.refused.add(kind, frames);
    run.totals.received += frames;
  }
}

}  // namespace

struct run_recovery::line_head {
  std::string_view chain;
  std::uint64_t sequence = 0;
  /// Without the common prefix.
  std::string_view type;
  bool sealed = false;
};

std::optional<run_recovery::line_head> run_recovery::parse_head(std::string_view line) {
  if (!line.starts_with(id_key) || !line.ends_with('}')) return std::nullopt;
  const std::string_view id = until_quote(line, id_key.size());
  if (id.size() < sequence_digits + 2 || id[id.size() - sequence_digits - 1] != '/') return std::nullopt;
  line_head head;
  head.chain = id.substr(0, id.size() - sequence_digits - 1);
  const std::string_view digits = id.substr(id.size() - sequence_digits);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), head.sequence);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const std::size_t type_at = line.find(type_key, id_key.size() + id.size());
  if (type_at == std::string_view::npos) return std::nullopt;
  const std::string_view type = until_quote(line, type_at + type_key.size());
  if (!type.starts_with(event_type_prefix)) return std::nullopt;
  head.type = type.substr(event_type_prefix.size());
  const std::size_t data_at = line.find(data_key, type_at);
  head.sealed = data_at != std::string_view::npos && line.substr(0, data_at).find(digest_key) != std::string_view::npos;
  return head;
}

void run_recovery::take(std::string_view line) {
  ++lines_;
  const auto head = parse_head(line);
  if (!head) {
    ++foreign_lines_;
    return;
  }
  if (last_ == open_.end() || last_->first != head->chain) {
    last_ = open_.find(head->chain);
    if (last_ == open_.end()) {
      const auto attribution = attribution_of(head->chain);
      if (!attribution) return take_host_event(*head, line);
      recovered_run begun;
      begun.attribution = *attribution;
      begun.attribution.spec_signature_hash = spec_signature_hash_in(line);
      begun.chain = head->chain;
      last_ = open_.emplace(head->chain, open_chain{std::move(begun), {}}).first;
    }
  }
  open_chain& chain = last_->second;
  chain.run.next_event = head->sequence + 1;
  chain.run.sealed = head->sealed;
  if (head->sealed) chain.last_line = line;
  take_event(last_, head->type, line);
}

void run_recovery::take_host_event(const line_head& head, std::string_view line) {
  const auto event = nlohmann::json::parse(line, nullptr, false);
  const auto data = event.is_object() ? event.find("data") : event.end();
  if (!head.type.starts_with("host.v1.") || !event.is_object() || data == event.end() || !data->is_object()) {
    ++foreign_lines_;
    return;
  }
  if (!host_ || host_->run.chain != head.chain) {
    host_.emplace();
    host_->run.chain = head.chain;
  }
  host_->run.next_event = head.sequence + 1;
  host_->run.sealed = head.sealed;
  if (head.sealed) host_->last_line = line;
  host_->run.key_id = text_in(*data, "keyId", host_->run.key_id);
  const std::string listed = text_in(*data, "chain");
  if (head.type == event_type::host_run_opened) opened_.insert(listed);
  if (head.type == event_type::host_run_closed) {
    opened_.erase(listed);
    ended_.erase(listed);
  }
}

/// A declaration changes nothing but the count; everything else is rare enough to be parsed.
void run_recovery::take_event(open_chains::iterator chain, std::string_view type, std::string_view line) {
  recovered_run& run = chain->second.run;
  if (line.find(R"("probeSource":)") != std::string_view::npos) {
    ++run.totals.appended;
    ++run.totals.received;
    return;
  }
  const auto event = nlohmann::json::parse(line, nullptr, false);
  const auto data = event.is_object() ? event.find("data") : event.end();
  if (!event.is_object() || data == event.end() || !data->is_object()) {
    ++foreign_lines_;
    return;
  }
  run.key_id = text_in(*data, "keyId", run.key_id);
  if (type == event_type::agent_silenced) run.silence_told = true;
  if (type == event_type::agent_resumed) run.resumed = true;
  if (type == event_type::telemetry_dropped) take_losses(run, *data);
  if (type == event_type::run_ended) {
    if (opened_.contains(run.chain)) ended_.insert_or_assign(run.chain, std::move(chain->second));
    open_.erase(chain);
    last_ = open_.end();
  }
}

chain_position run_recovery::position_of(const open_chain& chain) {
  chain_position position = chain.run;
  if (position.sealed) position.digest = line_digest(chain.last_line);
  return position;
}

std::vector<recovered_run> run_recovery::open_runs() const {
  std::vector<recovered_run> runs;
  for (const auto& [name, chain] : open_) {
    recovered_run run = chain.run;
    static_cast<chain_position&>(run) = position_of(chain);
    runs.push_back(std::move(run));
  }
  return runs;
}

std::optional<chain_position> run_recovery::host_chain() const {
  if (!host_) return std::nullopt;
  return position_of(*host_);
}

std::vector<run_end_mark> run_recovery::untold_ends() const {
  std::vector<run_end_mark> ends;
  for (const auto& [name, chain] : ended_) {
    const chain_position end = position_of(chain);
    ends.push_back({end.chain, end.next_event - 1, end.sealed ? std::string{prevdigest_text{end.digest}.view()} : ""});
  }
  for (const std::string& chain : opened_) {
    if (!open_.contains(chain) && !ended_.contains(chain)) ends.push_back({chain, 0, ""});
  }
  return ends;
}

recovered_log recover_runs(const std::filesystem::path& dir) {
  recovered_log recovered;
  std::error_code absent;
  if (!std::filesystem::exists(dir, absent)) return recovered;
  segment_reader reader{std::vector{dir}};
  run_recovery recovery;
  while (const auto line = reader.next()) recovery.take(line->text);
  if (reader.failure()) recovered.failure = reader.failure()->explanation;
  recovered.open_runs = recovery.open_runs();
  recovered.host_chain = recovery.host_chain();
  recovered.untold_ends = recovery.untold_ends();
  return recovered;
}

}  // namespace cellos
