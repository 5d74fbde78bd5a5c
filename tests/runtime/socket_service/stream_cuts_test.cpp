#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/socket_service/framer.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/served_cell.hpp"

#define CAF_SUITE stream_cuts
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::size_t frames_in_stream = 5;

/// What one connection came to.
struct heard {
  std::vector<std::uint8_t> bytes;
  std::uint64_t frames = 0;
  chunk_ending ending = chunk_ending::none;
};

struct fixture {
  served_cell cell{[] {
    socket_service_options options;
    options.coalescing = std::chrono::nanoseconds{1};
    return options;
  }()};
  std::vector<std::uint8_t> stream;
  /// Where each frame ends.
  std::vector<std::size_t> ends;

  fixture() {
    CAF_REQUIRE(cell.bind());
    guest_sim::frame_maker maker{1, wire::content_version_1_0};
    for (std::size_t i = 0; i < frames_in_stream; ++i) {
      const auto frame = maker.honest().bytes;
      stream.insert(stream.end(), frame.begin(), frame.end());
      ends.push_back(stream.size());
    }
  }

  /// All chunks of a connection that has ended.
  heard of_one_connection() {
    heard all;
    CAF_REQUIRE(holds_within(patience, [&] {
      for (const chunk_ptr& chunk : cell.take()) {
        all.bytes.insert(all.bytes.end(), chunk->bytes.begin(), chunk->bytes.end());
        all.frames += chunk->frames;
        all.ending = chunk->ending;
      }
      return all.ending != chunk_ending::none;
    }));
    return all;
  }

  std::size_t whole_frames_before(std::size_t end) const {
    std::size_t count = 0;
    for (const std::size_t each : ends) count += each <= end ? 1 : 0;
    return count;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(stream_cuts_tests, fixture)

CAF_TEST(a_stream_that_comes_in_two_parts_is_the_same_wherever_it_is_cut) {
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    const std::uint64_t bytes_before = cell.counts().bytes_received;
    raw_guest guest{cell.socket()};
    guest.write(std::span{stream}.first(cut));
    // The first part is read by itself.
    CAF_REQUIRE(holds_within(patience, [&] { return cell.counts().bytes_received == bytes_before + cut; }));
    guest.write(std::span{stream}.subspan(cut));
    guest.close();
    const heard all = of_one_connection();
    if (all.bytes != stream || all.frames != frames_in_stream || all.ending != chunk_ending::closed) {
      CAF_ERROR("cut at byte " << cut);
    }
  }
  CAF_CHECK_EQUAL(cell.counts().frames_received, frames_in_stream * (stream.size() - 1));
}

CAF_TEST(a_stream_that_ends_early_gives_its_whole_frames_and_one_that_is_torn) {
  for (std::size_t end = 1; end <= stream.size(); ++end) {
    raw_guest guest{cell.socket()};
    guest.write(std::span{stream}.first(end));
    guest.close();
    const heard all = of_one_connection();
    const std::size_t whole = whole_frames_before(end);
    const bool torn = whole == 0 || ends[whole - 1] != end;
    const bool right = all.frames == whole + (torn ? 1 : 0) &&
                       all.ending == (torn ? chunk_ending::torn : chunk_ending::closed) &&
                       all.bytes.size() == (whole == 0 ? 0 : ends[whole - 1]);
    if (!right) CAF_ERROR("ended at byte " << end);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
