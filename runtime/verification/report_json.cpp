#include <nlohmann/json.hpp>

#include "runtime/verification/report_text.hpp"

namespace cellos::verification {

namespace {

using json = nlohmann::ordered_json;

json json_of(const drop_note& drop) {
  return {{"reason", drop.reason}, {"events", drop.events}, {"frames", drop.frames}, {"framesUnknown", drop.more}};
}

json json_of(const verification_report& report, const chain_report& chain) {
  json out{{"chain", chain.chain}, {"host", chain.host}};
  if (!chain.is_host()) {
    out["cell"] = chain.cell;
    out["run"] = chain.run;
  }
  out["events"] = chain.events;
  out["firstSequence"] = chain.first;
  out["lastSequence"] = chain.last;
  if (chain.sealed) out["lastDigest"] = chain.last_digest;
  out["firstTime"] = chain.first_time;
  out["lastTime"] = chain.last_time;
  out["copies"] = chain.copies;
  out["gaps"] = json::array();
  for (const auto& [first, last] : chain.gaps) out["gaps"].push_back({first, last});
  if (report.signatures_checked) {
    out["signedUntil"] = chain.signed_until;
    out["unsignedTail"] = chain.closed_by_host ? 0 : chain.unsigned_tail();
    out["signedEvents"] = chain.facts.signed_lines;
    out["keyIds"] = json::array();
    for (const verification_key* each : chain.facts.keys) out["keyIds"].push_back(each->key_id());
  }
  out["state"] = chain.state == chain_state::open ? "open" : "ended";
  if (!chain.facts.end_reason.empty()) out["endReason"] = chain.facts.end_reason;
  if (chain.is_host()) return out;
  out["closedByHost"] = chain.closed_by_host;
  out["declarations"] = chain.facts.declarations;
  out["silences"] = chain.facts.silences;
  out["resumptions"] = chain.facts.resumptions;
  out["drops"] = json::array();
  for (const drop_note& each : chain.facts.drops) out["drops"].push_back(json_of(each));
  return out;
}

json json_of(const finding& each) {
  json out{{"cause", to_string(each.cause)}};
  if (!each.chain.empty()) out["chain"] = each.chain;
  if (each.sequence > 0) out["sequence"] = each.sequence;
  if (each.line > 0) {
    out["file"] = each.file;
    out["line"] = each.line;
  }
  out["words"] = each.words;
  return out;
}

}  // namespace

std::string json_of(const verification_report& report) {
  json out{{"clean", report.clean()}, {"signaturesChecked", report.signatures_checked},
           {"files", report.files},   {"lines", report.lines},
           {"bytes", report.bytes},   {"findings", json::array()}};
  for (const finding& each : report.findings) out["findings"].push_back(json_of(each));
  out["findingsLeftOut"] = report.findings_left_out;
  out["findingsByCause"] = json::object();
  for (std::size_t i = 0; i < finding_words.size(); ++i) {
    if (report.findings_by_cause[i] > 0)
      out["findingsByCause"][std::string{finding_words[i]}] = report.findings_by_cause[i];
  }
  out["notes"] = report.notes;
  out["chains"] = json::array();
  for (const chain_report& each : report.chains) out["chains"].push_back(json_of(report, each));
  // A file's name need not be UTF-8.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::variant<earlier_ends, std::string> read_earlier_ends(std::string_view text) {
  const std::string refusal = "is no report of verify --json";
  const auto report = nlohmann::json::parse(text, nullptr, false);
  if (!report.is_object() || !report.contains("chains") || !report["chains"].is_array()) return refusal;
  earlier_ends ends;
  for (const auto& chain : report["chains"]) {
    if (!chain.is_object() || !chain.contains("chain") || !chain["chain"].is_string() ||
        !chain.contains("lastSequence") || !chain["lastSequence"].is_number_unsigned()) {
      return refusal;
    }
    const auto last = chain.find("lastDigest");
    const bool has_digest = last != chain.end() && last->is_string();
    ends[chain["chain"].get<std::string>()] = {chain["lastSequence"].get<std::uint64_t>(),
                                               has_digest ? last->get<std::string>() : std::string{}};
  }
  return ends;
}

}  // namespace cellos::verification
