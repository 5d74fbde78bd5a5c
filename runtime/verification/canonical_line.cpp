#include <array>
#include <cstring>

#include "runtime/verification/event_line.hpp"

namespace cellos::verification {

namespace {

/// What comes between the values of our own lines.
constexpr std::string_view before_id = R"({"specversion":"1.0","id":")";
constexpr std::string_view before_source = R"(","source":")";
constexpr std::string_view before_type = R"(","type":")";
constexpr std::string_view before_subject = R"(","subject":")";
constexpr std::string_view before_time = R"(","time":")";
constexpr std::string_view before_chain = R"(","datacontenttype":"application/json","chain":")";
constexpr std::string_view before_sequence = R"(","sequence":")";
constexpr std::string_view before_prevdigest = R"(","prevdigest":")";
constexpr std::string_view after_prevdigest = R"(","signedextattrs":"chain,sequence,prevdigest")";
constexpr std::string_view before_dssematerial = R"(,"dssematerial":")";
constexpr std::string_view before_data_after_text = R"(","data":)";
constexpr std::string_view before_data = R"(,"data":)";

constexpr std::size_t sequence_digits = 20;

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

}  // namespace

bool read_canonical_line(std::string_view line, event_line& into) {
  cursor at{line};
  core_attributes& core = into.core;
  if (!at.skip(before_id) || !at.text(core.id)) return false;
  if (!at.skip(before_source) || !at.text(core.source)) return false;
  if (!at.skip(before_type) || !at.text(core.type)) return false;
  if (!at.skip(before_subject) || !at.text(core.subject)) return false;
  if (!at.skip(before_time) || !at.text(core.time) || !core.time.ends_with('Z')) return false;
  if (!at.skip(before_chain) || !at.text(into.chain)) return false;
  if (!at.skip(before_sequence) || !at.text(into.sequence, sequence_digits)) return false;
  if (!at.skip(before_prevdigest) || !at.text(into.prevdigest, prevdigest_length)) return false;
  if (!at.skip(after_prevdigest)) return false;
  if (at.skip(before_dssematerial)) {
    if (!at.text(into.dssematerial) || into.dssematerial.empty() || !at.skip(before_data_after_text)) return false;
  } else {
    into.dssematerial = {};
    if (!at.skip(before_data)) return false;
  }
  core.data = at.rest();
  // An object, and the line's own closing brace.
  if (core.data.size() < 3 || core.data.front() != '{' || !core.data.ends_with("}}")) return false;
  core.data.remove_suffix(1);
  core.specversion = "1.0";
  core.datacontenttype = "application/json";
  core.dataschema = {};
  into.signedextattrs = chain_extensions;
  into.uncovered = {};
  into.canonical_line = true;
  into.signed_extensions.clear();
  return true;
}

}  // namespace cellos::verification
