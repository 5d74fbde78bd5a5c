#define CAF_SUITE held_back_guest
#include <spdlog/logger.h>

#include <memory>
#include <span>
#include <vector>

#include "caf/test/dsl.hpp"
#include "runtime/guest_sim/connection.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/runtime/socket_service/faulty_socket_calls.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

CAF_TEST(a guest that was held back in the middle of a frame for longer than a torn frame may last is not torn) {
  const test::temporary_directory home;
  operator_events events{std::make_shared<spdlog::logger>("test", std::make_shared<soak::event_counter>()),
                         log_format::text};
  faulty_socket_calls calls;
  socket_service service{{.chunks_per_cell = 2, .half_frame_timeout = 200ms}, events, calls};
  cell_specification cell;
  cell.cell_id = "cell-1";
  cell.vsock_uds_base = home / "cell-1";
  const cell_intake_ptr intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};

  // Far more than two reads take, so that the second ends within a frame.
  constexpr std::uint64_t frames = 5000;
  std::vector<std::uint8_t> stream;
  for (std::uint64_t number = 1; number <= frames; ++number) {
    const auto frame = numbered_frame(number);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  const guest_sim::stop_signal never;
  auto guest = guest_sim::connection::open(cell.socket_path(), 5s, never);
  std::span<const std::uint8_t> rest{stream};
  const auto write_more = [&] {
    if (!rest.empty()) rest = rest.subspan(guest.write_some(rest));
  };
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] {
    write_more();
    return intake->counts().chunks_unacknowledged == 2;
  }));
  // The turn in which the credit comes back is one in which torn frames are looked for.
  calls.close_gate(true);
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return calls.is_held(); }));
  CAF_CHECK(!test::holds_within(1s, [&] {
    write_more();
    return collected.ended(chunk_ending::torn) > 0;
  }));
  collected.acknowledge();
  calls.close_gate(false);
  CAF_CHECK(test::holds_within(test::test_timeout, [&] {
    write_more();
    collected.acknowledge();
    return collected.frames() == frames;
  }));
  CAF_CHECK_EQUAL(collected.ended(chunk_ending::torn), 0u);
  CAF_CHECK_EQUAL(intake->counts().connections_open, 1u);
}
