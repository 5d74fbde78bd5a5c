#pragma once

#include <cstdint>
#include <string_view>

namespace cellos::verification {

/// Events whose meaning is known here.
enum class event_kind : std::uint8_t {
  other,
  declaration,
  agent_silenced,
  agent_resumed,
  telemetry_dropped,
  run_started,
  run_resumed,
  run_checkpoint,
  run_key_changed,
  run_ended,
  run_adopted,
  host_started,
  host_stopped,
  host_key_changed,
  host_run_opened,
  host_run_closed,
  host_range_adopted,
  host_chain_abandoned,
  host_evidence_lost,
  host_evidence_removed,
  host_evidence_truncated,
  host_journal_unusable,
  host_segments_missing,
  host_line_not_understood,
  host_other,
};

/// By the CloudEvent's `type`.
event_kind kind_of(std::string_view type);

/// Signed in every mode that has a key.
bool is_always_signed(event_kind kind);

/// Whether what its `data` says matters here.
bool has_facts(event_kind kind);

}  // namespace cellos::verification
