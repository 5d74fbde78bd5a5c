#include "runtime/collector/host_board.hpp"

#include <chrono>
#include <memory>

#define CAF_SUITE host_board
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr monotonic_time begin{1h};

struct fixture {
  fixture() { board.add("host-b", account); }
  host_status at(monotonic_time now) const { return board.read(now).front(); }

  host_account_ptr account = std::make_shared<host_account>(0, begin);
  host_board board;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_board_tests, fixture)

CAF_TEST(hosts_are_shown_by_name_and_as_they_stand) {
  board.add("host-a", std::make_shared<host_account>(0, begin));
  account->is_connected = true;
  account->forks = 2;
  const auto all = board.read(begin + 3s);
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0].host_id, "host-a");
  CAF_CHECK(!all[0].is_connected);
  CAF_CHECK(all[1].is_connected);
  CAF_CHECK_EQUAL(all[1].forks, 2u);
  CAF_CHECK(all[1].unheard_for == 3s);
}

CAF_TEST(a_lag_is_the_hosts_word_until_what_it_spoke_of_is_kept) {
  CAF_CHECK(!at(begin).lag);
  account->set_committed({1, 500});
  CAF_CHECK(!at(begin).lag);
  account->set_alive({{1, 0}, {1, 1000}, 10, 900, 2000, 7, 3}, begin);
  CAF_CHECK(at(begin).lag == (forwarding_lag{10, 900, 2s}));
  CAF_MESSAGE("what it lacks gets older");
  CAF_CHECK(at(begin + 5s).lag == (forwarding_lag{10, 900, 7s}));
  account->set_kept({1, 1000});
  CAF_CHECK(at(begin + 5s).lag == forwarding_lag{});
  const host_status shown = at(begin);
  CAF_REQUIRE(shown.cells);
  CAF_CHECK_EQUAL(shown.cells->cells, 7u);
  CAF_CHECK_EQUAL(shown.cells->silenced, 3u);
}

CAF_TEST(of_a_host_that_does_not_say_so_neither_lag_nor_cells_are_known) {
  account->set_alive({{1, 0}, {1, 1000}}, begin);
  CAF_CHECK(!at(begin).lag);
  CAF_CHECK(!at(begin).cells);
  account->set_kept({1, 1000});
  CAF_CHECK(at(begin).lag == forwarding_lag{});
}

CAF_TEST(an_age_that_no_line_has_is_no_overflow) {
  account->set_alive({{1, 0}, {1, 1000}, 1, 1, ~std::uint64_t{0}, {}, {}}, begin);
  CAF_CHECK(at(begin).lag->age > 24h);
}

CAF_TEST(what_was_taken_is_added_up) {
  const auto other = std::make_shared<host_account>(0, begin);
  board.add("host-a", other);
  account->bytes = 100;
  other->bytes = 20;
  account->over_quota = 3;
  other->not_stored = 2;
  const auto taken = board.taken();
  CAF_CHECK_EQUAL(taken.bytes, 120u);
  CAF_CHECK_EQUAL(taken.over_quota, 3u);
  CAF_CHECK_EQUAL(taken.not_stored, 2u);
  CAF_CHECK(at(begin).held_back == 2);
}

CAF_TEST_FIXTURE_SCOPE_END()
