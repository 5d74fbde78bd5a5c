#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/segment_position.hpp"

/// What a host's forwarder and a collector say to each other. messages/node_codec writes and reads it.
///
///     forwarder                          collector
///     hello    who, which log, from where  ->
///                                        <-  welcome  from where on, or why not
///     lines    what follows a position     ->
///                                        <-  answer   durable up to a position, or where to go on
///     alive    how far the log is          ->
///
/// The end of the collector's copy is the cursor; what the forwarder remembers is a hint.
namespace cellos {

/// Made once for each evidence directory, at random: a log that begins anew is another log.
using node_log_id = std::array<std::uint8_t, 16>;

/// SHA-256 of a line with its newline. All zeros: no line is known.
using line_hash = std::array<std::uint8_t, 32>;

/// A place in a log, with what both ends can compare.
struct log_cursor {
  segment_position at;
  /// Of the line that ends at `at`.
  line_hash line_before{};

  bool operator==(const log_cursor&) const = default;
};

/// What a hello asks for.
enum class hello_intent : std::uint8_t {
  /// To go on where the collector's copy ends.
  resume,
  /// To go on at the hello's own cursor, which is behind the end of the copy: another collector has what lies between,
  /// or nobody has it any more.
  skip,
  /// The collector's copy is no beginning of this log: a copy of its own, from the hello's cursor on.
  fork,
};

/// Codecs of lines, as bits of `node_hello::codecs`.
enum class line_codec : std::uint8_t { raw = 0, zstd = 1 };

struct node_hello {
  std::string host_id;
  node_log_id log{};
  /// Drawn when the forwarder's process began: the same again is the same process.
  std::uint64_t boot_nonce = 0;
  hello_intent intent = hello_intent::resume;
  /// Where the log on disk begins.
  segment_position first_kept;
  /// What is before it survives a loss of the host's power; nothing behind it is ever sent.
  segment_position committed;
  log_cursor cursor;
  /// Bits of those that the forwarder may use.
  std::uint32_t codecs = 1;

  bool operator==(const node_hello&) const = default;
};

/// Why a collector takes nothing.
enum class node_refusal : std::uint8_t {
  none,
  /// What this end does not know; a later version's.
  other,
  malformed,
  unsupported_version,
  /// The certificate is another host's.
  host_mismatch,
  /// Another live process sends as this host.
  host_doubled,
  /// The copy says more than the log, or another thing.
  history_forked,
  /// As many logs or forks of this host as the collector keeps.
  too_many_copies,
  /// Lines before any hello.
  not_greeted,
  /// The collector cannot read or write its copy.
  storage_failed,
  /// Lines that are not signed by a key that the collector has for this host.
  signature_refused,
};
std::string_view to_string(node_refusal refusal);

enum class welcome_kind : std::uint8_t {
  /// The copy ends at `cursor`: compare the line before, and send what follows.
  resume,
  /// The next lines begin at `cursor`; there is nothing before them to compare.
  begin,
  refused,
};

struct node_welcome {
  welcome_kind kind = welcome_kind::refused;
  log_cursor cursor;
  /// Copies of this log that do not agree with the one in use.
  std::uint32_t forks = 0;
  /// Bytes of lines, before compression.
  std::uint32_t largest_batch = 0;
  /// Bytes of lines that may be unanswered.
  std::uint32_t window_bytes = 0;
  /// A host that is not heard for so long counts as silent.
  std::uint32_t silence_window_ms = 0;
  node_refusal reason = node_refusal::none;
  /// Refused until somebody changes something.
  bool permanent = false;

  bool operator==(const node_welcome&) const = default;
};

struct node_lines {
  /// Where the lines before ended.
  segment_position after;
  /// Where the first of these begins: `after`, or the beginning of a later segment.
  segment_position from;
  std::uint32_t raw_bytes = 0;
  std::uint32_t line_count = 0;
  line_codec codec = line_codec::raw;
  /// Whole lines of one segment; borrowed.
  std::string_view bytes;

  bool operator==(const node_lines&) const = default;
};

enum class answer_kind : std::uint8_t {
  /// Everything before `position` survives a loss of the collector's power.
  durable,
  /// The lines do not follow the copy's end, `position`: go on there.
  again,
  /// Not taken; the same again after a pause.
  busy,
  refused,
};

struct node_answer {
  answer_kind kind = answer_kind::refused;
  segment_position position;
  std::uint32_t retry_after_ms = 0;
  node_refusal reason = node_refusal::none;

  bool operator==(const node_answer&) const = default;
};

struct node_alive {
  segment_position first_kept;
  segment_position committed;
  // For people, not for the protocol: nothing where the host's version does not say it.
  /// Of the committed lines, those that no collector has acknowledged: how many, their bytes, the age of the oldest.
  std::optional<std::uint64_t> lag_lines{};
  std::optional<std::uint64_t> lag_bytes{};
  std::optional<std::uint64_t> lag_ms{};
  /// Cells that the host serves, and those whose agents are silent.
  std::optional<std::uint32_t> cells{};
  std::optional<std::uint32_t> silenced_cells{};

  bool operator==(const node_alive&) const = default;
};

/// Limits that both ends hold each other to.
namespace node_limits {
inline constexpr std::size_t longest_host_id = 128;
/// Bytes of lines in one message, before compression. Default batches are half of it; chosen here.
inline constexpr std::size_t largest_batch = std::size_t{512} << 10;
/// Messages that may be unanswered on one connection. Chosen here; as many usual batches as any window holds.
inline constexpr std::size_t most_unanswered = 32;
/// Of an encoded message; one that is compressed is never longer than its lines.
inline constexpr std::size_t largest_message = largest_batch + 4096;
}  // namespace node_limits

}  // namespace cellos
