#include "runtime/probes/probe_schedule.hpp"

#include <algorithm>
#include <map>
#include <random>

#include "runtime/probes/probe_health.hpp"
#include "runtime/probes/shared_source.hpp"

#define CAF_SUITE probe_schedule
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

using source = probe_schedule::source;

source own(const std::string& cell, host_probe probe = host_probe::process) { return {probe, cell}; }
const source links{host_probe::tap_link, "links of the host"};

probe_schedule_settings seeded(std::uint64_t seed) {
  probe_schedule_settings settings;
  settings.seed = seed;
  return settings;
}

/// Reads at once whatever is due, step by step; when each source was read.
std::map<source, std::vector<monotonic_time>> run(probe_schedule& schedule, monotonic_time until) {
  std::map<source, std::vector<monotonic_time>> read;
  monotonic_time now{};
  while (now <= until) {
    for (const auto& each : schedule.take_due(now)) {
      read[each.what].push_back(now);
      schedule.finished(each, now);
    }
    now = schedule.next_wake();
  }
  return read;
}

}  // namespace

CAF_TEST(each_source_is_read_once_a_period_with_jitter_around_its_own_phase) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    probe_schedule schedule{seeded(seed)};
    for (int cell = 0; cell < 20; ++cell) schedule.add("cell-" + std::to_string(cell), own(std::to_string(cell)), {});
    const auto read = run(schedule, monotonic_time{600s});
    CAF_CHECK_EQUAL(read.size(), 20u);
    for (const auto& [what, times] : read) {
      CAF_CHECK(times.front() < monotonic_time{10s});
      CAF_CHECK(times.size() == 60u || times.size() == 61u || times.size() == 59u);
      for (std::size_t i = 0; i < times.size(); ++i) {
        const auto off = times[i] - times.front() - 10s * static_cast<int>(i);
        CAF_CHECK(off >= -1s && off <= 1s);
      }
    }
    CAF_CHECK_EQUAL(schedule.missed(), 0u);
  }
}

CAF_TEST(phases_spread_over_the_period) {
  probe_schedule schedule{seeded(7)};
  for (int cell = 0; cell < 1000; ++cell) schedule.add(std::to_string(cell), own(std::to_string(cell)), {});
  std::array<int, 10> a_second{};
  for (const auto& [what, times] : run(schedule, monotonic_time{9'999ms})) {
    ++a_second[static_cast<std::size_t>(times.front().time_since_epoch() / 1s)];
  }
  for (const int count : a_second) CAF_CHECK(count > 60 && count < 140);
}

CAF_TEST(the_same_seed_is_the_same_schedule_and_another_is_another) {
  const auto at = [](std::uint64_t seed) {
    probe_schedule schedule{seeded(seed)};
    schedule.add("cell", own("cell"), {});
    return run(schedule, monotonic_time{100s}).begin()->second;
  };
  CAF_CHECK(at(1) == at(1));
  CAF_CHECK(at(1) != at(2));
}

CAF_TEST(cells_that_share_a_source_are_due_together_with_one_reading) {
  probe_schedule schedule{seeded(1)};
  for (const std::string cell : {"a", "b", "c"}) schedule.add(cell, links, {});
  CAF_CHECK_EQUAL(schedule.sources(), 1u);
  const auto due = schedule.take_due(monotonic_time{10s});
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  CAF_CHECK(due.front().cells == (std::vector<std::string>{"a", "b", "c"}));
  schedule.remove("b");
  schedule.finished(due.front(), monotonic_time{10s});
  CAF_CHECK(schedule.take_due(monotonic_time{30s}).front().cells == (std::vector<std::string>{"a", "c"}));
}

CAF_TEST(a_turn_has_no_more_readings_than_it_may_and_what_is_left_goes_first) {
  auto settings = seeded(3);
  settings.readings_a_turn = 10;
  probe_schedule schedule{settings};
  for (int cell = 0; cell < 25; ++cell) schedule.add(std::to_string(cell), own(std::to_string(cell)), {});
  std::set<source> read;
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 3; ++i) {
    const auto due = schedule.take_due(monotonic_time{10s});
    sizes.push_back(due.size());
    for (const auto& each : due) CAF_CHECK(read.insert(each.what).second);
  }
  CAF_CHECK(sizes == (std::vector<std::size_t>{10, 10, 5}));
  CAF_CHECK(schedule.next_wake() == monotonic_time::max());
}

CAF_TEST(a_source_with_more_cells_than_a_turn_has_readings_goes_alone) {
  auto settings = seeded(3);
  settings.readings_a_turn = 10;
  probe_schedule schedule{settings};
  for (int cell = 0; cell < 50; ++cell) schedule.add(std::to_string(cell), links, {});
  schedule.add("0", own("0"), {});
  std::size_t readings = 0;
  for (int i = 0; i < 2; ++i) {
    const auto due = schedule.take_due(monotonic_time{10s});
    CAF_REQUIRE_EQUAL(due.size(), 1u);
    readings += due.front().cells.size();
  }
  CAF_CHECK_EQUAL(readings, 51u);
}

CAF_TEST(what_is_still_read_is_not_due_and_what_it_missed_is_counted_and_not_made_up_for) {
  probe_schedule schedule{seeded(5)};
  schedule.add("cell", own("cell"), {});
  const auto due = schedule.take_due(monotonic_time{10s});
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  CAF_CHECK(schedule.take_due(monotonic_time{45s}).empty());
  schedule.finished(due.front(), monotonic_time{45s});
  CAF_CHECK(schedule.missed() == 3u || schedule.missed() == 4u);
  CAF_CHECK(schedule.next_wake() > monotonic_time{44s});
  CAF_CHECK(schedule.next_wake() <= monotonic_time{56s});
  CAF_CHECK_EQUAL(schedule.take_due(schedule.next_wake()).size(), 1u);
}

CAF_TEST(a_cell_that_went_and_came_is_not_finished_by_its_former_reading) {
  probe_schedule schedule{seeded(5)};
  schedule.add("cell", own("cell"), {});
  const auto former = schedule.take_due(monotonic_time{10s});
  schedule.remove("cell");
  CAF_CHECK_EQUAL(schedule.sources(), 0u);
  schedule.finished(former.front(), monotonic_time{11s});
  CAF_CHECK_EQUAL(schedule.sources(), 0u);
  schedule.add("cell", own("cell"), monotonic_time{11s});
  const auto present = schedule.take_due(monotonic_time{21s});
  CAF_REQUIRE_EQUAL(present.size(), 1u);
  schedule.finished(former.front(), monotonic_time{21s});
  CAF_CHECK(schedule.next_wake() == monotonic_time::max());
  schedule.finished(present.front(), monotonic_time{21s});
  CAF_CHECK(schedule.next_wake() < monotonic_time::max());
}

CAF_TEST(whatever_comes_and_goes_no_source_is_read_twice_at_once) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random{seed};
    probe_schedule schedule{seeded(seed)};
    std::map<source, std::uint64_t> running;
    std::vector<probe_schedule::due_source> taken;
    monotonic_time now{};
    for (int step = 0; step < 300; ++step) {
      now += std::chrono::milliseconds{random() % 3000};
      const std::string cell = std::to_string(random() % 8);
      switch (random() % 4) {
        case 0: schedule.add(cell, random() % 2 == 0 ? links : own(cell), now); break;
        case 1: schedule.remove(cell); break;
        case 2:
          for (auto& each : schedule.take_due(now)) {
            CAF_CHECK(each.ticket > running[each.what]);
            CAF_CHECK(!each.cells.empty());
            running[each.what] = each.ticket;
            taken.push_back(std::move(each));
          }
          break;
        default:
          if (taken.empty()) break;
          std::swap(taken[random() % taken.size()], taken.back());
          schedule.finished(taken.back(), now);
          taken.pop_back();
      }
    }
  }
}

CAF_TEST(a_source_in_haste_is_read_then_and_its_other_readings_stay_where_they_are) {
  const auto times = [](bool in_haste) {
    probe_schedule schedule{seeded(3)};
    schedule.add("a", own("a"), {});
    std::vector<monotonic_time> read;
    for (monotonic_time now{}; now < monotonic_time{60s}; now += 10ms) {
      if (in_haste && now == monotonic_time{25s}) schedule.hasten(own("a"), now);
      for (const auto& each : schedule.take_due(now)) {
        read.push_back(now);
        schedule.finished(each, now);
      }
    }
    return read;
  };
  auto hastened = times(true);
  const auto at = std::find(hastened.begin(), hastened.end(), monotonic_time{25s});
  CAF_REQUIRE(at != hastened.end());
  hastened.erase(at);
  CAF_CHECK(hastened == times(false));
}

CAF_TEST(haste_during_a_reading_is_another_reading_and_never_two_in_a_moment) {
  probe_schedule schedule{seeded(1)};
  schedule.add("a", own("a"), {});
  schedule.hasten(own("a"), monotonic_time{0s});
  auto due = schedule.take_due(monotonic_time{0s});
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  for (int i = 0; i < 100; ++i) schedule.hasten(own("a"), monotonic_time{1ms});
  CAF_CHECK(schedule.take_due(monotonic_time{1ms}).empty());
  schedule.finished(due.front(), monotonic_time{2ms});
  CAF_CHECK(schedule.take_due(monotonic_time{99ms}).empty());
  CAF_CHECK_EQUAL(schedule.take_due(monotonic_time{100ms}).size(), 1u);
  schedule.hasten(own("nobody"), monotonic_time{0s});
  schedule.remove("a", own("a"));
  CAF_CHECK_EQUAL(schedule.sources(), 0u);
  CAF_CHECK(schedule.next_wake() == monotonic_time::max());
}

CAF_TEST(a_shared_source_is_read_once_a_turn_and_its_error_is_shared) {
  int reads = 0;
  shared_source<int> source{[&](monotonic_time) -> probe_result<int> {
    if (++reads == 2) return probe_error{probe_error_kind::io, "gone"};
    return reads;
  }};
  const auto in_turn = [&](std::uint64_t number) -> const probe_result<int>& {
    return *source.of({nullptr, number, {}, monotonic_time::max()});
  };
  CAF_CHECK_EQUAL(*in_turn(1), 1);
  CAF_CHECK_EQUAL(*in_turn(1), 1);
  CAF_CHECK(!in_turn(2));
  CAF_CHECK(!in_turn(2));
  CAF_CHECK_EQUAL(*in_turn(3), 3);
  CAF_CHECK_EQUAL(reads, 3);
}

CAF_TEST(a_change_of_state_is_reported_once) {
  using change = probe_health::change;
  probe_health health;
  CAF_CHECK(!health.succeeded());
  CAF_CHECK(health.failed(probe_error_kind::io) == change{probe_error_kind::io});
  for (int i = 0; i < 999; ++i) CAF_CHECK(!health.failed(probe_error_kind::io));
  CAF_CHECK(health.failed(probe_error_kind::timed_out) == change{probe_error_kind::timed_out});
  CAF_CHECK(health.succeeded() == change{std::nullopt});
  CAF_CHECK(!health.succeeded());
  CAF_CHECK_EQUAL(health.errors(probe_error_kind::io), 1000u);
  CAF_CHECK_EQUAL(health.errors(probe_error_kind::timed_out), 1u);
  CAF_CHECK_EQUAL(health.readings(), 3u);
}

CAF_TEST(a_reading_has_its_source_its_inputs_and_its_output) {
  std::string out;
  append_reading(out, {host_probe::tap_link, R"({"interface":"tap0"})", R"({"up":true})", std::nullopt});
  CAF_CHECK_EQUAL(out, R"({"inputs":{"interface":"tap0"},"output":{"up":true},"probeSource":"host.tap_link"})");
  CAF_CHECK_EQUAL(short_name(host_probe::tap_link), "tap_link");
  CAF_CHECK(parse_host_probe("host.nftables") == host_probe::nftables);
  CAF_CHECK(!parse_host_probe("nftables"));
}
