#include "runtime/control/look_document.hpp"

#include <chrono>
#include <string>

#include "messages/escaped_text.hpp"
#include "messages/timestamp.hpp"
#include "runtime/control/cell_document.hpp"

namespace cellos {

namespace {

using json = nlohmann::ordered_json;

/// Of an error: which source, and what was wrong with it. As much as a line of the operator's log has.
constexpr std::size_t longest_cause = 512;

/// What a reading says is JSON by its promise; what is not is left out.
json value_of(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json(nullptr) : value;
}

json to_json(const probe_look& look, monotonic_time now) {
  json out{{"probe", to_string(look.probe)}, {"age_seconds", nullptr}, {"failing", nullptr}, {"cause", nullptr},
           {"bytes", look.reading_bytes},    {"inputs", nullptr},      {"output", nullptr}};
  if (look.read_at) out["age_seconds"] = seconds_of(now - *look.read_at);
  if (look.failing) {
    out["failing"] = to_string(look.failing->kind);
    out["cause"] = escaped(look.failing->words, longest_cause);
  }
  if (look.reading) {
    out["inputs"] = value_of(look.reading->inputs);
    out["output"] = value_of(look.reading->output);
  }
  return out;
}

json to_json(const recorded_contradiction& found) {
  return {{"kind", found.kind},
          {"confidence", found.confidence},
          {"from", std::string{timestamp_text{found.from}.view()}},
          {"to", std::string{timestamp_text{found.to}.view()}},
          {"counted", found.counted},
          {"declared", found.declared},
          {"background", found.background},
          {"threshold", found.threshold},
          {"first_reading", found.first_reading},
          {"last_reading", found.last_reading}};
}

}  // namespace

void add_look(json& cell, const cell_look& look, monotonic_time now) {
  json readings = json::array();
  for (const probe_look& each : look.probes) readings.push_back(to_json(each, now));
  json last = json::array();
  for (const recorded_contradiction& each : look.last_contradictions) last.push_back(to_json(each));
  cell["readings"] = std::move(readings);
  cell["contradictions"] = {{"found", look.contradictions}, {"last", std::move(last)}};
}

}  // namespace cellos
