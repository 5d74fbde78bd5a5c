#define CAF_SUITE collector_supervisor
#include "runtime/collector/collector_supervisor.hpp"

#include <chrono>
#include <string>

#include "tests/support/fleet_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture : fleet_fixture {
  noted_collector_events& seen() { return collectors[0]->events; }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(collector_supervisor_tests, fixture)

CAF_TEST(a_host_that_nobody_hears_is_reported_once_and_once_that_it_is_back) {
  auto forwarder = start_forwarder();
  pass(60s, 100ms);
  CAF_CHECK_EQUAL(seen().count("silenced host-a"), 0u);
  kill(forwarder);
  // Its last word may be a third of the window old.
  pass(9900ms, 100ms);
  CAF_CHECK_EQUAL(seen().count("silenced host-a"), 0u);
  pass(60s, 100ms);
  CAF_CHECK_EQUAL(seen().count("silenced host-a"), 1u);
  CAF_CHECK(status(*collectors[0])[0].is_silent);
  CAF_CHECK_EQUAL(seen().count("resumed host-a"), 0u);
  forwarder = start_forwarder(2);
  pass(30s, 100ms);
  CAF_CHECK_EQUAL(seen().count("silenced host-a"), 1u);
  CAF_CHECK_EQUAL(seen().count("resumed host-a"), 1u);
}

CAF_TEST(a_host_that_is_known_and_never_comes_is_reported) {
  test_collector other{sys};
  const auto watched =
      sys.spawn(make_collector_supervisor, collector_settings{}, std::vector<std::string>{"host-z"}, &other.events);
  pass(20s, 100ms);
  CAF_CHECK_EQUAL(other.events.count("silenced host-z"), 1u);
  caf::anon_send_exit(watched, caf::exit_reason::kill);
  stop(other);
}

CAF_TEST(after_a_restart_no_silence_is_reported_twice_and_none_is_forgotten) {
  test_collector other{sys};
  collector_settings settings;
  settings.awaits_recall = true;
  const auto watched =
      sys.spawn(make_collector_supervisor, settings, std::vector<std::string>{"host-a", "host-y"}, &other.events);
  pass(20s, 100ms);
  CAF_MESSAGE("nobody has said yet who was silent");
  CAF_CHECK(other.events.lines.empty());
  caf::anon_send(watched, recall_atom::value, std::vector<std::string>{"host-a", "host-z"});
  pass(60s, 100ms);
  CAF_CHECK(other.events.lines == std::vector<std::string>{"silenced host-y"});
  const auto session = spawn_ingest_session(sys, {"host-a", ""}, watched, other.environment);
  auto entered =
      self->request(watched, caf::infinite, enter_atom::value, session_entry{{"host-a", ""}, 1, session, session});
  consume_messages();
  entered.receive([](session_admission& is) { CAF_CHECK(is.account != nullptr); }, [](caf::error&) { CAF_FAIL("no"); });
  pass(3s, 100ms);
  CAF_CHECK_EQUAL(other.events.count("resumed host-a"), 1u);
  CAF_CHECK_EQUAL(other.events.count("silenced host-a"), 0u);
  caf::anon_send_exit(watched, caf::exit_reason::kill);
  stop(other);
}

CAF_TEST(a_host_that_was_silent_before_a_restart_is_not_back_by_the_restart_alone) {
  test_collector other{sys};
  collector_settings settings;
  settings.awaits_recall = true;
  const auto watched =
      sys.spawn(make_collector_supervisor, settings, std::vector<std::string>{"host-a"}, &other.events);
  caf::anon_send(watched, recall_atom::value, std::vector<std::string>{"host-a", "host-z"});
  pass(60s, 100ms);
  CAF_CHECK(other.events.lines.empty());
  caf::anon_send_exit(watched, caf::exit_reason::kill);
  stop(other);
}

CAF_TEST(of_two_live_processes_of_a_host_the_later_is_refused) {
  host.append(10);
  const auto first = start_forwarder(1);
  pass(1s);
  const auto second = start_forwarder(2);
  pass(1s);
  CAF_CHECK(seen().count("doubled host-a") > 0);
  CAF_CHECK(status(first).delivery.collector == 0u);
  CAF_CHECK(!status(second).delivery.collector);
  // Once the first is gone the second has its turn.
  kill(first);
  pass(40s, 100ms);
  CAF_CHECK(status(second).delivery.collector == 0u);
  CAF_CHECK_EQUAL(compare(), "");
}

CAF_TEST(a_process_that_connects_again_replaces_its_former_session) {
  const auto forwarder = start_forwarder(1);
  pass(1s);
  CAF_REQUIRE_EQUAL(collectors[0]->sessions.size(), 1u);
  const auto former = collectors[0]->sessions[0];
  // The same process, by another connection; the former one has not been noticed to be gone.
  const auto again = start_forwarder(1);
  pass(1s);
  CAF_CHECK_EQUAL(seen().count("doubled host-a"), 0u);
  CAF_CHECK_EQUAL(seen().count("connected host-a") > 1, true);
  CAF_CHECK(caf::actor_cast<caf::abstract_actor*>(former)->getf(caf::abstract_actor::is_terminated_flag));
  kill(forwarder);
  kill(again);
}

CAF_TEST(a_process_that_does_not_answer_is_replaced) {
  // It greets and then hangs: its handle is an actor that takes pings and answers none.
  const auto hanging = sys.spawn(
      [](caf::event_based_actor* of, int) -> caf::behavior {
        of->set_default_handler(caf::drop);
        return {[](ping_atom) { return caf::delegated<ping_atom>{}; }};
      },
      0);
  const auto session = spawn_ingest_session(sys, {"host-a", ""}, collectors[0]->supervisor, collectors[0]->environment);
  const session_entry entry{{"host-a", ""}, 77, session, caf::actor_cast<caf::strong_actor_ptr>(hanging)};
  auto entered = self->request(collectors[0]->supervisor, caf::infinite, enter_atom::value, entry);
  consume_messages();
  entered.receive([](session_admission& is) { CAF_CHECK(is.account != nullptr); }, [](caf::error&) { CAF_FAIL("no"); });
  const auto forwarder = start_forwarder(2);
  pass(1900ms);
  CAF_CHECK(!status(forwarder).delivery.collector);
  pass(300ms);
  CAF_CHECK(status(forwarder).delivery.collector == 0u);
  CAF_CHECK_EQUAL(seen().count("doubled host-a"), 0u);
  caf::anon_send_exit(hanging, caf::exit_reason::kill);
}

CAF_TEST(a_session_takes_no_lines_before_it_is_greeted_and_ends_when_nobody_speaks) {
  const auto session = spawn_ingest_session(sys, {"host-a", ""}, collectors[0]->supervisor, collectors[0]->environment);
  auto asked = self->request(caf::actor_cast<ingest_actor>(session), caf::infinite, lines_atom::value,
                             std::vector<char>{1, 2, 3});
  consume_messages();
  asked.receive(
      [](std::vector<char>& bytes) { CAF_CHECK(decode_answer(bytes).message.reason == node_refusal::not_greeted); },
      [](caf::error&) { CAF_FAIL("no answer"); });
  pass(40s, 500ms);
  CAF_CHECK(caf::actor_cast<caf::abstract_actor*>(session)->getf(caf::abstract_actor::is_terminated_flag));
}

CAF_TEST_FIXTURE_SCOPE_END()
