#pragma once

#include <optional>
#include <string_view>

namespace cellos::verification {

/// What a chain's name says: `HOST/CELL/RUN/EPOCH`, or `HOST/EPOCH` of the host's own.
struct chain_identity {
  std::string_view host;
  /// Both empty in the host's own chain.
  std::string_view cell;
  std::string_view run;
  std::string_view epoch;

  bool is_host() const { return cell.empty(); }
};

/// Views into `chain`. Nothing if it is no such name.
std::optional<chain_identity> identify_chain(std::string_view chain);

}  // namespace cellos::verification
