// ctest: TIMEOUT 120
#include "runtime/cross_witness/cross_witness.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/cross_witness/witness_line_reader.hpp"
#include "tests/runtime/cross_witness/scripted_cell.hpp"

#define CAF_SUITE cross_witness
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using test::script;
using test::scripted_cell;

namespace {

constexpr std::uint64_t seeds = 1000;

witness_results compare(const std::vector<witness_line>& lines) { return compare_all({}, lines); }
witness_results compare(std::uint64_t seed, const script& how) { return compare(scripted_cell{seed, how}.lines()); }

std::set<std::int64_t> windows_of(const witness_results& results, contradiction kind) {
  std::set<std::int64_t> windows;
  for (const auto& each : results.contradictions) {
    if (each.kind == kind) windows.insert(each.window);
  }
  return windows;
}

std::size_t count_of(const witness_results& results, contradiction kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(results.contradictions, [kind](const auto& each) { return each.kind == kind; }));
}

std::int64_t window_of(wall_time at) { return at.time_since_epoch() / scripted_cell::window; }

/// Windows whose first reading and the next one's are there in time to be compared, and at least so far apart: a cell's
/// life, and that of its readings, begins anywhere in a window.
std::set<std::int64_t> comparable(const std::vector<witness_line>& lines, std::chrono::nanoseconds least) {
  std::map<std::int64_t, wall_time> first;
  for (const witness_line& line : lines) {
    if (std::holds_alternative<witnessed::network_reading>(line.what)) first.try_emplace(window_of(line.at), line.at);
  }
  std::set<std::int64_t> windows;
  for (const auto& [window, at] : first) {
    const auto next = first.find(window + 1);
    const bool is_there = next != first.end() && next->second - at >= least;
    if (is_there && lines.back().at > next->second + 13s) windows.insert(window);
  }
  return windows;
}

/// Each window that must have this contradiction has it once, and no window has another one.
bool is_in_each_window(const witness_results& results, contradiction kind, const std::vector<witness_line>& lines) {
  const auto found = windows_of(results, kind);
  const auto required = comparable(lines, 20s);
  const auto possible = comparable(lines, 0s);
  return found.size() == results.contradictions.size() && std::ranges::includes(found, required) &&
         std::ranges::includes(possible, found) && required.size() > 10;
}

/// By hand, for single cases: readings in the middle of each window.
class hand_made {
 public:
  void declare(std::chrono::nanoseconds at, probe_source source = probe_source::net_connect_attempted,
               std::uint32_t pid = 7) {
    add(at, witnessed::declaration{source, pid});
  }
  void add(std::chrono::nanoseconds at, decltype(witness_line::what) what) {
    lines_.push_back({lines_.size() + 1, epoch + at, what});
  }
  void attempts(std::chrono::nanoseconds at, std::uint64_t value, std::uint64_t instance = 1) {
    add(at, witnessed::network_reading{witnessed::network_counter::connection_attempts, value, instance});
  }
  witness_results results(const cross_witness_settings& settings = {}) const { return compare_all(settings, lines_); }

 private:
  static constexpr wall_time epoch{30s * 1'000'000};
  std::vector<witness_line> lines_;
};

}  // namespace

CAF_TEST(an_honest_cell_contradicts_nothing) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const script how{.connects = static_cast<int>(seed % 7), .declares = static_cast<int>(seed % 7)};
    const auto results = compare(seed, how);
    CAF_CHECK(results.contradictions.empty());
    CAF_CHECK(results.uncompared.empty());
  }
}

CAF_TEST(who_declares_without_traffic_is_reported_exactly_once_a_window) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const scripted_cell cell{seed, {.connects = 0, .declares = 8}};
    const auto results = compare(cell.lines());
    CAF_CHECK(is_in_each_window(results, contradiction::declaration_unwitnessed, cell.lines()));
    for (const auto& each : results.contradictions) CAF_CHECK(each.how == confidence::soft);
  }
}

CAF_TEST(traffic_without_declarations_is_reported_exactly_once_a_window) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const scripted_cell cell{seed, {.connects = 10, .declares = 0}};
    const auto results = compare(cell.lines());
    CAF_CHECK(is_in_each_window(results, contradiction::undeclared_network, cell.lines()));
    for (const auto& each : results.contradictions) CAF_CHECK(each.how == confidence::firm);
  }
}

CAF_TEST(of_a_silent_agent_whose_vmm_lives_nothing_is_said_and_that_is_said) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto dies = 200s + 1s * static_cast<int>(seed % 60);
    const scripted_cell cell{seed, {.connects = 6, .declares = 6, .agent_dies_at = dies}};
    const auto results = compare(cell.lines());
    CAF_CHECK(results.contradictions.empty());
    CAF_CHECK(results.uncompared.size() > 20);
    for (const auto& each : results.uncompared) CAF_CHECK(each.why == not_compared::agent_silent);
  }
}

CAF_TEST(a_vmm_that_dies_is_reported_once_though_its_agent_is_silent) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto dies = 200s + 1s * static_cast<int>(seed % 60);
    const scripted_cell cell{seed, {.connects = 6, .declares = 6, .agent_dies_at = dies, .vmm_dies_at = dies}};
    const auto results = compare(cell.lines());
    CAF_CHECK_EQUAL(results.contradictions.size(), 1u);
    CAF_CHECK_EQUAL(count_of(results, contradiction::undeclared_exit), 1u);
  }
}

CAF_TEST(windows_without_readings_are_not_compared_and_those_after_are) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const scripted_cell cell{seed,
                             {.connects = 10, .declares = 0, .probe_fails_from = 120s, .probe_fails_until = 220s}};
    const auto results = compare(cell.lines());
    CAF_CHECK(is_in_each_window(results, contradiction::undeclared_network, cell.lines()));
    CAF_CHECK(!results.uncompared.empty());
    for (const auto& each : results.uncompared) CAF_CHECK(each.why == not_compared::reading_missing);
  }
}

CAF_TEST(the_log_alone_gives_the_same_results) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const scripted_cell cell{seed,
                             {.connects = static_cast<int>(seed % 9),
                              .declares = static_cast<int>(seed * 7 % 9),
                              .agent_dies_at = seed % 3 == 0 ? 300s : 24h,
                              .vmm_dies_at = seed % 5 == 0 ? 400s : 24h}};
    witness_line_reader reader{std::string{test::attempts_counter}};
    std::vector<witness_line> read;
    for (const witness_line& line : cell.lines()) {
      const std::string text = test::log_line(line);
      const auto parsed = parse_event_line(text);
      CAF_REQUIRE(parsed);
      auto again = reader.read(*parsed);
      CAF_REQUIRE(again);
      read.push_back(*again);
    }
    CAF_CHECK(compare(read) == compare(cell.lines()));
  }
}

CAF_TEST(a_changed_reading_changes_the_results) {
  std::vector<witness_line> lines = scripted_cell{1, {.connects = 10, .declares = 10}}.lines();
  const auto honest = compare(lines);
  for (witness_line& line : lines) {
    if (auto* read = std::get_if<witnessed::network_reading>(&line.what)) read->value = 0;
  }
  CAF_CHECK(honest.contradictions.empty());
  CAF_CHECK(count_of(compare(lines), contradiction::declaration_unwitnessed) > 0);
}

CAF_TEST(whatever_the_lines_are_no_window_has_two_contradictions_of_a_kind) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    std::mt19937_64 random{seed};
    std::vector<witness_line> lines;
    std::chrono::nanoseconds at = 0ns;
    for (std::uint64_t i = 1; i <= 400; ++i) {
      // Now and then the clock goes back.
      at += std::chrono::milliseconds{static_cast<std::int64_t>(random() % 8000) - 500};
      const auto any = random();
      decltype(witness_line::what) what = witnessed::declaration{probe_source::net_connect_attempted, 1};
      switch (any % 12) {
        case 0: what = witnessed::vmm_reading{(any >> 8) % 2 == 0}; break;
        case 1: what = witnessed::cgroup_reading{(any >> 8) % 3, (any >> 16) % 3}; break;
        case 2:
          what = any % 5 == 0 ? decltype(what){witnessed::silence{10s}} : decltype(what){witnessed::resumption{}};
          break;
        case 3: what = any % 7 == 0 ? decltype(what){witnessed::loss{}} : decltype(what){witnessed::restart{}}; break;
        case 4: what = witnessed::declaration{probe_source::process_exited, 1}; break;
        case 5: break;
        default: what = witnessed::network_reading{witnessed::network_counter::connection_attempts, i * (any % 2), 1};
      }
      lines.push_back({i, wall_time{1'000'000s} + at, what});
    }
    std::set<std::pair<std::int64_t, contradiction>> seen;
    for (const auto& each : compare(lines).contradictions) {
      CAF_CHECK(seen.emplace(each.window, each.kind).second);
      if (each.kind == contradiction::undeclared_exit) continue;
      CAF_CHECK(each.first_reading < each.last_reading);
      CAF_CHECK(each.from < each.to);
    }
  }
}

CAF_TEST(attempts_that_are_sent_again_are_explained_by_the_one_that_was_declared) {
  hand_made cell;
  cell.declare(1s);
  for (int window = 0; window < 6; ++window)
    cell.attempts(30s * window + 5s, window == 0 ? 1 : 4u + static_cast<unsigned>(window));
  CAF_CHECK(cell.results().contradictions.empty());
}

CAF_TEST(a_contradiction_begins_above_one_threshold_and_ends_below_another) {
  hand_made cell;
  const std::vector<std::uint64_t> counted{2, 5, 1, 1, 0, 2, 3};
  std::uint64_t value = 0;
  for (std::size_t window = 0; window <= counted.size() + 1; ++window) {
    cell.attempts(30s * static_cast<int>(window) + 5s, value);
    if (window < counted.size()) value += counted[window];
  }
  cross_witness_settings settings;
  settings.connection_attempts.background = 0;
  const auto windows = windows_of(cell.results(settings), contradiction::undeclared_network);
  CAF_CHECK(windows == (std::set<std::int64_t>{1'000'001, 1'000'002, 1'000'003, 1'000'006}));
}

CAF_TEST(a_background_is_learnt_and_a_cell_cannot_teach_more_than_the_limit) {
  const auto windows_with = [](std::uint64_t a_window, std::uint64_t later) {
    hand_made cell;
    std::uint64_t value = 0;
    for (int window = 0; window < 12; ++window) {
      cell.attempts(30s * window + 5s, value);
      value += window < 6 ? a_window : later;
    }
    return windows_of(cell.results(), contradiction::undeclared_network).size();
  };
  // Two a window are background, and four then are not enough beyond it.
  CAF_CHECK_EQUAL(windows_with(2, 4), 0u);
  CAF_CHECK_EQUAL(windows_with(2, 5), 4u);
  // None in the first windows: three are enough.
  CAF_CHECK_EQUAL(windows_with(0, 3), 4u);
  // A cell that begins with much is not believed.
  CAF_CHECK_EQUAL(windows_with(50, 50), 10u);
}

CAF_TEST(a_counter_that_began_anew_is_not_compared) {
  hand_made cell;
  cell.attempts(5s, 100);
  cell.attempts(35s, 3);
  cell.attempts(65s, 50, 2);
  cell.attempts(95s, 50, 2);
  cell.attempts(150s, 50, 2);
  const auto results = cell.results();
  CAF_CHECK(results.contradictions.empty());
  CAF_REQUIRE_EQUAL(results.uncompared.size(), 2u);
  CAF_CHECK(results.uncompared.front().why == not_compared::counter_restarted);
}

CAF_TEST(a_restart_and_a_loss_leave_their_windows_out) {
  hand_made cell;
  cell.attempts(5s, 0);
  cell.add(10s, witnessed::loss{});
  cell.attempts(35s, 100);
  cell.attempts(65s, 100);
  cell.add(70s, witnessed::restart{});
  cell.attempts(95s, 200);
  cell.attempts(125s, 200);
  cell.attempts(155s, 200);
  const auto results = cell.results();
  CAF_CHECK(results.contradictions.empty());
  using enum not_compared;
  const auto network = witnessed_count::network;
  // What was declared late in the second window may have come while the daemon was away.
  const std::vector<uncompared_window> expected{{network, declarations_lost, 1'000'000},
                                                {network, daemon_restarted, 1'000'001},
                                                {network, daemon_restarted, 1'000'002}};
  CAF_CHECK(results.uncompared == expected);
}

CAF_TEST(kills_for_want_of_memory_and_refused_forks_are_reported) {
  hand_made cell;
  for (int window = 0; window < 5; ++window) {
    cell.add(30s * window + 5s, witnessed::cgroup_reading{window >= 2 ? 1u : 0u, window >= 3 ? 9u : 0u});
  }
  const auto results = cell.results();
  CAF_REQUIRE_EQUAL(results.contradictions.size(), 2u);
  CAF_CHECK(results.contradictions[0].kind == contradiction::undeclared_oom_kill);
  CAF_CHECK_EQUAL(results.contradictions[0].window, 1'000'001);
  CAF_CHECK_EQUAL(results.contradictions[0].first_reading, 2u);
  CAF_CHECK(results.contradictions[1].kind == contradiction::undeclared_refused_forks);
  CAF_CHECK_EQUAL(results.contradictions[1].counted, 9u);
}

CAF_TEST(an_end_that_the_guest_declared_or_the_run_ended_with_is_none_to_report) {
  const auto with = [](bool declared, bool ended) {
    hand_made cell;
    cell.add(5s, witnessed::vmm_reading{true});
    if (declared) cell.declare(12s, probe_source::process_exited, 1);
    cell.add(15s, witnessed::vmm_reading{false});
    if (ended) cell.add(20s, witnessed::end{});
    for (int i = 2; i < 10; ++i) cell.add(10s * i + 5s, witnessed::vmm_reading{false});
    return count_of(cell.results(), contradiction::undeclared_exit);
  };
  CAF_CHECK_EQUAL(with(false, false), 1u);
  CAF_CHECK_EQUAL(with(true, false), 0u);
  CAF_CHECK_EQUAL(with(false, true), 0u);
}

CAF_TEST(packets_are_explained_by_any_connection_and_prove_little) {
  const auto with = [](bool declares) {
    hand_made cell;
    if (declares) cell.declare(1s);
    for (int window = 0; window < 5; ++window) {
      cell.add(30s * window + 5s, witnessed::network_reading{witnessed::network_counter::packets,
                                                             1000u * static_cast<unsigned>(window), 3});
    }
    return cell.results().contradictions;
  };
  CAF_CHECK(with(true).empty());
  CAF_REQUIRE_EQUAL(with(false).size(), 3u);
  CAF_CHECK(with(false).front().how == confidence::soft);
}
