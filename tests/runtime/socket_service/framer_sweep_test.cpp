#define CAF_SUITE framer_sweep
#include <spdlog/logger.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "caf/test/dsl.hpp"
#include "messages/decode_chunk.hpp"
#include "messages/wire_format.hpp"
#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/socket_service/framer.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/frame_oracle.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using bytes = std::vector<std::uint8_t>;

/// Frames of every kind that has a length, and where each begins; the end is the last entry.
struct fixture {
  fixture() {
    guest_sim::frame_maker maker{7, wire::content_version_1_1};
    const auto take = [&](const guest_sim::made_frame& frame) {
      boundaries.push_back(stream.size());
      stream.insert(stream.end(), frame.bytes.begin(), frame.bytes.end());
      refused += frame.expected.refusal == telemetry_errc::none ? 0 : 1;
    };
    for (int i = 0; i < 2; ++i) {
      take(maker.honest());
      take(maker.heartbeat());
      take(maker.forged());
      take(maker.garbage());
      take(maker.wrong_major());
    }
    boundaries.push_back(stream.size());
  }

  /// Whole frames among the first `length` bytes.
  std::uint32_t whole_frames(std::size_t length) const {
    std::uint32_t whole = 0;
    while (whole + 1 < boundaries.size() && boundaries[whole + 1] <= length) ++whole;
    return whole;
  }
  bool is_boundary(std::size_t length) const {
    return std::find(boundaries.begin(), boundaries.end(), length) != boundaries.end();
  }

  static batch decoded(bytes whole, std::uint32_t frames) {
    received_chunk chunk;
    chunk.bytes = std::move(whole);
    chunk.frames = frames;
    return decode_chunk(std::make_shared<const received_chunk>(std::move(chunk)), std::make_shared<const host_stamp>());
  }

  bytes stream;
  std::vector<std::size_t> boundaries;
  std::uint64_t refused = 0;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(framer_sweep_tests, fixture)

CAF_TEST(the oracle agrees with every frame of the stream) {
  for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
    const std::size_t begin = boundaries[i] + wire::frame_header_bytes;
    CAF_CHECK_EQUAL(disagreement_about(std::span{stream}.subspan(begin, boundaries[i + 1] - begin)), "");
  }
}

CAF_TEST(a stream cut in two at any byte comes to the same) {
  const auto frames = static_cast<std::uint32_t>(boundaries.size() - 1);
  const batch whole = decoded(stream, frames);
  CAF_REQUIRE_EQUAL(whole.refused.total(), refused);
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    framer frame;
    const auto first = frame.push(std::span{stream}.first(at));
    CAF_CHECK_EQUAL(first.frames, whole_frames(at));
    CAF_CHECK_EQUAL(frame.inside_frame(), !is_boundary(at));
    const auto second = frame.push(std::span{stream}.subspan(at));
    bytes joined = first.bytes;
    joined.insert(joined.end(), second.bytes.begin(), second.bytes.end());
    CAF_CHECK(joined == stream);
    CAF_CHECK(!first.lost && !second.lost && !frame.inside_frame());
    const batch one = decoded(first.bytes, first.frames);
    const batch other = decoded(second.bytes, second.frames);
    CAF_CHECK_EQUAL(one.declarations.size() + other.declarations.size(), whole.declarations.size());
    CAF_CHECK_EQUAL(one.heartbeats + other.heartbeats, whole.heartbeats);
    CAF_CHECK_EQUAL(one.refused.total() + other.refused.total(), refused);
    CAF_CHECK_EQUAL(one.forged_attribution + other.forged_attribution, whole.forged_attribution);
  }
}

CAF_TEST(a connection that ends at any byte costs the frame it ends in) {
  const test::temporary_directory home;
  operator_events events{std::make_shared<spdlog::logger>("test", std::make_shared<soak::event_counter>()),
                         log_format::text};
  socket_service service{{}, events};
  cell_specification cell;
  cell.vsock_uds_base = home / "cell-1";
  const cell_intake_ptr intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  collected_chunks collected{intake};
  const guest_sim::stop_signal never;
  std::uint64_t frames = 0;
  std::uint64_t torn = 0;
  for (std::size_t length = 1; length <= stream.size(); ++length) {
    auto guest = guest_sim::connection::open(cell.socket_path(), 5s, never);
    CAF_REQUIRE_EQUAL(guest.write_some(std::span{stream}.first(length)), length);
    guest.close();
    torn += is_boundary(length) ? 0 : 1;
    frames += whole_frames(length) + (is_boundary(length) ? 0 : 1);
    CAF_REQUIRE(test::holds_within(test::test_timeout, [&] {
      collected.acknowledge();
      return collected.ended(chunk_ending::torn) + collected.ended(chunk_ending::closed) == length;
    }));
    CAF_REQUIRE_EQUAL(collected.ended(chunk_ending::torn), torn);
    CAF_REQUIRE_EQUAL(collected.frames(), frames);
    CAF_REQUIRE_EQUAL(intake->counts().frames_received, frames);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
