#include "messages/node_codec.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <optional>
#include <utility>

namespace cellos {

namespace {

enum class message_kind : std::uint8_t { hello = 1, welcome, lines, answer, alive };

constexpr std::size_t header_bytes = 2;
constexpr std::size_t field_header_bytes = 6;
/// Tags of version 1 are below it.
constexpr std::size_t known_tags = 16;

// What a message's fields are, for writer and reader alike. Tags are never used again for another meaning.

template <class Fields, class Hello>
void fields_of_hello(Fields& fields, Hello& hello) {
  fields.text(1, hello.host_id);
  fields.array(2, hello.log);
  fields.number(3, hello.boot_nonce);
  fields.choice(4, hello.intent, hello_intent::fork);
  fields.position(5, hello.first_kept);
  fields.position(6, hello.committed);
  fields.position(7, hello.cursor.at);
  fields.array(8, hello.cursor.line_before);
  fields.number(9, hello.codecs);
}

template <class Fields, class Welcome>
void fields_of_welcome(Fields& fields, Welcome& welcome) {
  fields.choice(1, welcome.kind, welcome_kind::refused);
  fields.position(2, welcome.cursor.at);
  fields.array(3, welcome.cursor.line_before);
  fields.number(4, welcome.forks);
  fields.number(5, welcome.largest_batch);
  fields.number(6, welcome.window_bytes);
  fields.number(7, welcome.silence_window_ms);
  fields.reason(8, welcome.reason);
  fields.flag(9, welcome.permanent);
}

template <class Fields, class Lines>
void fields_of_lines(Fields& fields, Lines& lines) {
  fields.position(1, lines.after);
  fields.position(2, lines.from);
  fields.number(3, lines.raw_bytes);
  fields.number(4, lines.line_count);
  fields.choice(5, lines.codec, line_codec::zstd);
  fields.bytes(6, lines.bytes);
}

template <class Fields, class Answer>
void fields_of_answer(Fields& fields, Answer& answer) {
  fields.choice(1, answer.kind, answer_kind::refused);
  fields.position(2, answer.position);
  fields.number(3, answer.retry_after_ms);
  fields.reason(4, answer.reason);
}

template <class Fields, class Alive>
void fields_of_alive(Fields& fields, Alive& alive) {
  fields.position(1, alive.first_kept);
  fields.position(2, alive.committed);
  fields.optional(3, alive.lag_lines);
  fields.optional(4, alive.lag_bytes);
  fields.optional(5, alive.lag_ms);
  fields.optional(6, alive.cells);
  fields.optional(7, alive.silenced_cells);
}

class field_writer {
 public:
  explicit field_writer(message_kind kind, std::size_t expected = 256) {
    out_.reserve(expected);
    out_.push_back(static_cast<char>(kind));
    out_.push_back(1);
  }

  void text(std::uint16_t tag, const std::string& value) { bytes(tag, value); }
  void bytes(std::uint16_t tag, std::string_view value) {
    put(tag);
    put(static_cast<std::uint32_t>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }
  template <std::size_t Length>
  void array(std::uint16_t tag, const std::array<std::uint8_t, Length>& value) {
    bytes(tag, {reinterpret_cast<const char*>(value.data()), Length});
  }
  template <std::unsigned_integral Number>
  void number(std::uint16_t tag, Number value) {
    put(tag);
    put(std::uint32_t{sizeof value});
    put(value);
  }
  template <std::unsigned_integral Number>
  void optional(std::uint16_t tag, const std::optional<Number>& value) {
    if (value) number(tag, *value);
  }
  void position(std::uint16_t tag, segment_position value) {
    put(tag);
    put(std::uint32_t{16});
    put(value.segment);
    put(value.offset);
  }
  template <class Choice>
  void choice(std::uint16_t tag, Choice value, Choice) {
    number(tag, static_cast<std::uint8_t>(value));
  }
  void reason(std::uint16_t tag, node_refusal value) { number(tag, static_cast<std::uint8_t>(value)); }
  void flag(std::uint16_t tag, bool value) { number(tag, static_cast<std::uint8_t>(value ? 1 : 0)); }

  node_bytes take() { return std::move(out_); }

 private:
  template <std::unsigned_integral Number>
  void put(Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      out_.push_back(static_cast<char>(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i))));
    }
  }

  node_bytes out_;
};

template <std::unsigned_integral Number>
Number number_at(const char* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(from[i])) << (8 * i);
  }
  return static_cast<Number>(value);
}

/// Finds the fields first, and is asked for each then; whatever is wrong, the rest is harmless.
class field_reader {
 public:
  field_reader(std::span<const char> bytes, message_kind kind) { refusal_ = find(bytes, kind); }

  node_codec_errc refusal() const { return refusal_; }

  void text(std::uint16_t tag, std::string& value) {
    const auto field = take(tag);
    if (field.empty() || field.size() > node_limits::longest_host_id) return refuse();
    value.assign(field.data(), field.size());
  }
  void bytes(std::uint16_t tag, std::string_view& value) { value = take(tag); }
  template <std::size_t Length>
  void array(std::uint16_t tag, std::array<std::uint8_t, Length>& value) {
    const auto field = take(tag);
    if (field.size() != Length) return refuse();
    std::memcpy(value.data(), field.data(), Length);
  }
  template <std::unsigned_integral Number>
  void number(std::uint16_t tag, Number& value) {
    const auto field = take(tag);
    if (field.size() != sizeof value) return refuse();
    value = number_at<Number>(field.data());
  }
  template <std::unsigned_integral Number>
  void optional(std::uint16_t tag, std::optional<Number>& value) {
    if (found_[tag].data() != nullptr) number(tag, value.emplace());
  }
  void position(std::uint16_t tag, segment_position& value) {
    const auto field = take(tag);
    if (field.size() != 16) return refuse();
    value = {number_at<std::uint64_t>(field.data()), number_at<std::uint64_t>(field.data() + 8)};
  }
  template <class Choice>
  void choice(std::uint16_t tag, Choice& value, Choice last) {
    std::uint8_t read = 0;
    number(tag, read);
    if (read > static_cast<std::uint8_t>(last)) return refuse();
    value = static_cast<Choice>(read);
  }
  void reason(std::uint16_t tag, node_refusal& value) {
    std::uint8_t read = 0;
    number(tag, read);
    value = read > static_cast<std::uint8_t>(node_refusal::signature_refused) ? node_refusal::other
                                                                              : static_cast<node_refusal>(read);
  }
  void flag(std::uint16_t tag, bool& value) {
    std::uint8_t read = 0;
    number(tag, read);
    if (read > 1) return refuse();
    value = read == 1;
  }

 private:
  node_codec_errc find(std::span<const char> bytes, message_kind kind) {
    if (bytes.size() > node_limits::largest_message) return node_codec_errc::too_large;
    if (bytes.size() < header_bytes || bytes[0] != static_cast<char>(kind)) return node_codec_errc::malformed;
    if (static_cast<std::uint8_t>(bytes[1]) > node_codec_version) return node_codec_errc::unsupported_version;
    for (auto left = bytes.subspan(header_bytes); !left.empty();) {
      if (left.size() < field_header_bytes) return node_codec_errc::malformed;
      const auto tag = number_at<std::uint16_t>(left.data());
      const auto length = number_at<std::uint32_t>(left.data() + 2);
      left = left.subspan(field_header_bytes);
      if (length > left.size()) return node_codec_errc::malformed;
      if (tag < known_tags) {
        if (found_[tag].data() != nullptr) return node_codec_errc::malformed;
        found_[tag] = {left.data(), length};
      }
      left = left.subspan(length);
    }
    return node_codec_errc::none;
  }
  std::string_view take(std::uint16_t tag) {
    if (found_[tag].data() == nullptr) refuse();
    return found_[tag];
  }
  void refuse() {
    if (refusal_ == node_codec_errc::none) refusal_ = node_codec_errc::malformed;
  }

  node_codec_errc refusal_ = node_codec_errc::none;
  std::array<std::string_view, known_tags> found_{};
};

/// Positions count from segment 1; the default one, before every line, is for a log without any.
bool is_place(segment_position at) { return at.segment > 0 || at.offset == 0; }

bool is_sound(const node_hello& hello) {
  return is_place(hello.first_kept) && is_place(hello.committed) && is_place(hello.cursor.at) &&
         hello.first_kept <= hello.committed;
}

bool is_sound(const node_welcome& welcome) { return is_place(welcome.cursor.at); }

bool is_sound(const node_lines& lines) {
  const bool follows =
      lines.from == lines.after || (lines.from.segment > lines.after.segment && lines.from.offset == 0);
  const bool fits = lines.codec == line_codec::raw ? lines.bytes.size() == lines.raw_bytes
                                                   : lines.bytes.size() <= node_limits::largest_message;
  // No file is longer than what a signed offset can say.
  constexpr std::uint64_t longest_segment = std::uint64_t{1} << 62;
  return is_place(lines.after) && lines.from.segment > 0 && follows && fits && lines.raw_bytes > 0 &&
         lines.raw_bytes <= node_limits::largest_batch && lines.line_count > 0 && lines.line_count <= lines.raw_bytes &&
         lines.from.offset <= longest_segment;
}

bool is_sound(const node_answer& answer) { return is_place(answer.position); }

bool is_sound(const node_alive& alive) {
  return is_place(alive.first_kept) && is_place(alive.committed) && alive.first_kept <= alive.committed;
}

template <class Message, class FieldsOf>
decoded_message<Message> decode(std::span<const char> bytes, message_kind kind, FieldsOf fields_of) {
  decoded_message<Message> out;
  field_reader reader{bytes, kind};
  if (reader.refusal() == node_codec_errc::none) fields_of(reader, out.message);
  out.refusal = reader.refusal();
  if (out && !is_sound(out.message)) out.refusal = node_codec_errc::malformed;
  return out;
}

template <class Message, class FieldsOf>
node_bytes encode_as(message_kind kind, const Message& message, FieldsOf fields_of, std::size_t expected = 256) {
  field_writer writer{kind, expected};
  fields_of(writer, message);
  return writer.take();
}

}  // namespace

std::string_view to_string(node_refusal refusal) {
  switch (refusal) {
    case node_refusal::none: return "none";
    case node_refusal::malformed: return "malformed";
    case node_refusal::unsupported_version: return "unsupported_version";
    case node_refusal::host_mismatch: return "host_mismatch";
    case node_refusal::host_doubled: return "host_doubled";
    case node_refusal::history_forked: return "history_forked";
    case node_refusal::too_many_copies: return "too_many_copies";
    case node_refusal::not_greeted: return "not_greeted";
    case node_refusal::storage_failed: return "storage_failed";
    case node_refusal::signature_refused: return "signature_refused";
    case node_refusal::other: break;
  }
  return "other";
}

std::string_view to_string(node_codec_errc error) {
  switch (error) {
    case node_codec_errc::none: return "none";
    case node_codec_errc::too_large: return "too_large";
    case node_codec_errc::unsupported_version: return "unsupported_version";
    case node_codec_errc::malformed: break;
  }
  return "malformed";
}

node_bytes encode(const node_hello& message) {
  return encode_as(message_kind::hello, message, [](auto& fields, auto& of) { fields_of_hello(fields, of); });
}
node_bytes encode(const node_welcome& message) {
  return encode_as(message_kind::welcome, message, [](auto& fields, auto& of) { fields_of_welcome(fields, of); });
}
node_bytes encode(const node_lines& message) {
  return encode_as(
      message_kind::lines, message, [](auto& fields, auto& of) { fields_of_lines(fields, of); },
      message.bytes.size() + 128);
}
node_bytes encode(const node_answer& message) {
  return encode_as(message_kind::answer, message, [](auto& fields, auto& of) { fields_of_answer(fields, of); });
}
node_bytes encode(const node_alive& message) {
  return encode_as(message_kind::alive, message, [](auto& fields, auto& of) { fields_of_alive(fields, of); });
}

decoded_message<node_hello> decode_hello(std::span<const char> bytes) {
  return decode<node_hello>(bytes, message_kind::hello, [](auto& fields, auto& of) { fields_of_hello(fields, of); });
}
decoded_message<node_welcome> decode_welcome(std::span<const char> bytes) {
  return decode<node_welcome>(bytes, message_kind::welcome,
                              [](auto& fields, auto& of) { fields_of_welcome(fields, of); });
}
decoded_message<node_lines> decode_lines(std::span<const char> bytes) {
  return decode<node_lines>(bytes, message_kind::lines, [](auto& fields, auto& of) { fields_of_lines(fields, of); });
}
decoded_message<node_answer> decode_answer(std::span<const char> bytes) {
  return decode<node_answer>(bytes, message_kind::answer, [](auto& fields, auto& of) { fields_of_answer(fields, of); });
}
decoded_message<node_alive> decode_alive(std::span<const char> bytes) {
  return decode<node_alive>(bytes, message_kind::alive, [](auto& fields, auto& of) { fields_of_alive(fields, of); });
}

}  // namespace cellos
