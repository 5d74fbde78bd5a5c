#define CAF_SUITE host_accounts
#include "actors/host_supervisor.hpp"
#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture : host_fixture {
  fixture() { start_host(2); }

  host_accounts accounts() {
    host_accounts out;
    auto pending = self->request(host, caf::infinite, accounts_atom::value);
    consume_messages();
    pending.receive([&](const host_accounts& all) { out = all; },
                    [](const caf::error& why) { CAF_ERROR("no answer: " << explanation(why)); });
    return out;
  }
  static run_totals sum(const host_accounts& all) {
    run_totals out = all.ended;
    for (const cell_status& each : all.cells) out += each.since_start();
    return out;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_accounts_tests, fixture)

CAF_TEST(what a retired cell counted stays counted) {
  CAF_REQUIRE(admit(cell("cell-1")));
  CAF_REQUIRE(admit(cell("cell-2")));
  receive("cell-1", {frame_of("process.spawned", 1), malformed_frame()});
  receive("cell-2", {frame_of("process.spawned", 1)});
  consume_messages();
  const run_totals before = sum(accounts());
  CAF_CHECK_EQUAL(before.received, 3u);
  CAF_REQUIRE(retire("cell-1"));
  const host_accounts after = accounts();
  CAF_CHECK_EQUAL(after.cells.size(), 1u);
  CAF_CHECK(sum(after) == before);
  CAF_REQUIRE(retire("cell-2"));
  CAF_CHECK(sum(accounts()) == before);
}

CAF_TEST(a cell retired while it is asked is counted once) {
  CAF_REQUIRE(admit(cell("cell-1")));
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  auto before = self->request(host, caf::infinite, accounts_atom::value);
  auto retired = self->request(host, caf::infinite, retire_atom::value, std::string{"cell-1"});
  auto meanwhile = self->request(host, caf::infinite, accounts_atom::value);
  consume_messages();
  const auto counted_once = [](const host_accounts& all) { CAF_CHECK_EQUAL(sum(all).received, 1u); };
  const auto refused = [](const caf::error& why) { CAF_ERROR("no answer: " << explanation(why)); };
  before.receive(counted_once, refused);
  meanwhile.receive(counted_once, refused);
  retired.receive([](const run_totals& totals) { CAF_CHECK_EQUAL(totals.received, 1u); }, refused);
  CAF_CHECK_EQUAL(sum(accounts()).received, 1u);
}

CAF_TEST(only the admission that bound a cell says so) {
  const auto first = admit(cell("cell-1"));
  const auto second = admit(cell("cell-1"));
  CAF_REQUIRE(first && second);
  CAF_CHECK(first->newly_admitted);
  CAF_CHECK(!second->newly_admitted);
}

CAF_TEST(silence counts down to being reported) {
  CAF_REQUIRE(admit(cell("cell-1")));
  pass(4s);
  const auto waiting = ask<cell_status>(status_atom::value, std::string{"cell-1"});
  CAF_REQUIRE(waiting && waiting->silence_in);
  CAF_CHECK(*waiting->silence_in == 6s);
  pass(7s);
  const auto silent = ask<cell_status>(status_atom::value, std::string{"cell-1"});
  CAF_REQUIRE(silent);
  CAF_CHECK(silent->state == cell_state::silenced);
  CAF_CHECK(!silent->silence_in);
  CAF_CHECK_EQUAL(events->counts().agents_silenced.load(), 1u);
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  const auto heard_again = ask<cell_status>(status_atom::value, std::string{"cell-1"});
  CAF_REQUIRE(heard_again);
  CAF_CHECK(heard_again->state != cell_state::silenced);
  CAF_CHECK(!heard_again->silence_in);
}

CAF_TEST_FIXTURE_SCOPE_END()
