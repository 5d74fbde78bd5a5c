#include "tests/bench/support/ingest_report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>

namespace cellos::bench {

namespace {

/// `median (least..most)`
std::string spread_of(std::vector<double> values, int decimals) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return fmt::format("{:.{}f} ({:.{}f}..{:.{}f})", median, decimals, values.front(), decimals, values.back(), decimals);
}

template <class Figure>
std::string spread_of(const series& of, int decimals, Figure figure) {
  std::vector<double> values;
  values.reserve(of.rounds.size());
  for (const sample& round : of.rounds) values.push_back(figure(round));
  return spread_of(std::move(values), decimals);
}

template <class Figure>
std::string ratios_of(const series& of, const series& limit, Figure figure) {
  if (&of == &limit) return "1";
  std::vector<double> values;
  values.reserve(of.rounds.size());
  for (std::size_t i = 0; i < of.rounds.size(); ++i) values.push_back(figure(of.rounds[i]) / figure(limit.rounds[i]));
  return spread_of(std::move(values), 2);
}

std::string row_of(const comparison& compared, const series& of) {
  const auto rate = [](const sample& round) { return round.frames_per_second / 1e6; };
  const auto cpu = [](const sample& round) { return round.cpu_ns_per_frame; };
  const auto memory = [](const sample& round) { return round.peak_resident_mb; };
  const series& limit = compared.receivers.front();
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", compared.what.cells, of.who.name, spread_of(of, 2, rate),
                     spread_of(of, 0, cpu), spread_of(of, 0, memory), ratios_of(of, limit, rate),
                     ratios_of(of, limit, cpu));
}

std::string processor() {
  std::ifstream cpuinfo{"/proc/cpuinfo"};
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace

std::string table_of(const std::vector<comparison>& comparisons) {
  std::string table =
      "| cells | receiver | frames/s, millions | CPU, ns a frame | peak memory, MB | frames/s : loop | CPU : loop |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const comparison& compared : comparisons) {
    for (const series& each : compared.receivers) table += row_of(compared, each);
  }
  return table;
}

std::string this_machine() {
  utsname kernel{};
  ::uname(&kernel);
  std::array<double, 1> load{};
  ::getloadavg(load.data(), static_cast<int>(load.size()));
  return fmt::format("{} cores, {}, {} {}, load average {:.2f}, {:%Y-%m-%d %H:%M} UTC",
                     std::thread::hardware_concurrency(), processor(), kernel.sysname, kernel.release, load.front(),
                     fmt::gmtime(std::time(nullptr)));
}

}  // namespace cellos::bench
