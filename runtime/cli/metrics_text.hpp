#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cellos::cli {

/// One sample of Prometheus' text form.
struct metric_sample {
  /// With its labels as written, without the prefix `cellos_telemetry_`: `cells{state="silenced"}`.
  std::string series;
  double value = 0;
};

/// Comments and lines that are no samples are left out.
std::vector<metric_sample> samples_of(std::string_view text);

/// 0 if there is no such series.
double value_of(const std::vector<metric_sample>& samples, std::string_view series);
/// Of all series that begin so.
double sum_of(const std::vector<metric_sample>& samples, std::string_view beginning);

/// 1536 -> "1.5 KiB".
std::string bytes_text(double bytes);

}  // namespace cellos::cli
