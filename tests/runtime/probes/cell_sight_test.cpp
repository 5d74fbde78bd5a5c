#include "runtime/probes/cell_sight.hpp"

#define CAF_SUITE cell_sight
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

probe_reading of(host_probe probe, const std::string& output) { return {probe, "{}", output, std::nullopt}; }
probe_reading alive(const std::string& user_us) {
  return of(host_probe::process, R"({"alive":true,"cpuSystemUs":"5","cpuUserUs":")" + user_us + "\"}");
}

}  // namespace

CAF_TEST(a_live_vmm_moves_or_stands_still_between_two_looks) {
  cell_sight sight;
  const auto first = sight.take(alive("10"), monotonic_time{1s});
  CAF_CHECK(first.vmm->state == vmm_state::alive);
  CAF_CHECK(!first.cpu_moving);
  CAF_CHECK(first.looked_at == monotonic_time{1s});
  CAF_CHECK(sight.take(alive("12"), monotonic_time{2s}).cpu_moving == true);
  CAF_CHECK(sight.take(alive("12"), monotonic_time{3s}).cpu_moving == false);
}

CAF_TEST(how_a_vmm_ended_is_seen_as_far_as_it_was) {
  cell_sight sight;
  sight.take(alive("10"), {});
  const auto killed = sight.take(of(host_probe::process, R"({"alive":false,"ended":"signalled","signal":9})"), {});
  CAF_CHECK(killed.vmm == (host_sighting::vmm_sighting{vmm_state::signalled, 9}));
  CAF_CHECK(!killed.cpu_moving);
  const auto exited = sight.take(of(host_probe::process, R"({"alive":false,"ended":"exited","exitCode":3})"), {});
  CAF_CHECK(exited.vmm == (host_sighting::vmm_sighting{vmm_state::exited, 3}));
  const auto reaped = sight.take(of(host_probe::process, R"({"alive":false,"ended":"unknown"})"), {});
  CAF_CHECK(reaped.vmm == (host_sighting::vmm_sighting{vmm_state::ended, std::nullopt}));
}

CAF_TEST(a_group_has_processes_or_none) {
  cell_sight sight;
  const auto with = [](const char* count) {
    return of(host_probe::cgroup,
              std::string{R"({"v2":{"cgroup.events":{"frozen":"0","populated":")"} + count + "\"}}}");
  };
  CAF_CHECK(sight.take(with("1"), {}).cgroup_populated == true);
  CAF_CHECK(sight.take(with("0"), {}).cgroup_populated == false);
}

CAF_TEST(traffic_moves_where_either_source_counts) {
  cell_sight sight;
  const auto tap = [](const char* rx) {
    return of(host_probe::tap_link, std::string{R"({"rxPackets":")"} + rx + R"(","txPackets":"1"})");
  };
  const auto rules = [](const char* packets) {
    return of(host_probe::nftables, std::string{R"({"rows":[{"packets":")"} + packets + R"("},{"packets":"1"}]})");
  };
  CAF_CHECK(!sight.take(tap("7"), {}).traffic_moving);
  CAF_CHECK(!sight.take(rules("3"), {}).traffic_moving);
  CAF_CHECK(sight.take(tap("7"), {}).traffic_moving == false);
  CAF_CHECK(sight.take(rules("4"), {}).traffic_moving == true);
  CAF_CHECK(sight.take(tap("7"), {}).traffic_moving == true);
  CAF_CHECK(sight.take(rules("4"), {}).traffic_moving == false);
}

CAF_TEST(what_a_probe_said_that_fails_now_is_not_said_any_more) {
  cell_sight sight;
  const auto tap = of(host_probe::tap_link, R"({"rxPackets":"1","txPackets":"1"})");
  sight.take(alive("10"), monotonic_time{1s});
  sight.take(tap, monotonic_time{2s});
  CAF_CHECK(sight.take(tap, monotonic_time{3s}).looked_at == monotonic_time{1s});
  const auto left = sight.forget(host_probe::process);
  CAF_CHECK(!left.vmm);
  CAF_CHECK(left.traffic_moving == false);
  CAF_CHECK(left.looked_at == monotonic_time{3s});
  CAF_CHECK(sight.forget(host_probe::tap_link).is_empty());
}

CAF_TEST(another_vmm_begins_to_count_anew) {
  cell_sight sight;
  sight.take(alive("10"), {});
  auto other = alive("20");
  other.inputs = R"({"pid":2})";
  CAF_CHECK(!sight.take(other, {}).cpu_moving);
}

CAF_TEST(what_says_nothing_changes_nothing) {
  cell_sight sight;
  const auto before = sight.take(alive("10"), monotonic_time{1s});
  for (const char* odd : {"", "{}", "[]", "{\"alive\":\"yes\"}", "not JSON", R"({"rows":5})"}) {
    for (std::size_t i = 0; i < host_probe_names.size(); ++i) {
      CAF_CHECK(sight.take(of(static_cast<host_probe>(i), odd), monotonic_time{9s}) == before);
    }
  }
}
