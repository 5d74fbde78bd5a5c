#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/node_message.hpp"
#include "messages/segment_position.hpp"

/// Messages of a stream, and what a server says of them.
namespace cellos {

namespace stream_headers {
// CloudEvents' NATS binding, structured mode.
inline constexpr const char* content_type = "Content-Type";
inline constexpr const char* event_type = "application/cloudevents+json";
inline constexpr const char* batch_type = "application/cloudevents-batch+json";
// JetStream's own.
inline constexpr const char* message_id = "Nats-Msg-Id";
inline constexpr const char* expected_stream = "Nats-Expected-Stream";
inline constexpr const char* expected_sequence = "Nats-Expected-Last-Sequence";
inline constexpr const char* expected_subject_sequence = "Nats-Expected-Last-Subject-Sequence";
/// Where in which log the message's last line ends: `LOG_ID/SEGMENT/OFFSET`. What a delivery resumes by.
inline constexpr const char* log_position = "Cellos-Log-Position";
}  // namespace stream_headers

struct log_place {
  node_log_id log{};
  segment_position end;

  bool operator==(const log_place&) const = default;
};

std::string to_text(const log_place& place);
/// Nothing but what to_text() spells.
std::optional<log_place> parse_log_place(std::string_view text);

/// One message to publish.
struct stream_message {
  /// Of the publication; the answer names it.
  std::uint64_t number = 0;
  std::string subject;
  /// May be empty.
  std::string id;
  log_place place;
  /// Line, or array of lines. Without the last newline.
  std::string content;
  bool is_batch = false;
  /// The sequence that must be the last: of the subject for a batch, else of the stream.
  std::uint64_t expected = 0;
};

/// Lines, each with its newline, as a JSON array with one line of the log on each of its lines.
std::string as_json_array(std::string_view lines);

/// Of the last line that a message holds, as the log has it: with its newline.
line_hash last_line_of(std::string_view content, bool is_batch);

/// What a server answers a publication with.
struct stream_answer {
  bool is_stored = false;
  /// Not stored again: the same id is there.
  bool is_duplicate = false;
  std::uint64_t sequence = 0;
  /// JetStream's error code; 0 where there is none.
  std::uint32_t code = 0;
  std::string text;
};

/// Another sequence is the last than was expected.
inline constexpr std::uint32_t wrong_last_sequence = 10071;

stream_answer parse_stream_answer(std::string_view json);

}  // namespace cellos
