#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cellos::verification {

/// How a chain says it is vouched for, in `signing`.
struct stated_signing {
  enum class kind : std::uint8_t { off, digest, event, checkpoint };
  kind mode = kind::off;
  /// Of `checkpoint`: unsigned events in a row at most.
  std::uint64_t events = 0;
};

/// A chain whose beginning retention took, in `host.v1.evidence_removed`.
struct removed_chain {
  std::string chain;
  std::uint64_t last_sequence = 0;
  std::string last_digest;
  /// The run was open, so that it may have no line left.
  bool open = false;
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
  /// host_run_opened, host_run_closed, host_range_adopted, host_chain_abandoned, host_evidence_lost.
  std::string chain{};
  std::optional<std::uint64_t> last_sequence{};
  std::string last_digest{};
  /// run_started, run_resumed, host_started; nothing in logs of a version that did not say.
  std::optional<stated_signing> signing{};
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
  std::vector<removed_chain> removed{};
  /// run_key_changed, host_key_changed.
  std::string former_key_id{};
  std::string key_id{};
};

/// Reads `data`. One reader is for one thread.
class facts_reader {
 public:
  facts_reader();
  facts_reader(const facts_reader&) = delete;
  facts_reader& operator=(const facts_reader&) = delete;
  ~facts_reader();

  /// Null if `data` is no object.
  std::unique_ptr<event_facts> read(std::string_view data);

 private:
  struct workings;
  std::unique_ptr<workings> workings_;
};

}  // namespace cellos::verification
