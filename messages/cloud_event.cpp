#include "messages/cloud_event.hpp"

#include <stdexcept>
#include <utility>

#include "messages/authority.hpp"
#include "messages/chain_name.hpp"
#include "messages/json_text.hpp"
#include "messages/wire_format.hpp"

namespace cellos {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

auto refusals(const refusal_counts& refused) {
  return [&refused](std::string& out) {
    json::object_writer kinds{out};
    kinds.count("framing_lost", refused[telemetry_errc::framing_lost]);
    kinds.count("malformed_frame", refused[telemetry_errc::malformed_frame]);
    kinds.count("over_quota", refused[telemetry_errc::over_quota]);
    kinds.count("torn_frame", refused[telemetry_errc::torn_frame]);
    kinds.count("unknown_probe_source", refused[telemetry_errc::unknown_probe_source]);
    kinds.count("unsupported_version", refused[telemetry_errc::unsupported_version]);
  };
}

auto terms_in(const witness_terms& terms) {
  return [&terms](std::string& out) {
    json::object_writer members{out};
    const auto add = [&members](std::string_view name, const std::optional<std::uint64_t>& value) {
      if (value) members.count(name, *value);
    };
    add("attemptsBackground", terms.attempts_background);
    add("attemptsThreshold", terms.attempts_threshold);
    add("declarationsThreshold", terms.declarations_threshold);
    add("packetsBackground", terms.packets_background);
    add("packetsThreshold", terms.packets_threshold);
  };
}

std::uint64_t count_of(std::chrono::nanoseconds duration) { return static_cast<std::uint64_t>(duration.count()); }

[[noreturn]] void refuse_foreign_declaration() {
  throw std::invalid_argument{"a declaration is not attributed to the run whose event it is to be"};
}

}  // namespace

run_projection::run_projection(host_stamp_ptr attribution, chain_position at, const event_sealing_ptr& sealing)
    : attribution_(std::move(attribution)),
      chain_(std::move(at), event_source(attribution_->host_id), cell_subject(attribution_->cell_id), sealing) {
  const host_stamp& who = *attribution_;
  declaration_data_ = R"({"cellId":)" + quoted(who.cell_id) + R"(,"guestComm":)";
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    std::string output;
    append_output(output, declared_by_guest);
    declaration_tails_[i] = R"(","output":)" + output + R"(,"probeSource":)" + quoted(probe_source_names[i]) +
                            R"(,"runId":)" + quoted(who.run_id) + R"(,"specSignatureHash":)" +
                            quoted(who.spec_signature_hash) + "}";
  }
}

void run_projection::begin(std::string& out, wall_time now) {
  chain_.begin([&](const std::string& former_key_id) { key_changed(out, now, former_key_id); });
}

void run_projection::declaration(std::string& out, const stamped_declaration& declaration) {
  if (!is_attributed(declaration.attribution())) refuse_foreign_declaration();
  if (received_.time() != declaration.host_received_at()) received_ = timestamp_text{declaration.host_received_at()};
  const guest_declaration& declared = declaration.declared();
  chain_.event(out, received_.view(), type_of(declared.source), [&](std::string& to) {
    to += declaration_data_;
    json::append_string(to, declared.guest_comm);
    to += R"(,"guestMonotonicNs":")";
    json::append_decimal(to, declared.guest_monotonic_ns);
    to += R"(","guestPid":)";
    json::append_decimal(to, declared.guest_pid);
    to += R"(,"hostReceivedAt":")";
    to += received_.view();
    to += declaration_tails_[static_cast<std::size_t>(declared.source)];
  });
  if (chain_.is_checkpoint_due()) run_checkpoint(out, received_.time());
}

template <class WriteMembers>
void run_projection::event(std::string& out, wall_time time, event_type type, WriteMembers&& members) {
  chain_.event(out, time, type, json::object_of(members));
  if (chain_.is_checkpoint_due()) run_checkpoint(out, time);
}

void run_projection::run_started(std::string& out, wall_time now, const run_opening& opening) {
  opened(out, now, event_type::run_started, opening);
}

void run_projection::run_resumed(std::string& out, wall_time now, const run_opening& opening) {
  opened(out, now, event_type::run_resumed, opening);
}

void run_projection::opened(std::string& out, wall_time now, event_type type, const run_opening& opening) {
  event(out, now, type, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.text("daemonVersion", opening.daemon_version);
    data.text("hostId", attribution_->host_id);
    if (const auto& sealing = chain_.sealing(); sealing && !sealing->key_id().empty())
      data.text("keyId", sealing->key_id());
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.member("signing", [this](std::string& to) { append_statement(to, statement_of(chain_.sealing())); });
    data.count("silenceWindowNs", count_of(opening.silence_window));
    data.text("specSignatureHash", attribution_->spec_signature_hash);
    data.number("wireContentVersionMajor", wire::wire_content_version_major);
    if (!opening.witness) return;
    const witness_terms terms = opening.witness->terms();
    if (terms != witness_terms{}) data.member("witnessTerms", terms_in(terms));
    data.count("witnessWindowNs", count_of(opening.witness->window()));
  });
}

void run_projection::run_checkpoint(std::string& out, wall_time now) {
  event(out, now, event_type::run_checkpoint, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::key_changed(std::string& out, wall_time now, std::string_view former_key_id) {
  const auto members = [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.text("formerKeyId", former_key_id);
    data.text("keyId", chain_.sealing()->key_id());
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  };
  chain_.key_change(out, now, event_type::run_key_changed, former_key_id, json::object_of(members));
}

void run_projection::run_adopted(std::string& out, wall_time now, const adopted_range& range) {
  event(out, now, event_type::run_adopted, [&](json::object_writer& data) {
    data.count("adoptedFrom", range.from);
    data.count("adoptedTo", range.to.sequence);
    data.text("cellId", attribution_->cell_id);
    if (!range.to.digest.empty()) data.text("digest", range.to.digest);
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::run_ended(std::string& out, wall_time now, run_end_reason reason, const run_totals& totals) {
  event(out, now, event_type::run_ended, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.member("output", output_of(observed_by_host));
    data.text("reason", to_string(reason));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
    data.member("totals", [&](std::string& to) {
      json::object_writer counts{to};
      counts.count("appended", totals.appended);
      counts.count("connections", totals.connections);
      counts.count("forgedAttribution", totals.forged_attribution);
      counts.count("heartbeats", totals.heartbeats);
      counts.count("inFlight", totals.in_flight());
      counts.count("quarantined", totals.quarantined);
      counts.count("received", totals.received);
      counts.member("refused", refusals(totals.refused));
    });
  });
}

void run_projection::agent_silenced(std::string& out, wall_time now, const cellos::agent_silenced& silence) {
  event(out, now, event_type::agent_silenced, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    if (!silence.seen.is_empty()) {
      data.member("hostSaw", [&](std::string& to) { append_sighting(to, silence.seen, silence.observed); });
    }
    data.member("output", output_of(observed_absence));
    data.text("runId", attribution_->run_id);
    data.count("silenceWindowNs", count_of(silence.window));
    data.count("silentForNs", count_of(silence.observed - silence.last_accepted));
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::agent_resumed(std::string& out, wall_time received) {
  event(out, received, event_type::agent_resumed, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::host_reading(std::string& out, wall_time now, const probe_reading& reading) {
  const wall_time at = reading.host_received_at.value_or(now);
  event(out, at, type_of(reading.probe_source), [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.text("hostReceivedAt", timestamp_text{at}.view());
    data.member("output", output_of(observed_by_host));
    data.member("reading", [&](std::string& to) { append_reading(to, reading); });
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::contradiction(std::string& out, wall_time now, const recorded_contradiction& found) {
  const event_type type = found.of_declaration ? event_type::declaration_unwitnessed : event_type::undeclared_activity;
  event(out, now, type, [&](json::object_writer& data) {
    data.count("background", found.background);
    data.text("cellId", attribution_->cell_id);
    data.text("confidence", found.confidence);
    data.count("counted", found.counted);
    data.count("declared", found.declared);
    data.count("firstReading", found.first_reading);
    data.text("from", timestamp_text{found.from}.view());
    data.text("kind", found.kind);
    data.count("lastReading", found.last_reading);
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
    data.count("threshold", found.threshold);
    data.text("to", timestamp_text{found.to}.view());
    data.count("window", static_cast<std::uint64_t>(found.window));
    data.count("windowNs", found.window_ns);
  });
}

void run_projection::telemetry_dropped(std::string& out, wall_time now, const telemetry_loss& loss) {
  event(out, now, event_type::telemetry_dropped, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    if (loss.frames) data.count("frames", *loss.frames);
    data.member("output", output_of(observed_by_host));
    if (loss.reason == loss_reason::quarantined) data.text("quarantineFile", loss.file);
    data.text("reason", to_string(loss.reason));
    if (loss.reason == loss_reason::frames_refused) data.member("refused", refusals(loss.refused));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

}  // namespace cellos
