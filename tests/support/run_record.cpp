#include "tests/support/run_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "messages/cloud_event.hpp"

namespace cellos::test {

namespace {

constexpr std::size_t most_faults = 10;

std::uint64_t number_of(const nlohmann::json& decimal) { return std::stoull(decimal.get<std::string>()); }

refusal_counts refusals_of(const nlohmann::json& by_kind) {
  refusal_counts counts;
  for (const telemetry_errc kind : refusal_kinds) counts.add(kind, number_of(by_kind.at(to_string(kind))));
  return counts;
}

nlohmann::json data_of(const event& of) { return nlohmann::json::parse(of.line).at("data"); }

void take_loss(run_record& record, const event& loss) {
  const nlohmann::json data = data_of(loss);
  if (loss.reason == to_string(loss_reason::guest_queue_full)) {
    record.dropped_by_guest_reported += number_of(data.at("frames"));
  } else if (loss.reason == to_string(loss_reason::sequence_gap)) {
    record.missing_seq_reported += number_of(data.at("frames"));
  } else if (loss.reason == to_string(loss_reason::frames_refused)) {
    const refusal_counts refused = refusals_of(data.at("refused"));
    record.refused_reported += refused;
    if (refused.total() != number_of(data.at("frames"))) {
      record.faults.push_back(loss.id + ": frames is not the sum of refused");
    }
  } else {
    record.faults.push_back(loss.id + ": lost by " + loss.reason);
  }
}

std::string spelled(const event& of) { return of.id + " (" + of.type + ")"; }

}  // namespace

run_records::run_records(const std::filesystem::path& evidence_dir, const std::vector<cell_settings>& cells) {
  for (const cell_settings& cell : cells) records_.emplace(cell.id, run{cell, {}, {}});
  visit_events(evidence_dir, [this](const event& next) { take(next); });
  for (const auto& [id, of] : records_) {
    if (!of.record.totals) complain(nullptr, "the run of " + id + " did not end");
    for (const std::string& fault : of.record.faults) complain(nullptr, fault);
  }
}

void run_records::take(const event& next) {
  const auto found = records_.find(next.cell_id);
  if (found == records_.end()) return complain(nullptr, spelled(next) + " belongs to no cell");
  run& of = found->second;
  run_record& record = of.record;
  ++record.events;
  if (record.totals) complain(&record, spelled(next) + " follows the end of its run");
  if (next.sequence != record.events) complain(&record, spelled(next) + " breaks the sequence");
  if (record.events == 1) of.chain = next.chain;
  if ((record.events == 1) != (next.type == name_of(event_type::run_started))) {
    complain(&record, spelled(next) + " is not where a run starts");
  }
  check_attribution(of, next);
  if (next.is_declaration()) {
    ++record.declarations;
    if (next.guest_monotonic_ns != record.declarations) complain(&record, spelled(next) + " is out of order");
  } else if (next.type == name_of(event_type::telemetry_dropped)) {
    take_loss(record, next);
  } else if (next.type == name_of(event_type::agent_silenced)) {
    ++record.silences;
  } else if (next.type == name_of(event_type::agent_resumed)) {
    ++record.resumptions;
  } else if (next.type == name_of(event_type::run_ended)) {
    take_end(of, next);
  }
}

void run_records::check_attribution(const run& of, const event& next) {
  const cell_settings& cell = of.cell;
  const bool own = next.chain == of.chain && next.run_id == cell.run_id() &&
                   next.spec_signature_hash == cell.spec_signature_hash() &&
                   next.subject == "urn:cellos:cell:" + cell.id &&
                   next.source == "/cellos/host/" + std::string{daemon_home::host_id};
  if (!own) complain(&records_.at(cell.id).record, spelled(next) + " is not attributed to its cell");
}

void run_records::take_end(run& of, const event& next) {
  const nlohmann::json reported = data_of(next).at("totals");
  run_totals totals;
  totals.received = number_of(reported.at("received"));
  totals.appended = number_of(reported.at("appended"));
  totals.heartbeats = number_of(reported.at("heartbeats"));
  totals.refused = refusals_of(reported.at("refused"));
  totals.quarantined = number_of(reported.at("quarantined"));
  totals.forged_attribution = number_of(reported.at("forgedAttribution"));
  totals.connections = number_of(reported.at("connections"));
  of.record.in_flight_reported = number_of(reported.at("inFlight"));
  of.record.totals = totals;
}

void run_records::complain(run_record* about, std::string what) {
  std::vector<std::string>& faults = about == nullptr ? faults_ : about->faults;
  if (faults.size() < most_faults) faults.push_back(std::move(what));
}

std::vector<std::string> differences(const run_record& logged, const sent_report& sent) {
  std::vector<std::string> found;
  const auto compare = [&](const std::string& what, std::uint64_t in_log, std::uint64_t by_guest) {
    if (in_log == by_guest) return;
    found.push_back(what + ": " + std::to_string(in_log) + " in the log, " + std::to_string(by_guest) + " sent");
  };
  const run_totals totals = logged.totals.value_or(run_totals{});
  compare("declarations", logged.declarations, sent.declarations);
  compare("totals.appended", totals.appended, sent.declarations);
  compare("totals.received", totals.received, sent.frames);
  compare("totals.heartbeats", totals.heartbeats, sent.heartbeats);
  compare("totals.forgedAttribution", totals.forged_attribution, sent.forged_attribution);
  compare("totals.connections", totals.connections, sent.connections);
  compare("totals.quarantined", totals.quarantined, 0);
  compare("totals.inFlight", logged.in_flight_reported, 0);
  compare("totals, what does not add up", totals.received - totals.settled(), 0);
  compare("sequence_gap", logged.missing_seq_reported, sent.missing_seq);
  compare("guest_queue_full", logged.dropped_by_guest_reported, sent.dropped_by_guest);
  for (const telemetry_errc kind : refusal_kinds) {
    const std::string name{to_string(kind)};
    compare("totals.refused." + name, totals.refused[kind], sent.refused[kind]);
    compare("frames_refused " + name, logged.refused_reported[kind], sent.refused[kind]);
  }
  return found;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace cellos::test
