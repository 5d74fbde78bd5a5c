#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/event_seal.hpp"
#include "messages/event_types.hpp"
#include "messages/segment_position.hpp"
#include "messages/signing_statement.hpp"
#include "runtime/signing/sha256.hpp"
#include "runtime/signing/verification_key.hpp"
#include "runtime/verification/finding.hpp"

namespace cellos::verification {

/// A chain whose beginning retention took, in `host.v1.evidence_removed`.
struct removal_listing {
  std::string chain;
  std::uint64_t last_sequence = 0;
  std::string last_digest;
  /// The run was open, so that it may have no line left.
  bool open = false;
  /// What the chain's first event said of its signatures, where that one was removed.
  std::optional<signing_statement> signing{};
};

/// `host.v1.witnessed`: a collector had the line that ends there.
struct witness_statement {
  std::string host;
  std::string log_id;
  std::uint32_t fork = 0;
  segment_position at;
  /// Hexadecimal; SHA-256 of the line with its newline.
  std::string line_hash;
  /// The same of all bytes of the segment from `from` on; empty where the collector did not say.
  std::uint64_t from = 0;
  std::string bytes_hash{};
};

/// What an event's `data` says, of the kinds where it matters.
struct event_facts {
  /// A guest's own declaration that it dropped telemetry has the same type as the host's word on it.
  bool declared = false;
  /// telemetry_dropped and run_ended.
  std::string reason{};
  /// telemetry_dropped; nothing where nobody can know.
  std::optional<std::uint64_t> frames{};
  /// run_ended: declarations in the log.
  std::optional<std::uint64_t> appended{};
  /// host_run_opened, host_run_closed.
  std::string chain{};
  std::optional<std::uint64_t> last_sequence{};
  std::string last_digest{};
  /// run_started, run_resumed, host_started; nothing in logs of a version that did not say.
  std::optional<signing_statement> signing{};
  /// run_adopted, host_range_adopted.
  std::optional<std::uint64_t> adopted_from{};
  std::optional<std::uint64_t> adopted_to{};
  /// host_chain_abandoned, host_journal_unusable.
  std::string cause{};
  /// host_started that follows another chain of the host.
  std::string former_chain{};
  std::optional<std::uint64_t> former_sequence{};
  std::string former_digest{};
  /// host_evidence_removed.
  std::vector<removal_listing> removed{};
  std::optional<std::uint64_t> last_segment{};
  /// host_witnessed.
  std::optional<witness_statement> witnessed{};
};

struct line_fault {
  finding_cause cause;
  std::string words;
};

/// What one line is, checked by itself. Its texts live as long as the line and the verifier's block.
struct line_result {
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
  /// Nothing of a type that we do not know.
  std::optional<event_type> type;
  /// A guest's word. Of a type that guests declare, where the host does not write the same one.
  bool is_declaration = false;
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
