// ctest: TIMEOUT 120
//
// Everything that can be done to a log with one hand: each is detected, and a finding names the place. The number of
// declarations a run and of other values tried for each byte are bounded here; CELLOS_TAMPER_SWEEP=DECLARATIONS,VALUES
// asks for more (`./dev tamper`).

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/reference_chain.hpp"
#include "tests/support/verified_lines.hpp"

#define CAF_SUITE tamper_sweep
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

namespace {

struct extent {
  // As few as make one event of each kind.
  std::uint64_t declarations = 7;
  unsigned values = 2;
};

extent asked_extent() {
  extent asked;
  unsigned long long declarations = 0;
  const char* text = std::getenv("CELLOS_TAMPER_SWEEP");
  if (text != nullptr && std::sscanf(text, "%llu,%u", &declarations, &asked.values) == 2) {
    asked.declarations = declarations;
  }
  return asked;
}

/// A whole log of two hosts and four runs, its results, and what was done to it.
class tampered_log {
 public:
  tampered_log(bool sign_every_event, std::uint64_t declarations)
      : key_(signing_key::generate(signing_algorithm::hmac_sha256, "host-2026")),
        next_key_(signing_key::generate(signing_algorithm::ed25519, "host-2027")),
        keys_(keys_of({&key_, &next_key_})),
        checked_(&keys_) {
    sample what;
    what.key = &key_;
    what.next_key = &next_key_;
    what.sign_every_event = sign_every_event;
    what.declarations_of_each = declarations;
    what.runs_of_each = 2;
    lines_ = sample_log(what);
    for (std::string& line : lines_) {
      line.pop_back();
      results_.push_back(checked_.add(line));
    }
  }

  const std::vector<std::string>& lines() const { return lines_; }
  const std::vector<const line_result*>& results() const { return results_; }
  std::size_t size() const { return lines_.size(); }
  const signing_key& key() const { return key_; }
  const key_list& keys() const { return keys_; }

  /// `lines` in place of the `count` lines from `at` on.
  verification_report with(std::size_t at, std::size_t count, const std::vector<std::string>& lines,
                           bool unterminated = false) {
    checked_log log{results_, unterminated, true};
    const auto begin = log.lines.begin() + static_cast<std::ptrdiff_t>(at);
    auto into = log.lines.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
    for (const std::string& each : lines) into = std::next(log.lines.insert(into, checked_.add(each)));
    auto report = verify_whole(log, finished());
    checked_.keep(lines_.size());
    return report;
  }

  verification_report arranged(std::vector<const line_result*> order) const {
    return verify_whole({std::move(order), false, true}, finished());
  }

  static verification_options finished() {
    verification_options options;
    options.finished = true;
    return options;
  }

 private:
  signing_key key_;
  signing_key next_key_;
  key_list keys_;
  verified_lines checked_;
  std::vector<std::string> lines_;
  std::vector<const line_result*> results_;
};

/// A finding points at line `at`, or names its chain and its own or the next sequence.
bool names(const verification_report& report, const tampered_log& log, std::size_t at) {
  const line_result& line = *log.results()[at];
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const finding& each) {
    return each.line == at + 1 ||
           (each.chain == line.chain && each.sequence >= line.sequence && each.sequence <= line.sequence + 1);
  });
}

/// Of failures, a few in full: there may be a hundred thousand.
class outcome {
 public:
  explicit outcome(std::string operation) : operation_(std::move(operation)) {}

  void count(bool good, const std::function<std::string()>& story) {
    ++tried_;
    if (good) return;
    if (++failed_ <= 5) stories_.push_back(story());
  }
  void add(const outcome& other) {
    tried_ += other.tried_;
    failed_ += other.failed_;
    stories_.insert(stories_.end(), other.stories_.begin(), other.stories_.end());
  }
  void check() const {
    for (const std::string& each : stories_) CAF_MESSAGE("not detected or not named: " << operation_ << ": " << each);
    CAF_MESSAGE(operation_ << ": " << tried_ << " tried, " << failed_ << " not detected or not named");
    CAF_CHECK(tried_ > 0);
    CAF_CHECK_EQUAL(failed_, 0u);
  }

 private:
  std::string operation_;
  std::uint64_t tried_ = 0;
  std::uint64_t failed_ = 0;
  std::vector<std::string> stories_;
};

std::string story_of(const verification_report& report, const std::string& what) {
  std::string out = what;
  for (const finding& each : report.findings) {
    out += "\n    " + std::string{to_string(each.cause)} + " " + each.chain + " " + std::to_string(each.sequence) +
           " line " + std::to_string(each.line) + ": " + each.words;
  }
  return out;
}

void expect_named(outcome& all, const tampered_log& log, const verification_report& report, std::size_t at,
                  const std::string& what) {
  all.count(!report.clean() && names(report, log, at),
            [&] { return story_of(report, what + " at line " + std::to_string(at + 1)); });
}

/// Byte `position` of line `at`, its newline included, made `value`.
verification_report with_byte(tampered_log& log, std::size_t at, std::size_t position, char value) {
  const std::string& line = log.lines()[at];
  if (position == line.size()) {
    if (at + 1 == log.size()) return log.with(at, 1, {line + value}, true);
    return log.with(at, 2, {line + value + log.lines()[at + 1]});
  }
  std::string changed = line;
  changed[position] = value;
  if (value != '\n') return log.with(at, 1, {changed});
  return log.with(at, 1, {changed.substr(0, position), changed.substr(position + 1)});
}

/// Small steps that a checker that folds or skips would miss, in turns from position to position, then whatever comes.
std::vector<char> other_values(char original, unsigned count, std::size_t position, std::mt19937& random) {
  const auto byte = static_cast<unsigned char>(original);
  const std::array<unsigned, 9> steps{byte ^ 0x20u, byte ^ 1u, 0xffu, 0x20u, 0x0au, 0x22u, byte ^ 0x80u, 0u, 0x5cu};
  std::set<unsigned char> values;
  for (std::size_t i = 0; i < steps.size() && values.size() < count; ++i) {
    const auto other = static_cast<unsigned char>(steps[(position + i) % steps.size()]);
    if (other != byte) values.insert(other);
  }
  while (values.size() < std::min(count, 255u)) {
    const auto other = static_cast<unsigned char>(random());
    if (other != byte) values.insert(other);
  }
  return {values.begin(), values.end()};
}

/// Every `step`th line, from `first` on.
void sweep_lines(outcome& all, tampered_log& log, std::size_t first, std::size_t step, unsigned values) {
  std::mt19937 random{static_cast<unsigned>(first)};
  for (std::size_t at = first; at < log.size(); at += step) {
    const std::size_t bytes = log.lines()[at].size() + 1;
    for (std::size_t position = 0; position < bytes; ++position) {
      const char original = position + 1 == bytes ? '\n' : log.lines()[at][position];
      for (const char value : other_values(original, values, position + at, random)) {
        expect_named(all, log, with_byte(log, at, position, value), at,
                     "byte " + std::to_string(position) + " made " + std::to_string(static_cast<unsigned char>(value)));
      }
    }
  }
}

void sweep_bytes(bool sign_every_event) {
  const extent asked = asked_extent();
  const std::string name = std::string{"bytes changed, "} + (sign_every_event ? "every event signed" : "checkpoints");
  const std::size_t threads = std::max(std::thread::hardware_concurrency(), 1u);
  std::vector<outcome> outcomes(threads, outcome{name});
  std::vector<std::thread> sweepers;
  std::size_t events = 0;
  for (std::size_t t = 0; t < threads; ++t) {
    sweepers.emplace_back([&, t] {
      tampered_log log{sign_every_event, asked.declarations};
      if (t == 0) events = log.size();
      sweep_lines(outcomes[t], log, t, threads, asked.values);
    });
  }
  for (std::thread& each : sweepers) each.join();
  outcome all{name + ", " + std::to_string(events) + " events"};
  for (const outcome& each : outcomes) all.add(each);
  all.check();
}

/// What each chain's lines are, in the order of the log.
std::map<std::string, std::vector<std::uint64_t>> orders_of(const std::vector<const line_result*>& lines) {
  std::map<std::string, std::vector<std::uint64_t>> orders;
  for (const line_result* each : lines) orders[std::string{each->chain}].push_back(each->sequence);
  return orders;
}

std::string without_member(const std::string& line, std::string_view begin, std::string_view end) {
  const std::size_t from = line.find(begin);
  const std::size_t to = line.find(end, from + 1);
  return from == std::string::npos ? line : line.substr(0, from) + line.substr(to);
}

/// The attributes that say where a line belongs, and its link, as `place` has them; the rest as `content` has it.
std::string moved(std::string content, const std::string& place) {
  for (const std::string_view name : {R"("id":")", R"("source":")", R"("subject":")", R"("chain":")", R"("sequence":")",
                                      R"("prevdigest":")", R"("cellId":")", R"("runId":")"}) {
    const std::size_t from = content.find(name);
    const std::size_t there = place.find(name);
    if (from == std::string::npos || there == std::string::npos) continue;
    const std::size_t begin = from + name.size();
    const std::size_t value = there + name.size();
    content.replace(begin, content.find('"', begin) - begin, place.substr(value, place.find('"', value) - value));
  }
  return content;
}

/// Of the logs that whole lines are done something to, which takes less.
const std::uint64_t many_declarations = std::max<std::uint64_t>(40, asked_extent().declarations);

}  // namespace

CAF_TEST(an_untouched_log_is_clean) {
  for (const bool every_event : {false, true}) {
    const tampered_log log{every_event, many_declarations};
    CAF_CHECK(log.arranged(log.results()).clean());
  }
}

CAF_TEST(every_changed_byte_of_a_checkpointed_log_is_named) { sweep_bytes(false); }

CAF_TEST(every_changed_byte_of_a_signed_log_is_named) { sweep_bytes(true); }

CAF_TEST(every_deletion_is_named) {
  for (const bool every_event : {false, true}) {
    tampered_log log{every_event, many_declarations};
    outcome all{"deletions"};
    for (std::size_t at = 0; at < log.size(); ++at) expect_named(all, log, log.with(at, 1, {}), at, "deleted");
    all.check();
  }
}

CAF_TEST(every_duplication_is_named) {
  tampered_log log{false, many_declarations};
  outcome all{"duplications"};
  for (std::size_t at = 0; at < log.size(); ++at) {
    const std::string& line = log.lines()[at];
    expect_named(all, log, log.with(at, 1, {line, line}), at, "written twice");
    expect_named(all, log, log.with(log.size(), 0, {line}), at, "written again at the end");
    expect_named(all, log, log.with(0, 0, {line}), at, "written again at the beginning");
  }
  all.check();
}

CAF_TEST(a_swap_is_named_if_it_changes_the_order_within_a_chain_and_is_nothing_otherwise) {
  const tampered_log log{false, many_declarations};
  const auto order = orders_of(log.results());
  outcome all{"swaps"};
  std::size_t harmless = 0;
  const auto swap = [&](std::size_t a, std::size_t b) {
    auto lines = log.results();
    std::swap(lines[a], lines[b]);
    const bool harm = orders_of(lines) != order;
    const auto report = log.arranged(std::move(lines));
    harmless += harm ? 0 : 1;
    const auto reordered = report.findings_by_cause[static_cast<std::size_t>(finding_cause::reordered)];
    all.count(harm ? reordered > 0 : report.clean(),
              [&] { return story_of(report, std::to_string(a + 1) + " and " + std::to_string(b + 1)); });
  };
  for (std::size_t at = 0; at + 1 < log.size(); ++at) swap(at, at + 1);
  std::mt19937 random{2};
  std::uniform_int_distribution<std::size_t> any{0, log.size() - 1};
  for (int i = 0; i < 2000; ++i) swap(any(random), any(random));
  all.check();
  CAF_MESSAGE(harmless << " of them between lines of different chains only");
  CAF_CHECK(harmless > 0);
}

CAF_TEST(every_cut_of_the_end_is_named) {
  for (const bool every_event : {false, true}) {
    const tampered_log log{every_event, many_declarations};
    outcome as_finished{"cuts of a finished log"};
    outcome as_live{"cuts, checked as a log that may go on"};
    for (std::size_t length = 1; length < log.size(); ++length) {
      const std::vector<const line_result*> lines{log.results().begin(),
                                                  log.results().begin() + static_cast<std::ptrdiff_t>(length)};
      const auto report = log.arranged(lines);
      as_finished.count(report.findings_by_cause[static_cast<std::size_t>(finding_cause::missing)] > 0,
                        [&] { return story_of(report, "cut after " + std::to_string(length)); });
      // What nobody can know from a log that goes on is reported as such: open, and signed until where.
      const auto live = verify_whole({lines, false, true});
      const auto is_reported = [&](const chain_report& chain) {
        return chain.state == chain_state::open || chain.unsigned_tail() == 0;
      };
      as_live.count(!live.clean() || std::all_of(live.chains.begin(), live.chains.end(), is_reported),
                    [&] { return story_of(live, "cut after " + std::to_string(length)); });
    }
    as_finished.check();
    as_live.check();
  }
}

CAF_TEST(every_cut_of_the_beginning_is_named) {
  const tampered_log log{false, many_declarations};
  outcome all{"cuts of the beginning"};
  for (std::size_t begin = 1; begin < log.size(); ++begin) {
    const auto report = log.arranged({log.results().begin() + static_cast<std::ptrdiff_t>(begin), log.results().end()});
    all.count(report.findings_by_cause[static_cast<std::size_t>(finding_cause::missing)] > 0,
              [&] { return story_of(report, "cut before " + std::to_string(begin + 1)); });
  }
  all.check();
}

CAF_TEST(every_splice_is_named) {
  for (const bool every_event : {false, true}) {
    tampered_log log{every_event, many_declarations};
    outcome all{"splices"};
    std::mt19937 random{3};
    std::uniform_int_distribution<std::size_t> any{0, log.size() - 1};
    for (std::size_t at = 0; at < log.size(); ++at) {
      for (int i = 0; i < 4; ++i) {
        const std::size_t from = any(random);
        if (from == at) continue;
        const std::string& place = log.lines()[at];
        const std::string& content = log.lines()[from];
        expect_named(all, log, log.with(at, 1, {content}), at, "replaced by line " + std::to_string(from + 1));
        const std::string fitted = moved(content, place);
        if (fitted != place) {
          expect_named(all, log, log.with(at, 1, {fitted}), at, "replaced, fitted, by " + std::to_string(from + 1));
          expect_named(all, log, log.with(at, 0, {fitted}), at, "put before, fitted, " + std::to_string(from + 1));
        }
        // Another line's signature: a checkpoint that was good elsewhere.
        const std::string_view member = R"(,"dssematerial":")";
        const std::size_t other = content.find(member);
        if (other == std::string::npos || place.find(member) == std::string::npos) continue;
        std::string resealed = without_member(place, member, R"(,"data":)");
        resealed.insert(resealed.find(R"(,"data":)"), content, other, content.find(R"(,"data":)") - other);
        expect_named(all, log, log.with(at, 1, {resealed}), at, "with the seal of " + std::to_string(from + 1));
      }
    }
    all.check();
  }
}

CAF_TEST(a_signature_taken_out_of_what_is_always_signed_is_named_by_its_chain) {
  tampered_log log{false, many_declarations};
  outcome all{"signatures taken out"};
  for (std::size_t at = 0; at < log.size(); ++at) {
    const std::string bare = without_member(log.lines()[at], R"(,"dssematerial")", R"(,"data":)");
    if (bare == log.lines()[at]) continue;
    const auto report = log.with(at, 1, {bare});
    const std::string_view chain = log.results()[at]->chain;
    all.count(std::any_of(report.findings.begin(), report.findings.end(),
                          [chain](const finding& each) { return each.chain == chain; }),
              [&] { return story_of(report, "line " + std::to_string(at + 1)); });
  }
  all.check();
}
