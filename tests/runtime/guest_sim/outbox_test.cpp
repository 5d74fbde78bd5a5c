#include "runtime/guest_sim/outbox.hpp"

#include <array>

#define CAF_SUITE outbox
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;

namespace {

constexpr std::array<std::uint8_t, 10> ten{};

struct fixture {
  fixture() {
    waiting.add({std::span{ten}, {}});
    waiting.add({std::span{ten}.first(4), {.refusal = telemetry_errc::framing_lost}});
    waiting.add({std::span{ten}, {.heartbeat = true, .missing_seq = 3, .dropped = 2}});
  }

  outbox waiting;
  tally sent;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(outbox_tests, fixture)

CAF_TEST(a_frame_counts_once_its_last_byte_is_written) {
  waiting.written(9, sent);
  CAF_CHECK_EQUAL(sent.frames, 0u);
  CAF_CHECK_EQUAL(sent.bytes, 9u);
  waiting.written(1, sent);
  CAF_CHECK_EQUAL(sent.accepted, 1u);
  waiting.written(14, sent);
  CAF_CHECK(waiting.all_written());
  CAF_CHECK_EQUAL(sent.frames, 3u);
  CAF_CHECK_EQUAL(sent.refused[telemetry_errc::framing_lost], 1u);
  CAF_CHECK_EQUAL(sent.heartbeats, 1u);
  CAF_CHECK_EQUAL(sent.declarations(), 1u);
  CAF_CHECK_EQUAL(sent.missing_seq, 3u);
  CAF_CHECK_EQUAL(sent.dropped_by_guest, 2u);
}

CAF_TEST(what_is_left_of_a_begun_frame_is_known) {
  CAF_CHECK_EQUAL(waiting.unwritten_of_begun().size(), 0u);
  waiting.written(3, sent);
  CAF_CHECK_EQUAL(waiting.unwritten_of_begun().size(), 7u);
  waiting.written(7, sent);
  CAF_CHECK_EQUAL(waiting.unwritten_of_begun().size(), 0u);
  waiting.written(5, sent);
  CAF_CHECK_EQUAL(waiting.unwritten_of_begun().size(), 9u);
  waiting.written(9, sent);
  CAF_CHECK_EQUAL(waiting.unwritten_of_begun().size(), 0u);
}

CAF_TEST(a_rewound_outbox_is_written_and_counted_again) {
  waiting.written(24, sent);
  waiting.rewind();
  waiting.rewrite([](std::span<std::uint8_t> frame) { frame.front() = 7; });
  CAF_CHECK_EQUAL(waiting.unwritten().size(), 24u);
  CAF_CHECK_EQUAL(waiting.unwritten()[10], 7u);
  waiting.written(24, sent);
  CAF_CHECK_EQUAL(sent.frames, 6u);
}

CAF_TEST_FIXTURE_SCOPE_END()
