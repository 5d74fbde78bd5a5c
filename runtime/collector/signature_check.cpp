#include "runtime/collector/signature_check.hpp"

#include "messages/escaped_text.hpp"

namespace cellos {

std::optional<std::string> signature_check::refuse(std::string_view lines) {
  verifier_.begin_block();
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (auto refusal = refuse_line(lines.substr(0, end))) return refusal;
    if (end == std::string_view::npos) break;
    lines.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::optional<std::string> signature_check::refuse_line(std::string_view line) {
  const auto result = verifier_.verify(line);
  if (!result.faults.empty()) return result.faults.front().words;
  if (!result.sealed) return "has no digests";
  if (result.signature_absent) return "has no signature, where its kind always has one";
  if (chains_.size() >= most_chains) chains_.clear();
  link& last = chains_[std::string{result.chain}];
  // Lines may come again, and a chain may go on behind a gap: what comes then begins anew.
  if (last.sequence + 1 == result.sequence && last.sequence != 0 && result.prevdigest != last.material) {
    return "does not follow sequence " + std::to_string(last.sequence) + " of its chain " + escaped(result.chain, 512);
  }
  last = {result.sequence, result.material};
  return std::nullopt;
}

}  // namespace cellos
