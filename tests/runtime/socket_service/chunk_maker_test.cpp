#define CAF_SUITE chunk_maker
#include "runtime/socket_service/chunk_maker.hpp"

#include <span>
#include <vector>

#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

using bytes = std::vector<std::uint8_t>;

const bytes frame{3, 0, 0, 0, 0xA0, 1, 2};

constexpr read_time at(std::chrono::seconds since) { return {wall_time{1000s + since}, monotonic_time{since}}; }

std::span<const std::uint8_t> first(const bytes& all, std::size_t count) { return std::span{all}.first(count); }
std::span<const std::uint8_t> after(const bytes& all, std::size_t count) { return std::span{all}.subspan(count); }

}  // namespace

CAF_TEST(a chunk has the whole frames and the number and the time of its connection) {
  chunk_maker made{7};
  bytes two = frame;
  two.insert(two.end(), frame.begin(), frame.end());
  two.push_back(3);
  const auto chunk = made.take(two, at(5s));
  CAF_REQUIRE(chunk);
  CAF_CHECK_EQUAL(chunk->connection, 7u);
  CAF_CHECK_EQUAL(chunk->frames, 2u);
  CAF_CHECK_EQUAL(chunk->bytes.size(), 2 * frame.size());
  CAF_CHECK(chunk->ending == chunk_ending::none);
  CAF_CHECK(chunk->received_at == wall_time{1005s});
  CAF_CHECK(chunk->received_mono == monotonic_time{5s});
  CAF_CHECK(!made.ended());
}

CAF_TEST(bytes that complete no frame make no chunk) {
  chunk_maker made{1};
  CAF_CHECK(!made.take(first(frame, 6), at(1s)));
  const auto chunk = made.take(after(frame, 6), at(2s));
  CAF_REQUIRE(chunk);
  CAF_CHECK(chunk->bytes == frame);
  CAF_CHECK(chunk->received_mono == monotonic_time{2s});
}

CAF_TEST(an end between two frames is closed and within one it is torn and costs that frame) {
  chunk_maker whole{1};
  (void)whole.take(frame, at(1s));
  const auto closed = whole.end(at(2s));
  CAF_REQUIRE(closed);
  CAF_CHECK(closed->ending == chunk_ending::closed);
  CAF_CHECK_EQUAL(closed->frames, 0u);
  for (std::size_t length = 1; length < frame.size(); ++length) {
    chunk_maker partial{1};
    CAF_CHECK(!partial.take(first(frame, length), at(1s)));
    const auto torn = partial.end(at(2s));
    CAF_REQUIRE(torn);
    CAF_CHECK(torn->ending == chunk_ending::torn);
    CAF_CHECK_EQUAL(torn->frames, 1u);
    CAF_CHECK(torn->bytes.empty());
  }
}

CAF_TEST(a connection that said nothing leaves nothing and none ends twice) {
  chunk_maker silent{1};
  CAF_CHECK(!silent.end(at(1s)));
  CAF_CHECK(silent.ended());
  chunk_maker spoken{1};
  (void)spoken.take(frame, at(1s));
  CAF_CHECK(spoken.end(at(2s)));
  CAF_CHECK(!spoken.end(at(3s)));
}

CAF_TEST(where the framing is lost the chunk has what came before and is the last) {
  for (const bytes& length : {bytes{0, 0, 0, 0}, bytes{1, 16, 0, 0}}) {
    chunk_maker made{1};
    bytes stream = frame;
    stream.insert(stream.end(), length.begin(), length.end());
    stream.insert(stream.end(), frame.begin(), frame.end());
    const auto chunk = made.take(stream, at(1s));
    CAF_REQUIRE(chunk);
    CAF_CHECK(chunk->ending == chunk_ending::framing_lost);
    CAF_CHECK_EQUAL(chunk->frames, 2u);
    CAF_CHECK(chunk->bytes == frame);
    CAF_CHECK(made.ended());
    CAF_CHECK(!made.end(at(2s)));
  }
}

CAF_TEST(only a frame that is not whole for longer than the limit is overdue) {
  chunk_maker made{1};
  CAF_CHECK(!made.overdue(monotonic_time{100s}, 10s));
  (void)made.take(first(frame, 2), at(1s));
  CAF_CHECK(!made.overdue(monotonic_time{11s}, 10s));
  CAF_CHECK(made.overdue(monotonic_time{12s}, 10s));
  CAF_MESSAGE("a byte more of the same frame gives it no further time");
  (void)made.take(after(frame, 2).first(1), at(11s));
  CAF_CHECK(made.overdue(monotonic_time{12s}, 10s));
  CAF_MESSAGE("the next one has its own time");
  bytes rest{after(frame, 3).begin(), after(frame, 3).end()};
  rest.push_back(3);
  (void)made.take(rest, at(11s));
  CAF_CHECK(!made.overdue(monotonic_time{21s}, 10s));
  CAF_CHECK(made.overdue(monotonic_time{22s}, 10s));
  (void)made.end(at(22s));
  CAF_CHECK(!made.overdue(monotonic_time{100s}, 10s));
}
