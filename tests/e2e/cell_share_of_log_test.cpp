#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE cell_share_of_log
#include "caf/test/dsl.hpp"

// ctest: TIMEOUT 180

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t flood_frames = 300'000;  // some 150 MB of lines
constexpr std::uint64_t said_before = 200;
constexpr std::uint64_t said_meanwhile = 200;

std::uint64_t bytes_of(const std::filesystem::path& dir) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator{dir}) {
    if (file.path().extension() == ".jsonl") bytes += file.file_size();
  }
  return bytes;
}

}  // namespace

CAF_TEST(one_guest_that_floods_a_small_log_costs_its_neighbours_no_line) {
  const std::vector<cell_settings> cells{{.id = "floods"}, {.id = "n1"}, {.id = "n2"}};
  controlled_daemon host{{.cells = cells, .evidence = "max_bytes = '32MiB'\n"}};
  const std::vector<std::string> neighbours{"n1", "n2"};
  const auto neighbours_say = [&](std::uint64_t frames, std::uint64_t seed) {
    for (const std::string& id : neighbours) {
      CAF_CHECK_EQUAL(simulate({.socket = host.home().socket_of(id), .frames = frames, .seed = seed}).declarations,
                      frames);
    }
  };
  neighbours_say(said_before, 1);
  simulator flooding{{.socket = host.home().socket_of("floods"), .frames = flood_frames}};
  neighbours_say(said_meanwhile, 2);
  CAF_CHECK_EQUAL(flooding.finish(90s).frames, flood_frames);
  CAF_CHECK_EQUAL(host.daemon().stop(60s), 0);

  CAF_CHECK(bytes_of(host.home().evidence_dir()) < (std::uint64_t{16} << 20));
  const std::vector<event> all = read_events(host.home().evidence_dir());
  for (const std::string& id : neighbours) {
    CAF_CHECK_EQUAL(events_of(all, id, "run.v1.started").size(), 1u);
    std::uint64_t declared = 0;
    for (const event& each : all) declared += each.cell_id == id && each.is_declaration() ? 1 : 0;
    CAF_CHECK_EQUAL(declared, said_before + said_meanwhile);
  }
  const auto ended = events_of(all, "floods", "run.v1.ended");
  CAF_REQUIRE_EQUAL(ended.size(), 1u);
  const auto totals = nlohmann::json::parse(ended.front().line).at("data").at("totals");
  const auto count = [](const nlohmann::json& text) { return std::stoull(text.get<std::string>()); };
  const std::uint64_t refused = count(totals.at("refused").at("over_quota"));
  CAF_CHECK(refused > flood_frames / 2);
  CAF_CHECK_EQUAL(count(totals.at("received")), flood_frames);
  CAF_CHECK_EQUAL(count(totals.at("inFlight")), 0u);
  CAF_CHECK_EQUAL(count(totals.at("appended")) + count(totals.at("heartbeats")) + refused, flood_frames);
  std::uint64_t summarised = 0;
  for (const event& each : events_of(all, "floods", "guest.v1.telemetry_dropped")) {
    summarised += count(nlohmann::json::parse(each.line).at("data").at("refused").at("over_quota"));
  }
  CAF_CHECK_EQUAL(summarised, refused);
}
