#include "tests/forge/forge.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "runtime/os/exit_code.hpp"
#include "tests/forge/daemon_life.hpp"
#include "tests/forge/line_forger.hpp"
#include "tests/forge/whole_state.hpp"

namespace cellos::forge {

namespace {

/// One that has runs, several keys' worth of signatures, and an end.
constexpr std::uint64_t seed_of_other_host = 3;

std::map<std::string, line_texts> canonical_chains(const evidence_image& image) {
  std::map<std::string, line_texts> chains;
  for (const log_line& line : image.lines()) chains[line.chain].push_back(canonical(line.text));
  return chains;
}

/// Of each line of `one` that `other` does not hold as often.
std::vector<std::string> segments_of_lines_not_in(const evidence_image& one, const evidence_image& other) {
  std::multiset<std::string> known;
  for (std::string& each : canonical_lines(other)) known.insert(std::move(each));
  std::vector<std::string> segments;
  for (const log_line& line : one.lines()) {
    const auto found = known.find(canonical(line.text));
    if (found == known.end()) {
      segments.push_back(line.segment);
    } else {
      known.erase(found);
    }
  }
  return segments;
}

/// Besides lines, nothing was touched but what leaves the outcome open by itself: bytes behind the journal's end, which
/// a crash may leave too, and links to copies.
bool only_lines_matter(const evidence_image& image, const evidence_image& before) {
  const std::string journal = before.journal_or_nothing();
  return std::ranges::all_of(image.odd_entries,
                             [](const auto& each) { return each.second == odd_entry::link_to_copy; }) &&
         (journal.empty() ? image.journal_or_nothing().empty() : image.journal_or_nothing().starts_with(journal));
}

std::vector<std::string> segments_that_differ(const evidence_image& one, const evidence_image& other) {
  std::map<std::string, std::array<line_texts, 2>> segments;
  for (const log_line& line : one.lines()) segments[line.segment][0].push_back(canonical(line.text));
  for (const log_line& line : other.lines()) segments[line.segment][1].push_back(canonical(line.text));
  std::vector<std::string> names;
  for (const auto& [name, both] : segments) {
    if (both[0] != both[1]) names.push_back(name);
  }
  return names;
}

/// What is no whole line at the end of the log is cut off at every start.
evidence_image without_torn_line(evidence_image image) {
  const auto segments = image.segments();
  if (!segments.empty()) image.files[segments.back()] = whole_lines(image.files[segments.back()]);
  return image;
}

std::vector<const rewrite*> of_kind(bool harmless) {
  std::vector<const rewrite*> chosen;
  for (const rewrite& each : every_rewrite()) {
    if ((each.expected == expectation::harmless) == harmless) chosen.push_back(&each);
  }
  return chosen;
}

}  // namespace

adversary::adversary(forge_options options) : options_(std::move(options)) {
  const history made = make_history(home_, seed_of_other_host, other_host);
  for (const std::string& each : made.problems) throw std::runtime_error("the other host: " + each);
  other_host_ = made.last();
}

void adversary::prepare(std::uint64_t seed) {
  const std::uint64_t wanted = seed / attempts_on_one_history;
  if (!history_ || history_->seed != wanted) history_ = make_history(home_, wanted);
}

attempt adversary::attack(std::uint64_t seed) {
  attempt made;
  made.seed = seed;
  try {
    prepare(seed);
    carry_out(made);
  } catch (const std::exception& error) {
    made.violations.push_back(std::string{"exception: "} + error.what());
  }
  return made;
}

void adversary::carry_out(attempt& made) {
  made.story = history_->story;
  made.violations = history_->problems;
  if (!made.violations.empty()) return;
  randomness random{made.seed};
  evidence_image image = history_->last();
  choose(made, image, random);
  if (made.idle) return;
  made.expected = expectation_of(made, image);
  image.write(home_.evidence_dir());
  const aftermath seen = live_over(random);
  // Whatever was done to it, what is left is as it would be.
  const bool may_be_moot = !seen.hung && made.expected == expectation::tampering;
  const bool is_moot = may_be_moot && has_forgotten_rewritten(image, history_->last());
  const auto forgotten = [&](const evidence_image& state) { return has_forgotten_rewritten(image, state); };
  if (may_be_moot && !is_moot && std::ranges::any_of(history_->states, forgotten)) {
    made.expected = expectation::respelled_earlier_state;
  }
  if (!is_moot) check(made, seen, lacks_events(image));
  if (!made.violations.empty()) keep(made, image);
}

void adversary::apply(attempt& made, evidence_image& image, const rewrite& chosen, randomness& random) {
  const loot have{*history_, other_host_};
  auto action = chosen.apply(image, have, random);
  if (!action) return;
  made.rewrites.emplace_back(chosen.name);
  made.actions.push_back(std::move(*action));
  made.expected = std::max(made.expected, chosen.expected);
}

/// Harmless ones last: what they do to a line's spelling would be in the way of the others.
void adversary::choose(attempt& made, evidence_image& image, randomness& random) {
  static const auto harmful = of_kind(false);
  static const auto harmless = of_kind(true);
  if (!options_.rewrite.empty()) {
    const auto& all = every_rewrite();
    const auto named =
        std::find_if(all.begin(), all.end(), [&](const rewrite& r) { return r.name == options_.rewrite; });
    apply(made, image, *named, random);
    made.idle = made.rewrites.empty();
    return;
  }
  if (one_in(random, 24)) return;  // Left as it is.
  const bool only_harmless = one_in(random, 10);
  const std::uint64_t kind = below(random, 20);
  const std::uint64_t wanted = only_harmless ? 0 : kind < 12 ? 1 : kind < 17 ? 2 : 3;
  for (int tries = 0; made.rewrites.size() < wanted && tries < 40; ++tries) {
    apply(made, image, *any_of(random, harmful), random);
  }
  if (only_harmless || one_in(random, 8)) apply(made, image, *any_of(random, harmless), random);
}

/// Several rewrites may come to less than each of them.
expectation adversary::expectation_of(const attempt& made, const evidence_image& rewritten) const {
  const evidence_image image = without_torn_line(rewritten);
  if (made.expected == expectation::harmless) return made.expected;
  const bool in_place_of_ours = std::ranges::any_of(
      image.odd_entries, [&](const auto& each) { return history_->last().files.contains(each.first); });
  if (in_place_of_ours) return made.expected;
  const evidence_image& last = history_->last();
  if (!lacks_events(image) && canonical_chains(image) == canonical_chains(last) &&
      image.journal_or_nothing() == last.journal_or_nothing()) {
    return expectation::open;
  }
  const auto back = rollback_of(rewritten, history_->states);
  // That the last append is gone comes out where segments were removed behind it.
  if (back == rollback::exact) {
    return history_->forgetful ? expectation::respelled_earlier_state : expectation::earlier_state;
  }
  if (back == rollback::respelled) return expectation::respelled_earlier_state;
  if (canonical_chains(image) != canonical_chains(last)) return made.expected;
  // All evidence is there. Whether somebody was at an earlier state of the journal need not come out.
  const std::string journal = whole_lines(image.journal_or_nothing());
  const auto knows = [&](const evidence_image& state) { return state.journal_or_nothing().starts_with(journal); };
  return !journal.empty() && std::ranges::any_of(history_->states, knows) ? expectation::open : made.expected;
}

/// Whether an event is gone that an earlier report, the last one, held.
bool adversary::lacks_events(const evidence_image& image) const {
  std::set<std::string> there;
  for (std::string& each : canonical_lines(image)) there.insert(std::move(each));
  const auto held = canonical_lines(history_->last());
  return std::any_of(held.begin(), held.end(), [&](const std::string& each) { return !there.contains(each); });
}

/// What of `before` was rewritten is gone as it would be without that: by retention.
bool adversary::has_forgotten_rewritten(const evidence_image& image, const evidence_image& before) const {
  if (!only_lines_matter(image, before)) return false;
  const auto left = home_.image().segments();
  if (left.empty()) return false;
  std::vector<std::string> touched = segments_of_lines_not_in(before, image);
  std::ranges::copy(segments_of_lines_not_in(image, before), std::back_inserter(touched));
  // The same lines in another order.
  if (touched.empty()) touched = segments_that_differ(before, image);
  return !touched.empty() && std::ranges::all_of(touched, [&](const std::string& each) { return each < left.front(); });
}

/// A daemon with the same key, and maybe with the cells that were there.
adversary::aftermath adversary::live_over(randomness& random) {
  host_plan plan = history_->plan;
  if (one_in(random, 3)) plan.cells.clear();
  home_.configure(plan);
  daemon_life daemon{home_.configuration(), home_.operator_log()};
  if (!daemon.wait_ready()) {
    aftermath refused;
    refused.refusal = daemon.operator_log();
    refused.hung = !daemon.has_ended() || daemon.exit_code() != exit_unavailable;
    return refused;
  }
  if (!plan.cells.empty() && one_in(random, 4)) {
    const cell_plan& cell = any_of(random, plan.cells);
    if (!cell.silent && !home_.declare(cell, between(random, 1, 3))) {
      return {"declarations of " + cell.id + " did not get into the log", true, {}, {}};
    }
  }
  if (const int code = daemon.stop(); code != exit_success) {
    return {"the daemon ended with " + std::to_string(code) + "\n" + daemon.operator_log(), true, {}, {}};
  }
  return look({});
}

adversary::aftermath adversary::look(const verification::earlier_ends& earlier) const {
  aftermath seen;
  std::set<std::string> causes;
  verification::verification_report report;
  try {
    report = home_.verify(true, attacked_host, earlier);
  } catch (const std::runtime_error& refusal) {
    seen.findings.emplace_back(refusal.what());
    causes.emplace("cannot be verified");
  }
  for (const verification::finding& each : report.findings) {
    if (each.cause == options_.blind) continue;
    seen.findings.push_back(std::string{to_string(each.cause)} + ' ' + each.chain + ' ' +
                            std::to_string(each.sequence) + ": " + each.words);
    causes.emplace(to_string(each.cause));
  }
  for (const std::string& each : causes) seen.causes += (seen.causes.empty() ? "" : ", ") + each;
  return seen;
}

void adversary::check(attempt& made, const aftermath& seen, bool lacks) const {
  const auto violate = [&](std::string what, const std::vector<std::string>& findings = {}) {
    for (const std::string& each : findings) what += "\n      " + each;
    made.violations.push_back(std::move(what));
  };
  made.outcome = seen.refusal.empty() ? seen.causes : "refused to start";
  if (seen.hung) return violate("the daemon hangs or dies: " + seen.refusal);
  const bool clean = seen.refusal.empty() && seen.findings.empty();
  const bool must_be_clean = made.expected == expectation::harmless || made.expected == expectation::earlier_state;
  if (must_be_clean && !seen.refusal.empty()) return violate("the daemon refuses to start: " + seen.refusal);
  if (must_be_clean && !clean) return violate("verify --finished is not clean", seen.findings);
  if (made.expected == expectation::tampering) {
    if (clean) violate("verify --finished is clean");
    return;
  }
  if (!clean) return;
  const aftermath after = look(history_->report);
  if (made.expected == expectation::earlier_state || made.expected == expectation::respelled_earlier_state) {
    if (lacks && after.findings.empty()) violate("events are gone, and verify --after is clean");
    return;
  }
  if (!after.findings.empty()) violate("verify --finished is clean, verify --after is not", after.findings);
}

void adversary::keep(const attempt& made, const evidence_image& image) const {
  if (options_.keep.empty()) return;
  const std::filesystem::path dir = options_.keep / std::to_string(made.seed);
  std::filesystem::create_directories(dir);
  const evidence_image result = home_.image();
  history_->last().write(dir / "before");
  image.write(dir / "rewritten");
  result.write(dir / "after");
  std::filesystem::copy_file(home_.operator_log(), dir / "operator.log",
                             std::filesystem::copy_options::overwrite_existing);
}

}  // namespace cellos::forge
