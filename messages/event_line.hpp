#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The form of a line of the log; pairs with docs/evidence.md. chain_writer writes it, parse_event_line() reads it.
namespace cellos {

/// What stands between the values of a line, in order: each piece closes the text before it.
///
///     before_id ID before_source SOURCE before_type TYPE before_subject SUBJECT before_time TIME before_chain CHAIN
///     before_sequence SEQUENCE [before_prevdigest PREVDIGEST before_signedextattrs SIGNEDEXTATTRS
///     [before_dssematerial DSSEMATERIAL]] before_data DATA line_end
///
/// `data` comes last, so that a verifier finds its exact bytes between `"data":` and the line's closing brace.
namespace line_form {
inline constexpr std::string_view before_id = R"({"specversion":"1.0","id":")";
inline constexpr std::string_view before_source = R"(","source":")";
inline constexpr std::string_view before_type = R"(","type":")";
inline constexpr std::string_view before_subject = R"(","subject":")";
inline constexpr std::string_view before_time = R"(","time":")";
inline constexpr std::string_view before_chain = R"(","datacontenttype":"application/json","chain":")";
inline constexpr std::string_view before_sequence = R"(","sequence":")";
inline constexpr std::string_view before_prevdigest = R"(","prevdigest":")";
inline constexpr std::string_view before_signedextattrs = R"(","signedextattrs":")";
inline constexpr std::string_view before_dssematerial = R"(","dssematerial":")";
inline constexpr std::string_view before_data = R"(","data":)";
inline constexpr std::string_view line_end = "}\n";
}  // namespace line_form

inline constexpr std::string_view event_specversion = "1.0";
inline constexpr std::string_view event_datacontenttype = "application/json";

/// What events in a chain sign besides CloudEvents' own attributes, in this order: `signedextattrs`.
inline constexpr std::string_view chain_extensions = "chain,sequence,prevdigest";

/// Base64 of 32 bytes.
inline constexpr std::size_t prevdigest_length = 44;

/// An event's place in its chain, padded with zeros, so that text order is number order. Made once: every event holds
/// it twice.
class sequence_text {
 public:
  static constexpr std::size_t digits = 20;

  explicit sequence_text(std::uint64_t sequence) {
    digits_.fill('0');
    for (std::size_t i = digits_.size(); sequence != 0; sequence /= 10) {
      digits_[--i] = static_cast<char>('0' + sequence % 10);
    }
  }
  std::string_view view() const { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, digits> digits_;
};

/// Nothing but what sequence_text spells, from 1.
std::optional<std::uint64_t> parse_sequence(std::string_view text);

/// What the ids of a chain's events begin with; the sequence follows.
std::string event_id_begin(std::string_view chain);
/// Whether `id` is what the event at this place has.
bool is_event_id(std::string_view id, std::string_view chain, std::string_view sequence);

/// The values of one line, without what JSON puts around them. They live in the line.
struct event_line {
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view subject;
  std::string_view time;
  std::string_view chain;
  std::string_view sequence;
  /// Empty where the chain has no digests.
  std::string_view prevdigest;
  /// Empty where unsigned.
  std::string_view dssematerial;
  /// An object; not looked into.
  std::string_view data;

  bool is_sealed() const { return !prevdigest.empty(); }
};

/// Of a line without its newline that has exactly the form ours have. Nothing is unescaped: a line with an escape in an
/// attribute has another form. Nothing of any other line.
std::optional<event_line> parse_event_line(std::string_view line);

/// The value of a text attribute, in whatever order they are. Guests fill `data` alone, and cannot write an unescaped
/// quotation mark there. Empty if it is not there.
std::string_view attribute_in(std::string_view line, std::string_view name);

}  // namespace cellos
