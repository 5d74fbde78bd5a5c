// What concerns the host's own chain, and what it says of the runs.

#include <algorithm>
#include <utility>

#include "tests/forge/line_forger.hpp"
#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

namespace {

using outcome = std::optional<std::string>;

constexpr std::string_view run_closed = "host.v1.run_closed";
constexpr std::string_view run_opened = "host.v1.run_opened";

/// The last `"chain":"` is that of `data`.
std::string listed_run(const std::string& line) {
  constexpr std::string_view key = R"("data":{"chain":")";
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

void set_listed_run(std::string& line, const std::string& run) {
  const std::string former = listed_run(line);
  const std::size_t at = line.find(R"("data":{"chain":")" + former);
  if (at != std::string::npos) line.replace(line.find(former, at), former.size(), run);
}

/// The chain's end from event `n` on.
void cut_chain_at(line_list& lines, std::string_view chain, std::size_t n) {
  auto places = lines_of_chain(lines, chain);
  places.erase(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(std::min(n, places.size())));
  erase_indices(lines, places);
}

/// The host's chain from the line at `at` on.
void cut_host_at(line_list& lines, std::size_t at) {
  const std::string chain = lines[at].chain;
  const auto places = lines_of_chain(lines, chain);
  cut_chain_at(lines, chain, static_cast<std::size_t>(std::find(places.begin(), places.end(), at) - places.begin()));
}

/// Takes an event out of its chain and makes what is behind it fit.
void take_out(line_list& lines, std::size_t at) {
  const std::string chain = lines[at].chain;
  const auto places = lines_of_chain(lines, chain);
  const auto n = static_cast<std::size_t>(std::find(places.begin(), places.end(), at) - places.begin());
  erase_indices(lines, {at});
  relink(lines, chain, n);
}

std::optional<std::size_t> closing_of(const line_list& lines, const std::string& run) {
  for (const std::size_t each : lines_of_type(lines, run_closed)) {
    if (listed_run(lines[each].text) == run) return each;
  }
  return std::nullopt;
}

outcome reopen(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto ended = ended_runs_of(lines);
  if (ended.empty()) return std::nullopt;
  const std::string& run = any_of(random, ended);
  const std::size_t events = lines_of_chain(lines, run).size();
  if (events < 2) return std::nullopt;  // retention left its end alone
  const std::size_t kept = between(random, one_in(random, 8) ? 0 : 1, events - 1);
  cut_chain_at(lines, run, kept);
  std::string how = run + " has " + std::to_string(kept) + " of " + std::to_string(events) + " events";
  if (const auto closing = closing_of(lines, run)) {
    switch (below(random, 4)) {
      case 0:
        cut_host_at(lines, *closing);
        how += "; the host's chain ends before it closes it";
        break;
      case 1:
        take_out(lines, *closing);
        how += "; its closing is taken out of the host's chain";
        break;
      default: break;
    }
  }
  image.set_lines(lines);
  return how;
}

outcome forge_closing(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto host = host_chain_of(lines);
  const auto closings = lines_of_type(lines, run_closed);
  const auto runs = runs_of(lines);
  if (!host || closings.empty() || runs.empty()) return std::nullopt;
  log_line made = lines[any_of(random, closings)];
  const std::string& run = any_of(random, runs);
  const log_line& last = lines[lines_of_chain(lines, run).back()];
  if (one_in(random, 2)) {
    set_listed_run(made.text, run);
    set_text(made.text, "lastSequence", std::to_string(last.sequence));
    set_text(made.text, "lastDigest", digest_text_of(last.text));
  }
  if (one_in(random, 2)) strip_signature(made.text);
  const std::size_t end = lines_of_chain(lines, *host).back();
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(end + 1), linked_behind(lines[end], std::move(made)));
  image.set_lines(lines);
  return "a closing of " + run + " is planted behind the host's chain";
}

/// The run's end is cut, and its closing says so.
outcome close_earlier(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto ended = ended_runs_of(lines);
  if (ended.empty()) return std::nullopt;
  const std::string& run = any_of(random, ended);
  const auto closing = closing_of(lines, run);
  const auto places = lines_of_chain(lines, run);
  if (!closing || places.size() < 2) return std::nullopt;
  const std::size_t kept = between(random, 1, places.size() - 1);
  const log_line last = lines[places[kept - 1]];
  const std::string host = lines[*closing].chain;
  set_text(lines[*closing].text, "lastSequence", std::to_string(last.sequence));
  set_text(lines[*closing].text, "lastDigest", digest_text_of(last.text));
  const auto of_host = lines_of_chain(lines, host);
  relink(lines, host,
         static_cast<std::size_t>(std::find(of_host.begin(), of_host.end(), *closing) - of_host.begin()) + 1);
  cut_chain_at(lines, run, kept);
  image.set_lines(lines);
  return run + " ends after " + std::to_string(kept) + ", and its closing says so";
}

outcome swap_closings(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto closings = lines_of_type(lines, run_closed);
  if (closings.size() < 2) return std::nullopt;
  const std::size_t a = any_of(random, closings);
  const std::size_t b = any_of(random, closings);
  if (a == b || lines[a].chain != lines[b].chain) return std::nullopt;
  const log_line was_a = lines[a];
  const log_line was_b = lines[b];
  lines[a].text = was_b.text;
  lines[b].text = was_a.text;
  move_to(lines[a], was_a, was_a.sequence);
  move_to(lines[b], was_b, was_b.sequence);
  relink(lines, was_a.chain, 1);
  image.set_lines(lines);
  return "two closings change places";
}

/// Neither the run nor what the host says of it is left.
outcome drop_run_and_listings(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  if (runs.empty()) return std::nullopt;
  const std::string& run = any_of(random, runs);
  erase_indices(lines, lines_of_chain(lines, run));
  const bool cut_host = one_in(random, 2);
  for (std::size_t i = lines.size(); i-- > 0;) {
    if ((lines[i].type != run_opened && lines[i].type != run_closed) || listed_run(lines[i].text) != run) continue;
    if (cut_host && lines[i].type == run_opened) {
      cut_host_at(lines, i);
      break;
    }
    take_out(lines, i);
  }
  image.set_lines(lines);
  return run + " is gone, and the host's chain " + (cut_host ? "from its opening on" : "does not name it");
}

outcome drop_host_chain(evidence_image& image, const loot&, randomness&) {
  line_list lines = image.lines();
  const auto host = host_chain_of(lines);
  if (!host) return std::nullopt;
  erase_indices(lines, lines_of_chain(lines, *host));
  image.set_lines(lines);
  return "the host's own chain is gone";
}

outcome cut_host_chain(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto host = host_chain_of(lines);
  if (!host) return std::nullopt;
  const std::size_t events = lines_of_chain(lines, *host).size();
  const std::size_t kept = below(random, events);
  cut_chain_at(lines, *host, kept);
  image.set_lines(lines);
  return "the host's chain ends after " + std::to_string(kept) + " of " + std::to_string(events);
}

outcome forge_host_chain(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto host = host_chain_of(lines);
  if (!host) return std::nullopt;
  const auto places = lines_of_chain(lines, *host);
  log_line place = lines[places.front()];
  place.chain = host->substr(0, host->rfind('/') + 1) + std::to_string(between(random, 1, 9'999'999'999'999));
  const std::size_t count = between(random, 1, places.size());
  for (std::size_t i = 0; i < count; ++i) {
    log_line made = lines[places[i]];
    move_to(made, place, made.sequence);
    made.segment = lines.back().segment;
    lines.push_back(std::move(made));
  }
  relink(lines, place.chain, 1);
  image.set_lines(lines);
  return "another chain of the host is made up, " + std::to_string(count) + " events";
}

}  // namespace

const std::vector<rewrite>& listing_rewrites() {
  static const std::vector<rewrite> all{
      {"reopen", expectation::tampering, reopen},
      {"forge_closing", expectation::tampering, forge_closing},
      {"close_earlier", expectation::tampering, close_earlier},
      {"swap_closings", expectation::tampering, swap_closings},
      {"drop_run_and_listings", expectation::tampering, drop_run_and_listings},
      {"drop_host_chain", expectation::tampering, drop_host_chain},
      {"cut_host_chain", expectation::tampering, cut_host_chain},
      {"forge_host_chain", expectation::tampering, forge_host_chain},
  };
  return all;
}

}  // namespace cellos::forge
