#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/event_types.hpp"

namespace cellos::test {

/// One line of the log, as far as tests look at it.
struct event {
  std::string id;
  std::string source;
  /// Without the prefix that all have.
  std::string type;
  std::string subject;
  std::string time;
  std::string chain;
  std::uint64_t sequence = 0;

  // From `data`; empty or 0 where the type has no such key.
  std::string cell_id;
  std::string run_id;
  std::string spec_signature_hash;
  std::string host_received_at;
  std::string probe_source;
  std::string guest_comm;
  std::string reason;
  std::uint64_t guest_monotonic_ns = 0;

  /// Everything, without the newline.
  std::string line;

  bool is_declaration() const { return !probe_source.empty(); }
  /// Of the host's own chain.
  bool is_of_host() const { return names_host_event(type); }
};

/// Shows `visit` every line of every `*.jsonl` in `dir`, in name order, but for the host's own chain; the event is
/// valid during the call.
///
/// Each line must be one JSON object with CloudEvents' attributes, ours, and an `id` made of chain and sequence; each
/// file must end with a newline. Otherwise an exception names file and line. About a million lines a second.
void visit_events(const std::filesystem::path& dir, const std::function<void(const event&)>& visit);

/// The host's own chain.
void visit_host_events(const std::filesystem::path& dir, const std::function<void(const event&)>& visit);

/// As `visit_events`. For small logs.
std::vector<event> read_events(const std::filesystem::path& dir);

/// How many lines with `part` in them are in the log by now. For a log that a daemon still writes to.
std::size_t count_in_log(const std::filesystem::path& dir, std::string_view part);

/// Those of one cell and type.
std::vector<event> events_of(const std::vector<event>& all, std::string_view cell_id, std::string_view type);

}  // namespace cellos::test
