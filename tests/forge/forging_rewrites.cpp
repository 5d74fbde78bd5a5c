// What puts lines there that no host wrote, or changes lines' content, with all digests made to fit where that helps.

#include <algorithm>
#include <utility>

#include "tests/forge/line_forger.hpp"
#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

namespace {

using outcome = std::optional<std::string>;

constexpr std::string_view planted = "planted";

/// A declaration in our own form, to be moved somewhere; without a signature.
std::optional<log_line> some_declaration(const line_list& lines) {
  const auto found = std::find_if(lines.begin(), lines.end(), [](const log_line& line) {
    return line.text.find(R"("guestComm":")") != std::string::npos;
  });
  if (found == lines.end()) return std::nullopt;
  log_line declaration = *found;
  set_text(declaration.text, "guestComm", planted);
  strip_signature(declaration.text);
  return declaration;
}

std::optional<std::string> some_signed_line(const line_list& lines, randomness& random) {
  std::vector<std::string> all;
  for (const log_line& line : lines) {
    if (is_signed(line.text)) all.push_back(line.text);
  }
  if (all.empty()) return std::nullopt;
  return any_of(random, all);
}

void insert(line_list& lines, std::size_t at, log_line line) {
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::move(line));
}

/// `count` declarations behind line `at`, each linked to the one before.
void plant_behind(line_list& lines, std::size_t at, const log_line& content, std::uint64_t count,
                  const std::optional<std::string>& signature) {
  for (std::uint64_t i = 0; i < count; ++i) {
    log_line made = linked_behind(lines[at], content);
    if (signature) copy_signature(made.text, *signature);
    insert(lines, ++at, std::move(made));
  }
}

outcome plant_tail(evidence_image& image, randomness& random, bool with_signature) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  const auto content = some_declaration(lines);
  const auto signature = with_signature ? some_signed_line(lines, random) : std::nullopt;
  if (runs.empty() || !content || (with_signature && !signature)) return std::nullopt;
  const std::string& run = any_of(random, runs);
  const std::uint64_t count = between(random, 1, 5);
  plant_behind(lines, lines_of_chain(lines, run).back(), *content, count, signature);
  image.set_lines(lines);
  return std::to_string(count) + " declarations are planted behind " + run;
}

outcome forge_tail(evidence_image& image, const loot&, randomness& random) { return plant_tail(image, random, false); }

outcome forge_tail_with_copied_signature(evidence_image& image, const loot&, randomness& random) {
  return plant_tail(image, random, true);
}

/// From some event on, other events of the same numbers; as many, fewer or more.
outcome forge_instead(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  const auto content = some_declaration(lines);
  if (runs.empty() || !content) return std::nullopt;
  const std::string& run = any_of(random, runs);
  auto places = lines_of_chain(lines, run);
  if (places.size() < 2) return std::nullopt;
  const std::size_t kept = between(random, 1, places.size() - 1);
  const std::size_t before = places[kept - 1];
  const std::size_t gone = places.size() - kept;
  places.erase(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept));
  erase_indices(lines, places);
  const std::uint64_t count = one_in(random, 2) ? gone : between(random, 1, gone + 2);
  plant_behind(lines, before, *content, count, std::nullopt);
  image.set_lines(lines);
  return std::to_string(count) + " planted declarations stand for the last " + std::to_string(gone) + " of " + run;
}

outcome forge_instead_of_end(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto ended = ended_runs_of(lines);
  const auto content = some_declaration(lines);
  if (ended.empty() || !content) return std::nullopt;
  const std::string& run = any_of(random, ended);
  const auto places = lines_of_chain(lines, run);
  if (places.size() < 2) return std::nullopt;
  erase_indices(lines, {places.back()});
  plant_behind(lines, places[places.size() - 2], *content, between(random, 1, 4), std::nullopt);
  image.set_lines(lines);
  return "planted declarations stand for the end of " + run;
}

outcome forge_between(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  const auto content = some_declaration(lines);
  if (runs.empty() || !content) return std::nullopt;
  const std::string& run = any_of(random, runs);
  const auto places = lines_of_chain(lines, run);
  const std::size_t n = below(random, places.size());
  plant_behind(lines, places[n], *content, 1, std::nullopt);
  if (!one_in(random, 3)) relink(lines, run, n + 1);
  image.set_lines(lines);
  return "a declaration is planted in " + run + " as event " + std::to_string(n + 2);
}

outcome edit(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::size_t at = below(random, lines.size());
  log_line& line = lines[at];
  const std::vector<std::string> names{
      "guestComm",    "time",       "specSignatureHash", "runId",  "type",   "keyId",
      "lastSequence", "lastDigest", "guestMonotonicNs",  "reason", "source", "prevdigest"};
  const std::string& name = any_of(random, names);
  const std::string value = text_of(line.text, name);
  if (value.empty()) return std::nullopt;
  std::string other = value;
  char& c = other[below(random, other.size())];
  c = c == '1' ? '2' : '1';
  set_text(line.text, name, other);
  const std::string chain = line.chain;
  const bool links = one_in(random, 2);
  if (links) {
    const auto places = lines_of_chain(lines, chain);
    relink(lines, chain, static_cast<std::size_t>(std::find(places.begin(), places.end(), at) - places.begin()) + 1);
  }
  image.set_lines(lines);
  return name + " of line " + std::to_string(at + 1) + " is another" + (links ? ", and all behind it fits" : "");
}

outcome strip_signatures(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto chains = chains_of(lines);
  if (chains.empty()) return std::nullopt;
  const std::string& chain = any_of(random, chains);
  const auto places = lines_of_chain(lines, chain);
  const std::size_t from = below(random, places.size());
  std::size_t stripped = 0;
  for (std::size_t i = from; i < places.size(); ++i) {
    stripped += is_signed(lines[places[i]].text) ? 1 : 0;
    strip_signature(lines[places[i]].text);
  }
  if (stripped == 0) return std::nullopt;
  image.set_lines(lines);
  return std::to_string(stripped) + " signatures of " + chain + " are gone, to its end";
}

/// Behind one run, what another one said.
outcome splice(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  if (runs.size() < 2) return std::nullopt;
  const std::string& from = any_of(random, runs);
  const std::string& to = any_of(random, runs);
  if (from == to) return std::nullopt;
  auto tail = lines_of_chain(lines, from);
  tail.erase(tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(below(random, tail.size())));
  line_list moved;
  for (const std::size_t each : tail) moved.push_back(lines[each]);
  const bool taken_away = one_in(random, 2);
  if (taken_away) erase_indices(lines, tail);
  std::size_t at = lines_of_chain(lines, to).back();
  for (const log_line& each : moved) {
    insert(lines, at + 1, linked_behind(lines[at], each));
    ++at;
  }
  image.set_lines(lines);
  return "the last " + std::to_string(moved.size()) + " of " + from + (taken_away ? " are moved" : " are copied") +
         " behind " + to;
}

outcome swap_chains(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  if (runs.size() < 2) return std::nullopt;
  const std::string& a = any_of(random, runs);
  const std::string& b = any_of(random, runs);
  if (a == b) return std::nullopt;
  const log_line first_of_a = lines[lines_of_chain(lines, a).front()];
  const log_line first_of_b = lines[lines_of_chain(lines, b).front()];
  for (log_line& line : lines) {
    if (line.chain == a) {
      move_to(line, first_of_b, line.sequence);
    } else if (line.chain == b) {
      move_to(line, first_of_a, line.sequence);
    }
  }
  relink(lines, a, 1);
  relink(lines, b, 1);
  image.set_lines(lines);
  return a + " and " + b + " change names";
}

outcome forge_run(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  if (runs.empty()) return std::nullopt;
  const std::string& model = any_of(random, runs);
  const auto places = lines_of_chain(lines, model);
  const std::size_t count = between(random, 1, places.size());
  log_line place = lines[places.front()];
  place.chain = model.substr(0, model.rfind('/') + 1) + std::to_string(between(random, 1, 9'999'999'999'999));
  for (std::size_t i = 0; i < count; ++i) {
    log_line made = lines[places[i]];
    move_to(made, place, made.sequence);
    made.segment = lines.back().segment;
    lines.push_back(std::move(made));
  }
  relink(lines, place.chain, 1);
  image.set_lines(lines);
  return "a run " + place.chain + " is made up, " + std::to_string(count) + " events after " + model;
}

outcome adopt_tail(evidence_image& image, const loot& from, randomness& random) {
  auto what = one_in(random, 2) ? forge_tail(image, from, random) : forge_instead(image, from, random);
  if (!what || !image.has_journal()) return what;
  image.files.erase(std::string{journal_name});
  return *what + "; the journal is gone";
}

}  // namespace

const std::vector<rewrite>& forging_rewrites() {
  static const std::vector<rewrite> all{
      {"forge_tail", expectation::tampering, forge_tail},
      {"forge_tail_with_copied_signature", expectation::tampering, forge_tail_with_copied_signature},
      {"forge_instead", expectation::tampering, forge_instead},
      {"forge_instead_of_end", expectation::tampering, forge_instead_of_end},
      {"forge_between", expectation::tampering, forge_between},
      {"edit", expectation::tampering, edit},
      {"strip_signatures", expectation::tampering, strip_signatures},
      {"splice", expectation::tampering, splice},
      {"swap_chains", expectation::tampering, swap_chains},
      {"forge_run", expectation::tampering, forge_run},
      {"adopt_tail", expectation::tampering, adopt_tail},
  };
  return all;
}

}  // namespace cellos::forge
