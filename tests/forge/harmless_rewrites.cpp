// What leaves the evidence as it is: other spellings of the same events, and files that are none of the log's.

#include "tests/forge/line_forger.hpp"
#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

namespace {

using outcome = std::optional<std::string>;

/// White space wherever JSON has it between two words.
std::string spaced(const std::string& line) {
  std::string out;
  bool within_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    out += c;
    if (within_text && c == '\\') {
      out += line[++i];
    } else if (c == '"') {
      within_text = !within_text;
    } else if (!within_text && (c == ',' || c == ':' || c == '{')) {
      out += ' ';
    }
  }
  return out;
}

outcome respace(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::uint64_t share = one_in(random, 2) ? 1 : between(random, 2, 8);
  for (log_line& line : lines) {
    if (one_in(random, share)) line.text = spaced(line.text);
  }
  image.set_lines(lines);
  return share == 1 ? "every line is spaced" : "some lines are spaced";
}

outcome carriage_returns(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::uint64_t share = one_in(random, 2) ? 1 : between(random, 2, 8);
  for (log_line& line : lines) {
    if (one_in(random, share)) line.text += '\r';
  }
  image.set_lines(lines);
  return share == 1 ? "every line ends with CRLF" : "some lines end with CRLF";
}

outcome files_beside(evidence_image& image, const loot& from, randomness& random) {
  const auto segments = image.segments();
  const std::string copy = segments.empty() ? std::string{} : image.files[segments.front()];
  std::string foreign;
  for (const log_line& line : from.other_host.lines()) foreign += line.text + '\n';
  const std::vector<std::pair<std::string, std::string>> files{
      {"a.jsonl", ""},           {"export.jsonl", copy},       {"zzz.jsonl", copy},
      {"other.jsonl", foreign},  {"evidence-1.jsonl", copy},   {"evidence-00000000000000000001.jsonl.bak", copy},
      {"notes.txt", "no event"}, {"recovery.journal.old", ""}, {"backup.jsonl", copy.substr(0, copy.size() / 2)}};
  const auto& [name, content] = any_of(random, files);
  image.files[name] = content;
  return name + " lies beside the log";
}

outcome state_file(evidence_image& image, const loot&, randomness& random) {
  const std::string id = any_of<std::string>(random, {"c1", "c9", "made-up"});
  const std::string cell =
      '"' + id + R"(":{"run_id":"run-1","vsock_uds_base":"/nowhere/v","spec_signature_hash":"made-up"})";
  image.files["cells.json"] = R"({"version":1,"cells":{)" + (one_in(random, 3) ? "" : cell) + "}}";
  return "cells.json is made up";
}

}  // namespace

const std::vector<rewrite>& harmless_rewrites() {
  static const std::vector<rewrite> all{
      {"respace", expectation::harmless, respace},
      {"carriage_returns", expectation::harmless, carriage_returns},
      {"files_beside", expectation::harmless, files_beside},
      {"state_file", expectation::harmless, state_file},
  };
  return all;
}

}  // namespace cellos::forge
