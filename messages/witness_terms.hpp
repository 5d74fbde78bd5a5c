#pragma once

#include <cstdint>
#include <optional>

namespace cellos {

/// By what declarations and readings of a run are compared, where somebody configured it: on record where its chain
/// begins, so that whoever has the chain comes to the same results. Nothing: as docs/probes.md has it.
struct witness_terms {
  /// Beyond what is background and what was declared, to be reported: attempts to connect that the cell's counter
  /// counted, packets of its tap. At least 1; a quarter of it, rounded up, where it goes on.
  std::optional<std::uint64_t> attempts_threshold{};
  std::optional<std::uint64_t> packets_threshold{};
  /// What each counts in a window without the cell's doing, instead of learning it.
  std::optional<std::uint64_t> attempts_background{};
  std::optional<std::uint64_t> packets_background{};
  /// Declared connections of a window without any traffic, to be reported.
  std::optional<std::uint64_t> declarations_threshold{};

  bool operator==(const witness_terms&) const = default;
};

/// Of one cell: what it does not say is as its host says.
constexpr witness_terms terms_of(const witness_terms& cell, const witness_terms& host) {
  const auto either = [](const std::optional<std::uint64_t>& own, const std::optional<std::uint64_t>& other) {
    return own ? own : other;
  };
  return {either(cell.attempts_threshold, host.attempts_threshold),
          either(cell.packets_threshold, host.packets_threshold),
          either(cell.attempts_background, host.attempts_background),
          either(cell.packets_background, host.packets_background),
          either(cell.declarations_threshold, host.declarations_threshold)};
}

}  // namespace cellos
