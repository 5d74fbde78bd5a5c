#define CAF_SUITE connection_reading
#include "runtime/socket_service/connection_reading.hpp"

#include <cerrno>
#include <vector>

#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

using bytes = std::vector<std::uint8_t>;

const bytes frame{3, 0, 0, 0, 0xA0, 1, 2};

struct fixture {
  byte_budget budget{1 << 20};
  cell_reading cell{budget};
  connection_reading connection{1, cell};
  read_time at{};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(connection_reading_tests, fixture)

CAF_TEST(with credit the socket is read and without it only the leaving of its peer is watched) {
  CAF_CHECK(connection.on_input(true) == reading_step::receive);
  CAF_CHECK(connection.on_input(false) == reading_step::wait);
  CAF_CHECK(connection.wanted_watch(true) == socket_watch::input);
  CAF_CHECK(connection.wanted_watch(false) == socket_watch::leaving);
  CAF_CHECK(connection.on_peer_left(true) == reading_step::receive);
  CAF_CHECK(connection.on_peer_left(false) == reading_step::keep);
}

CAF_TEST(what was kept comes before what the socket still has) {
  connection.keep(frame);
  CAF_CHECK_EQUAL(budget.used(), frame.size());
  CAF_CHECK(connection.on_input(true) == reading_step::take_kept);
  CAF_MESSAGE("in pieces too");
  CAF_CHECK(!connection.take_kept(3, at));
  CAF_CHECK(connection.on_input(true) == reading_step::take_kept);
  const auto chunk = connection.take_kept(100, at);
  CAF_REQUIRE(chunk);
  CAF_CHECK(chunk->bytes == frame);
  CAF_CHECK_EQUAL(budget.used(), 0u);
  CAF_CHECK(connection.on_input(true) == reading_step::receive);
}

CAF_TEST(a connection kept to its end gives its bytes and then its ending when there is credit) {
  connection.keep(std::span{frame}.first(5));
  connection.kept_to_its_end();
  CAF_CHECK_EQUAL(cell.read_to_their_end(), 1u);
  CAF_CHECK(connection.wanted_watch(true) == socket_watch::nothing);
  CAF_CHECK(connection.on_peer_left(false) == reading_step::wait);
  CAF_CHECK(connection.on_input(false) == reading_step::wait);
  CAF_CHECK(connection.on_input(true) == reading_step::take_kept);
  CAF_CHECK(!connection.take_kept(100, at));
  CAF_CHECK(connection.on_input(true) == reading_step::take_kept);
  const auto torn = connection.take_kept(100, at);
  CAF_REQUIRE(torn);
  CAF_CHECK(torn->ending == chunk_ending::torn);
  CAF_CHECK(connection.ended());
  CAF_CHECK_EQUAL(cell.read_to_their_end(), 0u);
  CAF_CHECK(connection.on_input(true) == reading_step::wait);
  CAF_CHECK(connection.on_peer_left(true) == reading_step::wait);
}

CAF_TEST(what is kept is bounded in bytes and connections and by what all cells share) {
  connection_reading another{2, cell};
  another.keep(bytes(cell_reading::most_kept_bytes - 1));
  CAF_CHECK_EQUAL(cell.room(), 1u);
  another.keep(bytes(1));
  CAF_CHECK(connection.on_peer_left(false) == reading_step::keep_later);
  another.abandon();
  CAF_CHECK(another.ended());
  CAF_CHECK(another.on_input(true) == reading_step::wait);
  CAF_CHECK_EQUAL(budget.used(), 0u);
  CAF_CHECK_EQUAL(cell.room(), cell_reading::most_kept_bytes);

  budget.take(1 << 20);
  CAF_CHECK(connection.on_peer_left(false) == reading_step::keep_later);
  budget.give_back(1 << 20);

  std::vector<connection_reading> left;
  for (std::size_t i = 0; i < cell_reading::most_read_to_their_end; ++i) {
    CAF_CHECK(connection.on_peer_left(false) == reading_step::keep);
    left.emplace_back(i + 3, cell).kept_to_its_end();
  }
  CAF_CHECK(connection.on_peer_left(false) == reading_step::keep_later);
  (void)left.back().take_kept(1, at);
  CAF_CHECK(connection.on_peer_left(false) == reading_step::keep);
}

CAF_TEST(what was kept is given back when the framing is lost in it) {
  bytes lost(4);
  lost.resize(100, 1);
  connection.keep(lost);
  connection.kept_to_its_end();
  const auto last = connection.take_kept(10, at);
  CAF_REQUIRE(last);
  CAF_CHECK(last->ending == chunk_ending::framing_lost);
  CAF_CHECK(connection.ended());
  CAF_CHECK_EQUAL(budget.used(), 0u);
  CAF_CHECK_EQUAL(cell.read_to_their_end(), 0u);
}

CAF_TEST(a cell that drains is read with credit as before and not watched and has a deadline) {
  CAF_CHECK(!cell.draining());
  CAF_CHECK(!cell.drain_overdue(monotonic_time{1000s}));
  cell.begin_draining(monotonic_time{15s});
  CAF_CHECK(cell.draining());
  CAF_CHECK(connection.wanted_watch(true) == socket_watch::nothing);
  CAF_CHECK(connection.on_input(true) == reading_step::receive);
  CAF_CHECK(connection.on_input(false) == reading_step::wait);
  CAF_CHECK(!cell.drain_overdue(monotonic_time{15s - 1ns}));
  CAF_CHECK(cell.drain_overdue(monotonic_time{15s}));
}

CAF_TEST(a read that gave nothing is an end only where no bytes can follow) {
  CAF_CHECK(outcome_of(1, 0) == read_outcome::bytes);
  CAF_CHECK(outcome_of(0, EAGAIN) == read_outcome::end);
  for (const int error : {EAGAIN, EINTR}) CAF_CHECK(outcome_of(-1, error) == read_outcome::nothing_yet);
  for (const int error : {ENOBUFS, ENOMEM}) CAF_CHECK(outcome_of(-1, error) == read_outcome::shortage);
  for (const int error : {ECONNRESET, EIO, EBADF}) CAF_CHECK(outcome_of(-1, error) == read_outcome::end);
}

CAF_TEST_FIXTURE_SCOPE_END()
