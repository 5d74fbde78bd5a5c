#include "messages/event_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace cellos {

namespace {

/// Printable ASCII that means itself in JSON.
constexpr auto is_plain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '\\' && c != '"';
  return plain;
}();

class cursor {
 public:
  explicit cursor(std::string_view rest) : rest_(rest) {}

  bool skip(std::string_view expected) {
    if (rest_.size() < expected.size() || std::memcmp(rest_.data(), expected.data(), expected.size()) != 0)
      return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// Up to the quote, which stays. False where there is none, or a character that may not mean itself.
  bool text(std::string_view& into) {
    const auto* quote = static_cast<const char*>(std::memchr(rest_.data(), '"', rest_.size()));
    if (quote == nullptr) return false;
    into = rest_.substr(0, static_cast<std::size_t>(quote - rest_.data()));
    rest_.remove_prefix(into.size());
    bool plain = true;
    for (const char c : into) plain &= is_plain[static_cast<unsigned char>(c)];
    return plain;
  }

  bool text(std::string_view& into, std::size_t length) { return text(into) && into.size() == length; }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

bool parse_seal(cursor& at, event_line& into) {
  std::string_view extensions;
  if (!at.skip(line_form::before_prevdigest)) return true;
  if (!at.text(into.prevdigest, prevdigest_length)) return false;
  if (!at.skip(line_form::before_signedextattrs) || !at.text(extensions) || extensions != chain_extensions)
    return false;
  if (!at.skip(line_form::before_dssematerial)) return true;
  return at.text(into.dssematerial) && !into.dssematerial.empty();
}

}  // namespace

std::optional<event_line> parse_event_line(std::string_view line) {
  cursor at{line};
  event_line into;
  if (!at.skip(line_form::before_id) || !at.text(into.id)) return std::nullopt;
  if (!at.skip(line_form::before_source) || !at.text(into.source)) return std::nullopt;
  if (!at.skip(line_form::before_type) || !at.text(into.type)) return std::nullopt;
  if (!at.skip(line_form::before_subject) || !at.text(into.subject)) return std::nullopt;
  if (!at.skip(line_form::before_time) || !at.text(into.time) || !into.time.ends_with('Z')) return std::nullopt;
  if (!at.skip(line_form::before_chain) || !at.text(into.chain)) return std::nullopt;
  if (!at.skip(line_form::before_sequence) || !at.text(into.sequence, sequence_text::digits)) return std::nullopt;
  if (!parse_seal(at, into) || !at.skip(line_form::before_data)) return std::nullopt;
  into.data = at.rest();
  // An object, and the line's own closing brace.
  if (into.data.size() < 3 || into.data.front() != '{' || !into.data.ends_with("}}")) return std::nullopt;
  into.data.remove_suffix(1);
  return into;
}

std::optional<std::uint64_t> parse_sequence(std::string_view text) {
  std::uint64_t sequence = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), sequence);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() != sequence_text::digits || sequence == 0) return std::nullopt;
  return sequence;
}

std::string event_id_begin(std::string_view chain) { return std::string{chain} + '/'; }

bool is_event_id(std::string_view id, std::string_view chain, std::string_view sequence) {
  return id.size() == chain.size() + 1 + sequence.size() && id.starts_with(chain) && id[chain.size()] == '/' &&
         id.ends_with(sequence);
}

std::string_view attribute_in(std::string_view line, std::string_view name) {
  constexpr std::string_view before_value = R"(":")";
  for (std::size_t at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    const std::string_view behind = line.substr(at + name.size());
    if (at == 0 || line[at - 1] != '"' || !behind.starts_with(before_value)) continue;
    const std::string_view value = behind.substr(before_value.size());
    return value.substr(0, value.find('"'));
  }
  return {};
}

}  // namespace cellos
