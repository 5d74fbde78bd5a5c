#include "runtime/control/probe_metrics.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace cellos {

namespace {

std::string name_of(std::size_t probe) { return std::string{short_name(static_cast<host_probe>(probe))}; }

void write_errors(exposition& out, const probe_runner::counts& counted) {
  out.counters("probe_errors_total", "Readings that failed, by probe and kind.");
  for (std::size_t probe = 0; probe < counted.by_probe.size(); ++probe) {
    for (std::size_t kind = 0; kind < probe_error_names.size(); ++kind) {
      out.counted({{"probe", name_of(probe)}, {"kind", std::string{probe_error_names[kind]}}},
                  counted.by_probe[probe].errors[kind]);
    }
  }
}

}  // namespace

void write_probe_metrics(exposition& out, const probe_runner::counts& counted, const host_counts& cells,
                         const event_counts& seen) {
  out.counters("probe_readings_total", "Readings of cells by the host itself, by probe.");
  for (std::size_t probe = 0; probe < counted.by_probe.size(); ++probe) {
    out.counted({{"probe", name_of(probe)}}, counted.by_probe[probe].readings);
  }
  write_errors(out, counted);
  out.counters("probe_read_seconds_total", "How long readings took, by probe.");
  for (std::size_t probe = 0; probe < counted.by_probe.size(); ++probe) {
    out.counted_seconds({{"probe", name_of(probe)}},
                        std::chrono::duration<double>(counted.by_probe[probe].reading_time).count());
  }
  out.counter("probe_readings_missed_total", "Readings that did not happen because the one before was late.",
              counted.missed);
  out.gauge("probe_readers_hung", "Threads in a reading whose time is over.", static_cast<double>(counted.hanging));
  out.counter("probes_failed_total", "Sources that began to fail, or to fail in another way.", seen.probes_failed);
  out.counter("privileged_reader_starts_total", "Starts of the process that has the probes' capabilities.",
              seen.privileged_readers_started);
  out.counter("privileged_reader_failures_total", "How often that process began not to answer.",
              seen.privileged_readers_failed);
  out.counters("contradictions_total", "Contradictions between what cells declared and what the host read, by type.");
  out.counted({{"type", "declaration_unwitnessed"}}, seen.declarations_unwitnessed);
  out.counted({{"type", "undeclared_activity"}}, seen.undeclared_activities);
  std::array<std::uint64_t, 2> vmms{};
  for (const cell_on_board& cell : cells.cells) {
    if (cell.counts.vmm) ++vmms[*cell.counts.vmm == vmm_state::alive ? 0 : 1];
  }
  out.gauges("vmms", "VMMs that connected their cell's socket, by how they were seen last.");
  out.gauged({{"state", "alive"}}, static_cast<double>(vmms[0]));
  out.gauged({{"state", "ended"}}, static_cast<double>(vmms[1]));
}

}  // namespace cellos
