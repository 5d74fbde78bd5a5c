#include "tests/forge/line_forger.hpp"

#include <algorithm>

#include "messages/event_line.hpp"
#include "runtime/signing/line_digest.hpp"
#include "runtime/signing/material.hpp"

namespace cellos::forge {

namespace {

using line_form::before_data;
using line_form::before_dssematerial;

/// By name: of two runs that began together either may be the first in the log.
void add_unless_there(std::vector<std::string>& names, const std::string& name) {
  const auto place = std::lower_bound(names.begin(), names.end(), name);
  if (place == names.end() || *place != name) names.insert(place, name);
}

}  // namespace

void set_text(std::string& line, std::string_view name, std::string_view value) {
  const std::string key = '"' + std::string{name} + R"(":")";
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return;
  const std::size_t begin = at + key.size();
  line.replace(begin, line.find('"', begin) - begin, value);
}

std::string text_of(const std::string& line, std::string_view name) {
  const std::string key = '"' + std::string{name} + R"(":")";
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

bool is_signed(const std::string& line) { return line.find(before_dssematerial) != std::string::npos; }

void strip_signature(std::string& line) {
  const std::size_t at = line.find(before_dssematerial);
  if (at == std::string::npos) return;
  line.erase(at, line.find('"', at + before_dssematerial.size()) - at);
}

void copy_signature(std::string& line, const std::string& from) {
  const std::string envelope = text_of(from, "dssematerial");
  strip_signature(line);
  const std::size_t at = line.find(before_data);
  if (envelope.empty() || at == std::string::npos) return;
  line.insert(at, std::string{before_dssematerial} + envelope);
}

std::string digest_text_of(const std::string& line) { return std::string{prevdigest_text{line_digest(line)}.view()}; }

void move_to(log_line& line, const log_line& place, std::uint64_t sequence) {
  const std::string number{sequence_text{sequence}.view()};
  set_text(line.text, "id", place.chain + '/' + number);
  set_text(line.text, "chain", place.chain);
  set_text(line.text, "sequence", number);
  for (const std::string_view name : {"source", "subject", "cellId", "runId", "hostId", "specSignatureHash"}) {
    const std::string value = text_of(place.text, name);
    if (!value.empty()) set_text(line.text, name, value);
  }
  line.chain = place.chain;
  line.sequence = sequence;
}

log_line linked_behind(const log_line& before, log_line content) {
  move_to(content, before, before.sequence + 1);
  set_text(content.text, "prevdigest", digest_text_of(before.text));
  content.segment = before.segment;
  return content;
}

std::vector<std::string> chains_of(const line_list& lines) {
  std::vector<std::string> chains;
  for (const log_line& line : lines) {
    if (!line.chain.empty()) add_unless_there(chains, line.chain);
  }
  return chains;
}

std::vector<std::string> runs_of(const line_list& lines) {
  std::vector<std::string> chains;
  for (const log_line& line : lines) {
    if (!line.chain.empty() && !line.is_of_host()) add_unless_there(chains, line.chain);
  }
  return chains;
}

std::vector<std::string> ended_runs_of(const line_list& lines) {
  std::vector<std::string> chains;
  for (const log_line& line : lines) {
    if (line.type == "run.v1.ended") add_unless_there(chains, line.chain);
  }
  return chains;
}

std::vector<std::size_t> lines_of_chain(const line_list& lines, std::string_view chain) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].chain == chain) found.push_back(i);
  }
  return found;
}

std::vector<std::size_t> lines_of_type(const line_list& lines, std::string_view type) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].type == type) found.push_back(i);
  }
  return found;
}

std::optional<std::string> host_chain_of(const line_list& lines) {
  const auto last = std::find_if(lines.rbegin(), lines.rend(),
                                 [](const log_line& line) { return !line.chain.empty() && line.is_of_host(); });
  if (last == lines.rend()) return std::nullopt;
  return last->chain;
}

void relink(line_list& lines, std::string_view chain, std::size_t n) {
  const auto places = lines_of_chain(lines, chain);
  for (std::size_t i = std::max<std::size_t>(n, 1); i < places.size(); ++i) {
    const log_line& before = lines[places[i - 1]];
    log_line& line = lines[places[i]];
    const std::string number{sequence_text{before.sequence + 1}.view()};
    line.sequence = before.sequence + 1;
    set_text(line.text, "id", line.chain + '/' + number);
    set_text(line.text, "sequence", number);
    set_text(line.text, "prevdigest", digest_text_of(before.text));
  }
}

void erase_indices(line_list& lines, const std::vector<std::size_t>& ascending) {
  for (auto each = ascending.rbegin(); each != ascending.rend(); ++each) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(*each));
  }
}

}  // namespace cellos::forge
