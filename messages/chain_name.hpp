#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cellos {

/// The name of a chain, which says whose events it holds: `HOST/CELL/RUN/EPOCH`, or `HOST/EPOCH` of the host's own.
/// The epoch distinguishes chains of the same run, or of the same host.
struct chain_name {
  std::string_view host;
  // Both empty in the host's own chain.
  std::string_view cell;
  std::string_view run;
  /// Digits.
  std::string_view epoch;

  bool is_host() const { return cell.empty(); }
  /// Nothing where the epoch is no 64-bit number.
  std::optional<std::uint64_t> epoch_number() const;

  /// What events of the chain have as `source` and `subject`.
  std::string source() const;
  std::string subject() const;

  bool operator==(const chain_name&) const = default;
};

/// What subjects of a cell's events begin with; the cell follows.
inline constexpr std::string_view cell_subject_begin = "urn:cellos:cell:";

/// Views into `text`. Nothing if it is no chain's name: our ids are plain, and whoever made a log may have put anything
/// there.
std::optional<chain_name> parse_chain_name(std::string_view text);

std::string run_chain_name(std::string_view host, std::string_view cell, std::string_view run, std::uint64_t epoch);
std::string host_chain_name(std::string_view host, std::uint64_t epoch);

// Of events whose chain's name need not be parsed.
std::string event_source(std::string_view host);
std::string cell_subject(std::string_view cell);
std::string host_subject(std::string_view host);

}  // namespace cellos
