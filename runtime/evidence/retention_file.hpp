#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "runtime/evidence/evidence_directory.hpp"
#include "runtime/evidence/removed_positions.hpp"
#include "runtime/signing/journal_mac.hpp"

namespace cellos {

/// What retention has removed so far.
struct retention_state {
  /// The oldest segment that it has left.
  std::uint64_t first_segment = 1;
  removed_positions::by_chain chains;

  bool operator==(const retention_state&) const = default;
};

/// `<evidence dir>/retention.state`, one line: the next process takes what is missing for removed by us only where this
/// file says so, and nobody without the key can write it.
class retention_file {
 public:
  static constexpr const char* file_name = "retention.state";

  /// `directory` must outlive it.
  explicit retention_file(const evidence_directory& directory) : directory_(directory) {}

  /// Nothing if there is none that is authentic under one of `macs`; null ones are passed over.
  std::optional<retention_state> read(const std::vector<journal_mac_ptr>& macs) const;
  /// Durable, and never half: the former one stays until this one is whole.
  std::error_code write(const retention_state& state, const journal_mac& mac) const;

 private:
  const evidence_directory& directory_;
};

/// The file's text.
std::string to_text(const retention_state& state, const journal_mac& mac);
std::optional<retention_state> parse_retention_state(std::string_view text, const journal_mac& mac);

}  // namespace cellos
