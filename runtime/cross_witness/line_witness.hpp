#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "messages/run_witness.hpp"
#include "runtime/cross_witness/cross_witness.hpp"
#include "runtime/cross_witness/witness_line_reader.hpp"

namespace cellos {

/// A cross_witness of what the daemon is writing: takes the lines as they are made, and what `telemetryctl witness`
/// reads of them later is the same.
class line_witness final : public run_witness {
 public:
  /// Hears of what is found, before it is on record; does not wait.
  using listener = std::function<void(const recorded_contradiction&)>;

  /// `terms`: what of `settings` is configured; applied to them.
  explicit line_witness(const cross_witness_settings& settings, const witness_terms& terms = {}, listener hears = {});

  std::chrono::nanoseconds window() const override { return settings_.window; }
  witness_terms terms() const override { return terms_; }
  found declared(std::uint64_t sequence, wall_time at, probe_source source, std::uint32_t guest_pid) override;
  found read(std::uint64_t sequence, wall_time at, const probe_reading& reading) override;
  found silenced(std::uint64_t sequence, wall_time at, std::chrono::nanoseconds silent_for) override;
  found resumed(std::uint64_t sequence, wall_time at) override;
  found lost(std::uint64_t sequence, wall_time at) override;
  found restarted(std::uint64_t sequence, wall_time at) override;

 private:
  found take(const witness_line& line);

  cross_witness_settings settings_;
  const witness_terms terms_;
  const listener hears_;
  cross_witness witness_;
  witness_line_reader reader_;
};

/// As it is put on record.
recorded_contradiction as_recorded(const found_contradiction& found, std::chrono::nanoseconds window);

}  // namespace cellos
