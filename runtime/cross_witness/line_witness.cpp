#include "runtime/cross_witness/line_witness.hpp"

#include <utility>

namespace cellos {

namespace {

cross_witness_settings with(const witness_terms& terms, cross_witness_settings settings) {
  apply(terms, settings);
  return settings;
}

}  // namespace

line_witness::line_witness(const cross_witness_settings& settings, const witness_terms& terms, listener hears)
    : settings_(with(terms, settings)), terms_(terms), hears_(std::move(hears)), witness_(settings_) {}

recorded_contradiction as_recorded(const found_contradiction& found, std::chrono::nanoseconds window) {
  recorded_contradiction out;
  out.of_declaration = found.kind == contradiction::declaration_unwitnessed;
  out.kind = to_string(found.kind);
  out.confidence = to_string(found.how);
  out.window = found.window;
  out.window_ns = static_cast<std::uint64_t>(window.count());
  out.from = found.from;
  out.to = found.to;
  out.first_reading = found.first_reading;
  out.last_reading = found.last_reading;
  out.counted = found.counted;
  out.declared = found.declared;
  out.background = found.background;
  out.threshold = found.threshold;
  return out;
}

run_witness::found line_witness::take(const witness_line& line) {
  found out;
  for (const found_contradiction& each : witness_.take(line).contradictions) {
    out.push_back(as_recorded(each, settings_.window));
    if (hears_) hears_(out.back());
  }
  return out;
}

run_witness::found line_witness::declared(std::uint64_t sequence, wall_time at, probe_source source,
                                          std::uint32_t guest_pid) {
  if (source == probe_source::telemetry_dropped) return lost(sequence, at);
  return take({sequence, at, witnessed::declaration{source, guest_pid}});
}

run_witness::found line_witness::read(std::uint64_t sequence, wall_time at, const probe_reading& reading) {
  const auto line = reader_.read(sequence, at, reading);
  return line ? take(*line) : found{};
}

run_witness::found line_witness::silenced(std::uint64_t sequence, wall_time at, std::chrono::nanoseconds silent_for) {
  return take({sequence, at, witnessed::silence{silent_for}});
}

run_witness::found line_witness::resumed(std::uint64_t sequence, wall_time at) {
  return take({sequence, at, witnessed::resumption{}});
}

run_witness::found line_witness::lost(std::uint64_t sequence, wall_time at) {
  return take({sequence, at, witnessed::loss{}});
}

run_witness::found line_witness::restarted(std::uint64_t sequence, wall_time at) {
  return take({sequence, at, witnessed::restart{}});
}

}  // namespace cellos
