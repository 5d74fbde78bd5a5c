#define CAF_SUITE stale_cells
#include <caf/send.hpp>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// The one SINK is not replaced at once, and until then no cell can say how it stands.
struct fixture : host_fixture {
  fixture() {
    environment->limits = {0, 10s, 60s};
    start_host();
  }

  void end_sink() {
    for (const activity_ptr& actor : activities.present()) {
      if (std::string_view{actor->role()} != "SINK") continue;
      const auto handle = caf::actor_cast<caf::strong_actor_ptr>(actor->actor());
      CAF_REQUIRE(handle);
      caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), caf::exit_reason::kill);
      consume_messages();
      return;
    }
    CAF_FAIL("no SINK");
  }

  template <class Answer, class... Words>
  Answer ask_for_long(Words&&... words) {
    auto pending = self->request(host, caf::infinite, std::forward<Words>(words)...);
    pass(1100ms);
    Answer out;
    pending.receive([&](Answer& given) { out = std::move(given); },
                    [](const caf::error& why) { CAF_ERROR("no answer: " << explanation(why)); });
    return out;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(stale_cells_tests, fixture)

CAF_TEST(a cell that does not answer in time is shown as it was last seen with its age) {
  CAF_REQUIRE(admit(cell("cell-1")));
  CAF_REQUIRE(admit(cell("cell-2")));
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  for (const cell_status& fresh : status()) CAF_CHECK(!fresh.stale_for);
  pass(2s);
  end_sink();
  const auto cells = ask_for_long<std::vector<cell_status>>(status_atom::value);
  CAF_REQUIRE_EQUAL(cells.size(), 2u);
  CAF_CHECK_EQUAL(cells[0].cell_id, "cell-1");
  CAF_CHECK_EQUAL(cells[0].totals.appended, 1u);
  for (const cell_status& each : cells) CAF_CHECK(each.stale_for && *each.stale_for >= 3s);
  const auto one = ask_for_long<cell_status>(status_atom::value, std::string{"cell-1"});
  CAF_CHECK_EQUAL(one.totals.appended, 1u);
  CAF_CHECK(one.stale_for && *one.stale_for >= 4s);
  const auto accounts = ask_for_long<host_accounts>(accounts_atom::value);
  CAF_CHECK_EQUAL(accounts.cells.size(), 2u);
}

CAF_TEST(a cell that was admitted and never asked is not left out) {
  const auto admitted = admit(cell("cell-1"));
  CAF_REQUIRE(admitted);
  end_sink();
  const auto cells = ask_for_long<std::vector<cell_status>>(status_atom::value);
  CAF_REQUIRE_EQUAL(cells.size(), 1u);
  CAF_CHECK_EQUAL(cells[0].chain, admitted->chain);
  CAF_CHECK(cells[0].stale_for);
  CAF_CHECK(!cells[0].newly_admitted);
}

CAF_TEST(a cell that was never seen is shown as its specification says) {
  end_sink();
  [[maybe_unused]] const auto admission = self->request(host, caf::infinite, admit_atom::value, cell("cell-1"));
  const auto cells = ask_for_long<std::vector<cell_status>>(status_atom::value);
  CAF_REQUIRE_EQUAL(cells.size(), 1u);
  CAF_CHECK_EQUAL(cells[0].run_id, "run-1");
  CAF_CHECK_EQUAL(cells[0].socket_path, "/cells/cell-1/v.sock_9001");
  CAF_CHECK_EQUAL(cells[0].spec_signature_hash, "sha256:cell-1");
  CAF_CHECK(cells[0].state == cell_state::listening);
  CAF_CHECK(cells[0].stale_for);
}

CAF_TEST(cells answer for themselves again once they can) {
  CAF_REQUIRE(admit(cell("cell-1")));
  end_sink();
  ask_for_long<std::vector<cell_status>>(status_atom::value);
  pass(60s, 1s);
  const auto cells = status();
  CAF_REQUIRE_EQUAL(cells.size(), 1u);
  CAF_CHECK(!cells[0].stale_for);
}

CAF_TEST_FIXTURE_SCOPE_END()
