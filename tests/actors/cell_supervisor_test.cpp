#define CAF_SUITE cell_supervisor
#include "actors/cell_supervisor.hpp"

#include <caf/default_attachable.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// A CELL SUPERVISOR with real children, whose HOST SUPERVISOR and SINK are the test itself.
struct fixture : host_fixture {
  ~fixture() override {
    caf::anon_send_exit(supervisor, caf::exit_reason::kill);
    consume_messages();
  }

  void start(cell_specification specification = cell("cell-1")) {
    resources = make_cell_resources("host-a", std::move(specification));
    supervisor = sys.spawn(make_cell_supervisor, resources, caf::actor_cast<sink_actor>(sink), parent->address(),
                           std::cref(*environment));
    consume_messages();
  }

  auto ask_to_admit() { return client->request(supervisor, caf::infinite, admit_atom::value); }
  auto ask_to_retire(run_end_reason reason = run_end_reason::retired) {
    return client->request(supervisor, caf::infinite, retire_atom::value, reason);
  }

  // As the SINK. Each answers one question that waits, if there is one.
  bool open_run(const std::string& chain, caf::scoped_actor& as) {
    bool asked = false;
    as->receive(
        [&](open_run_atom, const host_stamp_ptr& run, const run_opening&) {
          asked = run == resources->run;
          return chain;
        },
        caf::after(0s) >> [] {});
    consume_messages();
    return asked;
  }
  bool open_run(const std::string& chain = "chain-1") { return open_run(chain, sink); }
  bool give_account() {
    bool asked = false;
    sink->receive(
        [&](totals_atom, const host_stamp_ptr&) {
          asked = true;
          return run_account{};
        },
        caf::after(0s) >> [] {});
    consume_messages();
    return asked;
  }
  std::optional<run_closing> close_run(const run_totals& totals = {}) {
    std::optional<run_closing> asked;
    sink->receive(
        [&](close_run_atom, const host_stamp_ptr&, const run_closing& closing) {
          asked = closing;
          return totals;
        },
        caf::after(0s) >> [] {});
    consume_messages();
    return asked;
  }

  void admit() {
    auto asked = ask_to_admit();
    consume_messages();
    CAF_REQUIRE(open_run());
    CAF_REQUIRE(give_account());
    asked.receive([](const cell_status&) {}, [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  }

  bool answered() { return !client->mailbox().empty(); }

  std::size_t serving(std::string_view role) const {
    const auto present = activities.present();
    return static_cast<std::size_t>(std::count_if(present.begin(), present.end(),
                                                  [&](const activity_ptr& actor) { return actor->role() == role; }));
  }

  void end(std::string_view role) {
    for (const activity_ptr& actor : activities.present()) {
      if (actor->role() != role) continue;
      caf::anon_send_exit(caf::actor_cast<caf::actor>(caf::actor_cast<caf::strong_actor_ptr>(actor->actor())),
                          caf::exit_reason::kill);
    }
    consume_messages();
  }

  caf::scoped_actor client{sys};
  caf::scoped_actor sink{sys};
  std::optional<caf::scoped_actor> parent_held{std::in_place, sys};
  caf::scoped_actor& parent = *parent_held;
  cell_resources_ptr resources;
  cell_supervisor_actor supervisor;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(cell_supervisor_tests, fixture)

CAF_TEST(a cell is admitted once its socket is bound and its run is in the log) {
  start();
  auto asked = ask_to_admit();
  consume_messages();
  CAF_REQUIRE(sockets.intake("cell-1"));
  CAF_CHECK_EQUAL(sockets.intake("cell-1")->attachments, 0);
  CAF_CHECK(!answered());
  CAF_REQUIRE(open_run("chain-7"));
  CAF_CHECK_EQUAL(sockets.intake("cell-1")->attachments, 1);
  for (const char* role : {"LISTENER", "DECODER", "KEEPALIVE"}) CAF_CHECK_EQUAL(serving(role), 1u);
  CAF_REQUIRE(give_account());
  asked.receive(
      [](const cell_status& status) {
        CAF_CHECK_EQUAL(status.chain, "chain-7");
        CAF_CHECK_EQUAL(status.socket_path, "/cells/cell-1/v.sock_9001");
      },
      [](const caf::error& why) { CAF_FAIL(explanation(why)); });
}

CAF_TEST(a cell that cannot be bound opens no run) {
  sockets.refusals["cell-1"] = "bind_failed: no such directory";
  start();
  auto asked = ask_to_admit();
  consume_messages();
  CAF_CHECK(!open_run());
  asked.receive([](const cell_status&) { CAF_ERROR("admitted"); },
                [](const caf::error& why) { CAF_CHECK(is_failure(why, failure::bind_failed)); });
}

CAF_TEST(two that ask for admission get one run) {
  start();
  auto first = ask_to_admit();
  auto second = ask_to_admit();
  consume_messages();
  CAF_REQUIRE(open_run());
  CAF_CHECK(!open_run());
  CAF_CHECK(give_account());
  CAF_CHECK(give_account());
  std::size_t admitted = 0;
  for (auto* asked : {&first, &second}) {
    asked->receive([&](const cell_status& status) { admitted += status.chain == "chain-1" ? 1 : 0; },
                   [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  }
  CAF_CHECK_EQUAL(admitted, 2u);
}

CAF_TEST(a run that the log does not take in time gives the socket back and is ended) {
  start();
  auto asked = ask_to_admit();
  consume_messages();
  pass(11s, 1s);
  CAF_REQUIRE(answered());
  asked.receive([](const cell_status&) { CAF_ERROR("admitted"); },
                [](const caf::error& why) { CAF_CHECK(is_failure(why, failure::no_answer)); });
  CAF_CHECK(!sockets.intake("cell-1"));
  CAF_CHECK(close_run().has_value());
}

CAF_TEST(a successor of the sink opens the run and the late answer of the former one is ignored) {
  start();
  auto asked = ask_to_admit();
  consume_messages();
  caf::scoped_actor successor{sys};
  client->send(supervisor, caf::actor_cast<sink_actor>(successor));
  consume_messages();
  pass(20ms);
  CAF_REQUIRE(open_run("late"));
  CAF_CHECK_EQUAL(resources->chain, "");
  CAF_REQUIRE(open_run("chain-2", successor));
  CAF_CHECK_EQUAL(resources->chain, "chain-2");
  CAF_CHECK(!answered());
  successor->receive([](totals_atom, const host_stamp_ptr&) { return run_account{}; },
                     caf::after(0s) >> [] { CAF_ERROR("the successor was not asked"); });
  consume_messages();
  asked.receive([](const cell_status& status) { CAF_CHECK_EQUAL(status.chain, "chain-2"); },
                [](const caf::error& why) { CAF_FAIL(explanation(why)); });
}

CAF_TEST(a run is closed when all that was read is acknowledged and then the supervisor is gone) {
  start();
  admit();
  receive("cell-1", {frame_of("process.spawned", 1), frame_of("process.exited", 2)});
  consume_messages();
  auto asked = ask_to_retire();
  consume_messages();
  CAF_CHECK(sockets.intake("cell-1")->drain_wanted);
  CAF_CHECK(!close_run());
  sink->receive([&](const batch_ptr& decoded, const host_stamp_ptr&, const chunk_credit_ptr& credit) {
    credit->acknowledge(decoded->chunk->sequence);
  });
  consume_messages();
  run_totals totals;
  totals.received = totals.appended = 2;
  client->monitor(supervisor);
  const auto closing = close_run(totals);
  CAF_REQUIRE(closing);
  CAF_CHECK(closing->reason == run_end_reason::retired);
  CAF_CHECK_EQUAL(closing->frames_received, 2u);
  asked.receive([](const run_totals& ended_with) { CAF_CHECK_EQUAL(ended_with.appended, 2u); },
                [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  bool ended = false;
  client->receive([&](const caf::down_msg& down) { ended = is_failure(down.reason, failure::cell_ended); },
                  caf::after(0s) >> [] {});
  CAF_CHECK(ended);
  CAF_CHECK(!sockets.intake("cell-1"));
  CAF_CHECK_EQUAL(serving("LISTENER"), 0u);
}

CAF_TEST(a cell that is ending is not ended again) {
  start();
  admit();
  auto first = ask_to_retire();
  auto second = ask_to_retire();
  consume_messages();
  second.receive([](const run_totals&) { CAF_ERROR("ended twice"); },
                 [](const caf::error& why) { CAF_CHECK(is_failure(why, failure::stopping)); });
  CAF_CHECK(close_run().has_value());
  CAF_CHECK(!close_run());
  first.receive([](const run_totals&) {}, [](const caf::error& why) { CAF_FAIL(explanation(why)); });
}

CAF_TEST(a retirement that is asked for while the run is being opened waits for it) {
  start();
  auto admission = ask_to_admit();
  auto retirement = ask_to_retire();
  consume_messages();
  CAF_CHECK(!close_run());
  CAF_REQUIRE(open_run());
  CAF_CHECK(close_run().has_value());
  retirement.receive([](const run_totals&) {}, [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  admission.receive([](const cell_status&) { CAF_ERROR("it is gone"); },
                    [](const caf::error& why) { CAF_CHECK(is_failure(why, failure::unknown_cell)); });
}

CAF_TEST(a child is replaced until that happens too often and then after a pause) {
  environment->limits = {2, 10s, 5s};
  start();
  admit();
  for (int death = 0; death < 2; ++death) {
    end("DECODER");
    CAF_CHECK_EQUAL(serving("DECODER"), 1u);
  }
  end("DECODER");
  CAF_CHECK_EQUAL(serving("DECODER"), 0u);
  CAF_CHECK_EQUAL(serving("LISTENER"), 1u);
  pass(4990ms);
  CAF_CHECK_EQUAL(serving("DECODER"), 0u);
  pass(20ms);
  CAF_CHECK_EQUAL(serving("DECODER"), 1u);
  CAF_CHECK(!close_run());
}

CAF_TEST(a strict cell whose children die too often is closed as failed) {
  environment->limits = {2, 10s, 5s};
  cell_specification strict = cell("cell-1");
  strict.on_agent_failure = agent_failure_policy::fail_cell;
  start(strict);
  admit();
  for (int death = 0; death < 3; ++death) end("LISTENER");
  const auto closing = close_run();
  CAF_REQUIRE(closing);
  CAF_CHECK(closing->reason == run_end_reason::cell_failed);
}

CAF_TEST(a successor goes on with the bound socket and opens the run that its predecessor was to open) {
  start();
  (void)ask_to_admit();
  consume_messages();
  caf::anon_send_exit(supervisor, caf::exit_reason::kill);
  consume_messages();
  const auto bound = sockets.intake("cell-1");
  CAF_REQUIRE(bound);
  supervisor = sys.spawn(make_cell_supervisor, resources, caf::actor_cast<sink_actor>(sink), parent->address(),
                         std::cref(*environment));
  consume_messages();
  CAF_REQUIRE(open_run("for the dead"));
  CAF_REQUIRE(open_run("chain-2"));
  CAF_CHECK_EQUAL(resources->chain, "chain-2");
  CAF_CHECK_EQUAL(bound->attachments, 1);
}

CAF_TEST(it and its children end with the host supervisor) {
  start();
  admit();
  parent->attach(caf::default_attachable::make_monitor(parent->address(), supervisor->address()));
  parent_held.reset();
  consume_messages();
  for (const char* role : {"CELL SUPERVISOR", "LISTENER", "DECODER", "KEEPALIVE"}) {
    CAF_CHECK_EQUAL(serving(role), 0u);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
