#include "runtime/cli/metrics_text.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace cellos::cli {

std::vector<metric_sample> samples_of(std::string_view text) {
  constexpr std::string_view prefix = "cellos_telemetry_";
  std::vector<metric_sample> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    // A label's value may hold spaces; what follows the series does not.
    const auto space = line.rfind(' ');
    if (!line.starts_with(prefix) || space == std::string_view::npos) continue;
    const std::string value{line.substr(space + 1)};
    out.push_back(
        {std::string{line.substr(prefix.size(), space - prefix.size())}, std::strtod(value.c_str(), nullptr)});
  }
  return out;
}

double value_of(const std::vector<metric_sample>& samples, std::string_view series) {
  for (const metric_sample& each : samples) {
    if (each.series == series) return each.value;
  }
  return 0;
}

double sum_of(const std::vector<metric_sample>& samples, std::string_view beginning) {
  double sum = 0;
  for (const metric_sample& each : samples) {
    if (each.series.starts_with(beginning)) sum += each.value;
  }
  return sum;
}

std::string bytes_text(double bytes) {
  constexpr const char* units[]{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

}  // namespace cellos::cli
