#include "runtime/probes/look_board.hpp"

#include <memory>
#include <string>

#define CAF_SUITE look_board
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr monotonic_time start{100s};

probe_reading_ptr reading_of(host_probe probe, std::string output) {
  return std::make_shared<const probe_reading>(probe_reading{probe, "{}", std::move(output), std::nullopt});
}

recorded_contradiction counted(std::uint64_t number) {
  recorded_contradiction found;
  found.kind = "undeclared_network";
  found.counted = number;
  return found;
}

const host_stamp run{"h", "c", "r1", "s"};

struct fixture {
  fixture() { board.begin("c", "r1"); }
  cell_look look() const { return board.of("c").value(); }

  look_board board;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(look_board_tests, fixture)

CAF_TEST(of_each_probe_the_last_reading_is_kept_and_how_it_fails_since) {
  board.read(run, reading_of(host_probe::cgroup, "{}"), start);
  board.read(run, reading_of(host_probe::process, R"({"alive":true})"), start + 1s);
  board.read(run, reading_of(host_probe::process, R"({"alive":false})"), start + 2s);
  board.failed(run, host_probe::cgroup, {probe_error_kind::io, "gone"});
  board.failed(run, host_probe::fc_metrics, {probe_error_kind::timed_out, "late"});
  const auto all = look().probes;
  CAF_REQUIRE_EQUAL(all.size(), 3u);
  CAF_CHECK(all[0].probe == host_probe::process);
  CAF_CHECK(all[0].read_at == start + 2s && !all[0].failing);
  CAF_CHECK_EQUAL(all[0].reading->output, R"({"alive":false})");
  CAF_CHECK(all[1].probe == host_probe::cgroup);
  CAF_CHECK(all[1].read_at == start && all[1].reading);
  CAF_CHECK(all[1].failing == (probe_error{probe_error_kind::io, "gone"}));
  CAF_CHECK(all[2].probe == host_probe::fc_metrics);
  CAF_CHECK(!all[2].read_at && !all[2].reading && all[2].failing);
  board.read(run, reading_of(host_probe::cgroup, "{}"), start + 3s);
  CAF_CHECK(!look().probes[1].failing);
}

CAF_TEST(what_is_kept_of_a_cell_is_bounded) {
  board.read(run, reading_of(host_probe::exec, std::string(look_board::longest_reading, 'x')), start);
  CAF_CHECK(!look().probes.front().reading);
  CAF_CHECK_EQUAL(look().probes.front().reading_bytes, look_board::longest_reading + 2);
  const std::uint64_t many = 3 * look_board::most_contradictions;
  for (std::uint64_t i = 1; i <= many; ++i) board.found("c", "r1", counted(i));
  CAF_CHECK_EQUAL(look().contradictions, many);
  CAF_REQUIRE_EQUAL(look().last_contradictions.size(), look_board::most_contradictions);
  CAF_CHECK_EQUAL(look().last_contradictions.front().counted, many);
  CAF_CHECK_EQUAL(look().last_contradictions.back().counted, many - look_board::most_contradictions + 1);
}

CAF_TEST(another_run_begins_with_nothing_and_the_same_one_keeps_what_was_found) {
  board.read(run, reading_of(host_probe::process, "{}"), start);
  board.found("c", "r1", counted(1));
  board.begin("c", "r1");
  CAF_CHECK(look().probes.empty());
  CAF_CHECK_EQUAL(look().contradictions, 1u);
  board.begin("c", "r2");
  board.found("c", "r1", counted(2));
  board.read(run, reading_of(host_probe::process, "{}"), start);
  board.failed(run, host_probe::cgroup, {probe_error_kind::io, "late"});
  CAF_CHECK(look().probes.empty());
  CAF_CHECK_EQUAL(look().contradictions, 0u);
  CAF_CHECK(look().last_contradictions.empty());
}

CAF_TEST(nothing_is_kept_of_a_cell_that_is_not_watched) {
  board.end("c");
  board.read(run, reading_of(host_probe::process, "{}"), start);
  board.failed(run, host_probe::process, {probe_error_kind::io, ""});
  board.found("c", "r1", counted(1));
  CAF_CHECK(!board.of("c"));
}

CAF_TEST_FIXTURE_SCOPE_END()
