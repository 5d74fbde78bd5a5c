#define CAF_SUITE drain_deadline
#include <spdlog/logger.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "caf/test/dsl.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/runtime/socket_service/faulty_socket_calls.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Both clocks, moved by the test's hand while the I/O thread reads them.
struct manual_clocks {
  class wall_hand final : public wall_clock {
   public:
    wall_time now() const override { return wall_time{seconds.load() * 1s}; }
    std::atomic<int> seconds{1'700'000'000};
  };
  class monotonic_hand final : public monotonic_clock {
   public:
    monotonic_time now() const override { return monotonic_time{seconds.load() * 1s}; }
    std::atomic<int> seconds{1000};
  };

  wall_hand wall;
  monotonic_hand monotonic;
};

/// No socket can be asked to take nothing more.
class endless_sockets final : public faulty_socket_calls {
 public:
  int shutdown(int, int) override {
    errno = EIO;
    return -1;
  }
};

struct fixture {
  test::temporary_directory home;
  std::shared_ptr<soak::event_counter> counted = std::make_shared<soak::event_counter>();
  operator_events events{std::make_shared<spdlog::logger>("test", counted), log_format::text};
  manual_clocks clocks;
  endless_sockets endless;
  cell_specification cell;
  std::atomic<bool> drained{false};

  fixture() {
    cell.cell_id = "cell-1";
    cell.run_id = "run-1";
    cell.vsock_uds_base = home / "cell-1";
  }

  cell_intake_ptr bind(socket_service& service) const {
    auto bound = service.bind(cell);
    CAF_REQUIRE(bound.intake);
    return std::move(bound.intake);
  }
  service_clocks ports() const { return {clocks.wall, clocks.monotonic}; }
  bool is_drained_within(std::chrono::nanoseconds limit) {
    return test::holds_within(limit, [&] { return drained.load(); });
  }
};

/// A cell's intake, and a guest of it whose first frame was read.
struct served_guest {
  served_guest(const fixture& test, socket_service& service)
      : intake(test.bind(service)), collected(intake), guest(test.cell.socket_path()) {
    guest.write_frames(1);
    CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return collected.frames() == 1; }));
  }

  cell_intake_ptr intake;
  collected_chunks collected;
  test::raw_guest guest;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(drain_deadline_tests, fixture)

CAF_TEST(a cell that ends and never gets credit is closed at its deadline and the operator is reported) {
  socket_service service{{.chunks_per_cell = 1, .drain_timeout = 10s}, events, real_socket_calls(), ports()};
  served_guest served{*this, service};
  auto& [intake, collected, guest] = served;
  guest.write_frames(1);
  intake->drain([&] { drained = true; });
  CAF_CHECK(!is_drained_within(300ms));
  clocks.monotonic.seconds += 9;
  CAF_CHECK(!is_drained_within(300ms));
  CAF_CHECK_EQUAL(counted->count("cell_not_drained"), 0u);
  clocks.monotonic.seconds += 1;
  CAF_CHECK(is_drained_within(test::test_timeout));
  CAF_CHECK(guest.is_closed_within(test::test_timeout));
  CAF_CHECK_EQUAL(counted->count("cell_not_drained"), 1u);
  CAF_CHECK(counted->last("cell_not_drained").find("cell=cell-1 run=run-1") != std::string::npos);
  CAF_CHECK(counted->last("cell_not_drained").find("1 connection") != std::string::npos);
  CAF_CHECK_EQUAL(collected.frames(), 1u);
  CAF_CHECK_EQUAL(collected.ended(chunk_ending::closed), 1u);
  CAF_CHECK_EQUAL(intake->counts().frames_received, 1u);
  CAF_CHECK_EQUAL(intake->counts().connections_open, 0u);
}

CAF_TEST(a cell that is read in time is drained without a word) {
  socket_service service{{.chunks_per_cell = 1, .drain_timeout = 10s}, events, real_socket_calls(), ports()};
  served_guest served{*this, service};
  auto& [intake, collected, guest] = served;
  guest.write_frames(1);
  guest.write_half_a_frame();
  intake->drain([&] { drained = true; });
  CAF_CHECK(!is_drained_within(100ms));
  clocks.monotonic.seconds += 9;
  CAF_CHECK(test::holds_within(test::test_timeout, [&] {
    collected.acknowledge();
    return drained.load();
  }));
  CAF_CHECK_EQUAL(counted->count("cell_not_drained"), 0u);
  CAF_CHECK_EQUAL(collected.frames(), 3u);
  CAF_CHECK_EQUAL(collected.ended(chunk_ending::torn), 1u);
}

CAF_TEST(guests that could write on are cut off at the deadline) {
  socket_service service{{.drain_timeout = 10s}, events, endless, ports()};
  const auto intake = bind(service);
  collected_chunks collected{intake};
  test::raw_guest whole{cell.socket_path()};
  test::raw_guest half{cell.socket_path()};
  whole.write_frames(1);
  half.write_half_a_frame();
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return collected.frames() == 1; }));
  intake->drain([&] { drained = true; });
  CAF_CHECK(!is_drained_within(300ms));
  whole.write_frames(1);
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return collected.frames() == 2; }));
  clocks.monotonic.seconds += 10;
  CAF_CHECK(is_drained_within(test::test_timeout));
  CAF_CHECK(counted->last("cell_not_drained").find("2 connections") != std::string::npos);
  CAF_CHECK_EQUAL(collected.ended(chunk_ending::closed), 1u);
  CAF_CHECK_EQUAL(collected.ended(chunk_ending::torn), 1u);
}

CAF_TEST(chunks are dated by the clocks of the port) {
  socket_service service{{}, events, real_socket_calls(), ports()};
  served_guest served{*this, service};
  auto& [intake, collected, guest] = served;
  clocks.wall.seconds -= 3600;
  clocks.monotonic.seconds += 5;
  guest.write_frames(1);
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return collected.frames() == 2; }));
  const auto chunks = collected.chunks();
  CAF_CHECK(chunks.front()->received_at == wall_time{1'700'000'000s});
  CAF_CHECK(chunks.front()->received_mono == monotonic_time{1000s});
  CAF_CHECK(chunks.back()->received_at == wall_time{1'700'000'000s - 3600s});
  CAF_CHECK(chunks.back()->received_mono == monotonic_time{1005s});
}

CAF_TEST(a frame that is not whole by its time is torn by that clock and no other) {
  socket_service service{{.half_frame_timeout = 10s}, events, real_socket_calls(), ports()};
  served_guest served{*this, service};
  auto& [intake, collected, guest] = served;
  const std::uint64_t whole = intake->counts().bytes_received;
  guest.write_half_a_frame();
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return intake->counts().bytes_received > whole; }));
  clocks.wall.seconds += 3600;
  clocks.monotonic.seconds += 10;
  CAF_CHECK(!test::holds_within(1s, [&] { return collected.ended(chunk_ending::torn) > 0; }));
  clocks.monotonic.seconds += 1;
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return collected.ended(chunk_ending::torn) == 1; }));
}

CAF_TEST_FIXTURE_SCOPE_END()
