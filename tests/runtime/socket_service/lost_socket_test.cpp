#define CAF_SUITE lost_socket
#include <spdlog/logger.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "caf/test/dsl.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/runtime/socket_service/faulty_socket_calls.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct fixture {
  test::temporary_directory home;
  std::shared_ptr<soak::event_counter> counted = std::make_shared<soak::event_counter>();
  operator_events events{std::make_shared<spdlog::logger>("test", counted), log_format::text};
  faulty_socket_calls calls;
  cell_specification cell;
  std::string path;

  fixture() {
    fs::create_directory(home / "d");
    cell.cell_id = "cell-1";
    cell.vsock_uds_base = home / "d/v";
    path = cell.socket_path();
  }
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST_FIXTURE_SCOPE(lost_socket_tests, fixture)

CAF_TEST(a lost socket is bound again and whoever was connected stays) {
  socket_service service{{}, events, calls};
  const auto intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  test::raw_guest old{path};
  old.write_frames(1);
  CAF_CHECK(!intake->ensure_bound());
  CAF_CHECK_EQUAL(counted->count("socket_lost"), 0u);

  // This one is in the backlog when the file goes.
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return collected.frames() == 1; }));
  calls.close_gate(true);
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return calls.is_held(); }));
  test::raw_guest waiting{path};
  waiting.write_frames(1);
  fs::remove_all(home / "d");
  fs::create_directory(home / "d");
  CAF_CHECK(!intake->ensure_bound());
  test::raw_guest fresh{path};
  fresh.write_frames(1);
  calls.close_gate(false);
  old.write_frames(1);
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return collected.frames() == 4; }));
  CAF_CHECK_EQUAL(intake->counts().connections_open, 3u);
  CAF_CHECK_EQUAL(counted->count("socket_lost"), 1u);
  CAF_CHECK(has(counted->last("socket_restored"), "bound again"));
  CAF_CHECK_EQUAL(events.counts().sockets_lost, 1u);
  CAF_CHECK_EQUAL(events.counts().sockets_restored, 1u);
}

CAF_TEST(another file in the place of the socket is not ours to take) {
  socket_service service{{}, events};
  auto intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  fs::remove(path);
  std::ofstream{path} << "precious";
  auto refused = intake->ensure_bound();
  CAF_REQUIRE(refused);
  CAF_CHECK(has(refused->explanation, "is not a socket"));
  fs::remove(path);
  {
    const file_descriptor another = test::listen_at(path);
    refused = intake->ensure_bound();
    CAF_REQUIRE(refused);
    CAF_CHECK(has(refused->explanation, "another process listens there"));
  }
  CAF_MESSAGE("but a stale one is");
  CAF_CHECK(!intake->ensure_bound());
  CAF_CHECK(test::accepts_connections(path));
  CAF_CHECK_EQUAL(counted->count("socket_lost"), 1u);
  intake = nullptr;
  CAF_CHECK(!fs::exists(path));
}

CAF_TEST(whoever has taken the path of a lost socket by another name keeps it) {
  socket_service service{{}, events};
  const auto intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  fs::rename(home / "d", home / "e");
  fs::create_directory(home / "f");
  fs::create_directory_symlink(home / "f", home / "d");
  cell_specification other;
  other.cell_id = "cell-2";
  other.vsock_uds_base = home / "f/v";
  const auto second = service.bind(other).intake;
  CAF_REQUIRE(second);
  const auto refused = intake->ensure_bound();
  CAF_REQUIRE(refused);
  CAF_CHECK(refused->belongs_to_another);
}

CAF_TEST(a lost socket is noticed without being asked for) {
  socket_service service{{.file_watch_interval = 10ms}, events};
  const auto intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  fs::rename(path, home / "away");
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return !intake->counts().file_in_place; }));
  CAF_CHECK(has(counted->last("socket_lost"), "its file is gone"));
  fs::rename(home / "away", path);
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return intake->counts().file_in_place; }));
  CAF_CHECK(has(counted->last("socket_restored"), "came back"));
  CAF_CHECK_EQUAL(counted->count("socket_lost"), 1u);
}

CAF_TEST(a file that was removed on purpose is not missed) {
  socket_service service{{.file_watch_interval = 1ms}, events};
  const auto intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  std::atomic<bool> drained{false};
  intake->drain([&] { drained = true; });
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return drained.load(); }));
  CAF_CHECK(!intake->ensure_bound());
  CAF_CHECK(!fs::exists(path));
  // Long enough for many looks.
  CAF_CHECK(!test::holds_within(50ms, [&] { return counted->count("socket_lost") > 0; }));
}

CAF_TEST_FIXTURE_SCOPE_END()
