#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/sha256.hpp"
#include "runtime/signing/verification_key.hpp"
#include "runtime/verification/event_facts.hpp"
#include "runtime/verification/event_kinds.hpp"
#include "runtime/verification/finding.hpp"

namespace cellos::verification {

struct line_fault {
  finding_cause cause;
  std::string words;
};

/// What one line is, judged by itself. Its texts live as long as the line and the judge's block.
struct line_verdict {
  /// Empty: the line has no place in any chain, and `faults` says why.
  std::string_view chain;
  std::uint64_t sequence = 0;
  std::string_view time;
  digest material{};
  /// As the line says; of use if `sealed`.
  digest prevdigest{};
  bool sealed = false;
  /// Ought to be signed by its kind, and is not.
  bool signature_absent = false;
  /// Carries a signature, good or not.
  bool has_signature = false;
  event_kind kind = event_kind::other;
  /// The keys whose signatures on it are good: the same twice, or where the key changes the former and the new one.
  /// Null where no good signature is.
  const verification_key* from_key = nullptr;
  const verification_key* to_key = nullptr;
  /// Null for most.
  std::unique_ptr<event_facts> facts;
  std::vector<line_fault> faults;

  bool is_signed() const { return to_key != nullptr; }
};

}  // namespace cellos::verification
