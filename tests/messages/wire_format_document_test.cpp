#include <charconv>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "messages/probe_source.hpp"
#include "messages/telemetry_errc.hpp"
#include "messages/wire_codec.hpp"
#include "messages/wire_format.hpp"

#define CAF_SUITE wire_format_document
#include "caf/test/dsl.hpp"

// docs/wire-format.md is what agents are written after; it must not say anything the decoder does not do.

using namespace cellos;

namespace {

std::string document() {
  const std::ifstream file{CELLOS_SOURCE_DIR "/docs/wire-format.md"};
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// What stands between `<!-- name -->` and `<!-- /name -->`; empty when there is no such pair.
std::string section(const std::string& name) {
  const std::string all = document();
  const std::string opening = "<!-- " + name + " -->";
  const auto from = all.find(opening);
  const auto to = all.find("<!-- /" + name + " -->");
  if (from == std::string::npos || to == std::string::npos) return "";
  return all.substr(from + opening.size(), to - from - opening.size());
}

/// Two hex digits a byte; `#` begins a comment.
std::vector<std::uint8_t> frame_bytes() {
  std::vector<std::uint8_t> bytes;
  std::istringstream lines{section("frame")};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) continue;
    std::istringstream words{line.substr(0, line.find('#'))};
    for (std::string word; words >> word;) {
      std::uint8_t byte = 0;
      const char* const end = word.data() + word.size();
      const auto parsed = std::from_chars(word.data(), end, byte, 16);
      if (word.size() != 2 || parsed.ptr != end) CAF_FAIL("not a byte: " << word);
      bytes.push_back(byte);
    }
  }
  return bytes;
}

/// The rows "| `field` | `value` |".
std::map<std::string, std::string> stated_values() {
  std::map<std::string, std::string> values;
  std::istringstream lines{section("values")};
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> quoted;
    std::istringstream pieces{line};
    for (std::string piece; std::getline(pieces, piece, '`');) quoted.push_back(piece);
    if (quoted.size() == 5) values[quoted[1]] = quoted[3];
  }
  return values;
}

/// Whether the document has a table row that begins with these cells.
bool has_row(const std::string& cells) { return document().find("\n| " + cells + " |") != std::string::npos; }

std::string upstream_word(telemetry_errc kind) {
  switch (kind) {
    case telemetry_errc::unsupported_version: return "`TelemetryError::UnsupportedVersion`";
    case telemetry_errc::over_quota: return "none: the original has no such limit";
    default: return "`TelemetryError::Wire`";
  }
}

std::string code(std::string_view word) { return "`" + std::string{word} + "`"; }

}  // namespace

CAF_TEST(the_worked_frame_decodes_to_the_values_beside_it) {
  const auto frame = frame_bytes();
  CAF_REQUIRE_GREATER(frame.size(), wire::frame_header_bytes);
  const std::span<const std::uint8_t> body = std::span{frame}.subspan(wire::frame_header_bytes);
  CAF_CHECK_EQUAL(wire::body_length(frame.data()), body.size());
  const auto decoded = decode_frame_body(body);
  CAF_REQUIRE_EQUAL(std::string{to_string(decoded.refusal)}, "none");
  CAF_CHECK(!decoded.forged_attribution);
  auto stated = stated_values();
  CAF_CHECK_EQUAL(stated.size(), 4u);
  CAF_CHECK_EQUAL(stated["probe_source"], std::string{to_string(decoded.declaration.source)});
  CAF_CHECK_EQUAL(stated["guest_pid"], std::to_string(decoded.declaration.guest_pid));
  CAF_CHECK_EQUAL(stated["guest_comm"], std::string{decoded.declaration.guest_comm});
  CAF_CHECK_EQUAL(stated["guest_monotonic_ns"], std::to_string(decoded.declaration.guest_monotonic_ns));
}

CAF_TEST(every_key_is_described) {
  for (auto key : {wire::key_content_version, wire::key_probe_source, wire::key_guest_pid, wire::key_guest_comm,
                   wire::key_guest_monotonic_ns, wire::key_seq, wire::key_dropped}) {
    CAF_MESSAGE(std::string{key});
    CAF_CHECK(has_row(code(key) + " | unsigned, 16 bits") || has_row(code(key) + " | unsigned, 32 bits") ||
              has_row(code(key) + " | unsigned, 64 bits") || has_row(code(key) + " | text"));
  }
}

CAF_TEST(every_probe_source_is_listed) {
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    CAF_CHECK(has_row(code(probe_source_names[i]) + " | " + (i < 5 ? "original" : "ours")));
  }
}

CAF_TEST(every_attribution_key_is_in_the_table) {
  std::string keys;
  for (auto key : wire::attribution_keys) keys += (keys.empty() ? "" : ", ") + code(key);
  CAF_CHECK(has_row("among those " + keys));
}

CAF_TEST(every_error_stands_beside_the_word_of_the_original) {
  CAF_CHECK(has_row("`bind_failed` | `TelemetryError::Bind`"));
  for (auto kind : refusal_kinds) {
    CAF_MESSAGE(std::string{to_string(kind)});
    CAF_CHECK(has_row(code(to_string(kind)) + " | " + upstream_word(kind)));
  }
}

CAF_TEST(limits_are_the_codes) {
  CAF_CHECK(has_row("port | " + std::to_string(wire::vsock_telemetry_port)));
  CAF_CHECK(has_row("major | " + std::to_string(wire::wire_content_version_major)));
  CAF_CHECK(has_row("body | " + std::to_string(wire::max_frame_body_bytes) + " bytes"));
  CAF_CHECK(has_row("nesting | " + std::to_string(wire::max_nesting)));
  CAF_CHECK(has_row("1.0 | " + std::to_string(wire::content_version_1_0) + " (`0x0100`)"));
  CAF_CHECK(has_row("1.1 | " + std::to_string(wire::content_version_1_1) + " (`0x0101`)"));
}
