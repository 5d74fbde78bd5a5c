#define CAF_SUITE log_share
#include "actors/log_share.hpp"

#include <caf/test/dsl.hpp>

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr monotonic_time start{1h};
constexpr auto as_many_as_there_are = std::numeric_limits<std::uint64_t>::max();

/// 100 kB an hour, 1 kB a declaration.
struct fixture {
  log_share share{{.bytes = 100'000, .interval = 1h, .hold = 2s}};

  fixture() { share.spend(1000, 1, start); }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(log_share_tests, fixture)

CAF_TEST(without a limit everything is covered) {
  log_share free{{}};
  free.spend(1'000'000'000'000, 1, start);
  CAF_CHECK_EQUAL(free.ask(1'000'000, start, 10s).declarations, as_many_as_there_are);
  CAF_CHECK(!free.in_debt(start));
  CAF_CHECK(free.full(start));
}

CAF_TEST(a burst up to the share is covered) {
  CAF_CHECK(!share.ask(99, start, 10s).held);
  CAF_CHECK_EQUAL(share.ask(99, start, 10s).declarations, as_many_as_there_are);
  CAF_CHECK(share.ask(100, start, 10s).held);
}

CAF_TEST(what is over the share is held back and then refused but for what is covered) {
  CAF_CHECK(share.ask(150, start, 10s).held);
  CAF_CHECK(share.ask(150, start + 2s - 1ns, 10s).held);
  const auto late = share.ask(150, start + 2s, 10s);
  CAF_CHECK(!late.held);
  CAF_CHECK_EQUAL(late.declarations, 99u);
  share.spend(99'000, 99, start + 2s);
  CAF_CHECK_EQUAL(share.ask(150, start + 3s, 10s).declarations, 0u);
}

CAF_TEST(heartbeats and refusals need nothing of the share) {
  share.spend(500'000, 1, start);
  CAF_CHECK(!share.ask(0, start, 10s).held);
}

CAF_TEST(who waits long enough is covered again) {
  share.spend(99'000, 99, start);
  CAF_CHECK(share.ask(1, start, 10s).held);
  CAF_CHECK_EQUAL(share.ask(1, start + 37s, 10s).declarations, as_many_as_there_are);  // 1000 bytes in 36 s
  share.spend(1000, 1, start + 37s);
  CAF_CHECK(!share.full(start + 59min));
  CAF_CHECK(share.full(start + 61min));
}

CAF_TEST(a whole share is earned in its interval and no more) {
  share.spend(99'000, 99, start);
  CAF_CHECK_EQUAL(share.ask(100, start + 24h, 10s).declarations, as_many_as_there_are);
  CAF_CHECK(share.ask(101, start + 24h, 10s).held);
}

CAF_TEST(a cell is not held back again before it keeps to its share with a good part left) {
  share.spend(99'000, 99, start);
  CAF_CHECK(share.ask(50, start, 10s).held);
  CAF_CHECK(!share.ask(50, start + 2s, 10s).held);
  CAF_CHECK_EQUAL(share.ask(1, start + 200s, 10s).declarations, as_many_as_there_are);
  CAF_CHECK_EQUAL(share.ask(50, start + 200s, 10s).declarations, 5u);
  CAF_CHECK_EQUAL(share.ask(1, start + 300s, 10s).declarations, as_many_as_there_are);
  CAF_CHECK(share.ask(50, start + 300s, 10s).held);
}

CAF_TEST(a cell that cannot wait is held back for as long as it can) {
  share.spend(99'000, 99, start);
  CAF_CHECK(share.ask(1, start, 100ms).held);
  CAF_CHECK(!share.ask(1, start + 100ms, 100ms).held);
  CAF_CHECK_EQUAL(share.ask(1, start + 100ms, 100ms).declarations, 0u);
}

CAF_TEST(lines that were longer than was thought make a debt that is paid off) {
  share.spend(109'000, 99, start);
  CAF_CHECK(share.in_debt(start + 359s));
  CAF_CHECK(!share.in_debt(start + 361s));
}

CAF_TEST(what the host says of a cell changes nothing about the size of its declarations) {
  share.spend(49'000, 0, start);
  CAF_CHECK(!share.ask(50, start, 10s).held);
  CAF_CHECK(share.ask(51, start, 10s).held);
}

CAF_TEST_FIXTURE_SCOPE_END()
