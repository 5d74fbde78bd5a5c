#pragma once

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cellos {

/// What every name but the usual `process_` ones begins with.
inline constexpr const char* metric_prefix = "cellos_telemetry_";

/// Families of metrics in the order they are written.
class exposition {
 public:
  using labels = std::vector<prometheus::ClientMetric::Label>;

  void counter(const char* name, const char* help, std::uint64_t value) {
    begin(std::string{metric_prefix} + name, help, prometheus::MetricType::Counter);
    counted({}, value);
  }
  void gauge(const char* name, const char* help, double value) {
    begin(std::string{metric_prefix} + name, help, prometheus::MetricType::Gauge);
    gauged({}, value);
  }
  /// Families of which each series has labels; there may be none.
  void counters(const char* name, const char* help) {
    begin(std::string{metric_prefix} + name, help, prometheus::MetricType::Counter);
  }
  void gauges(const char* name, const char* help) {
    begin(std::string{metric_prefix} + name, help, prometheus::MetricType::Gauge);
  }
  void begin(std::string name, const char* help, prometheus::MetricType type) {
    families_.push_back({std::move(name), help, type, {}});
  }
  /// One more series of the family that was begun.
  void counted(labels whose, std::uint64_t value) { add(std::move(whose)).counter.value = static_cast<double>(value); }
  void counted_seconds(double value) { add({}).counter.value = value; }
  void counted_seconds(labels whose, double value) { add(std::move(whose)).counter.value = value; }
  void gauged(labels whose, double value) { add(std::move(whose)).gauge.value = value; }
  void observed(prometheus::ClientMetric histogram) { families_.back().metric.push_back(std::move(histogram)); }

  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  prometheus::ClientMetric& add(labels whose) {
    prometheus::ClientMetric& series = families_.back().metric.emplace_back();
    series.label = std::move(whose);
    return series;
  }

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace cellos
