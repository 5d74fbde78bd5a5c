#define CAF_SUITE forwarder
#include "runtime/forwarding/forwarder.hpp"

#include <chrono>
#include <string>

#include "tests/support/fleet_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(forwarder_tests, fleet_fixture)

CAF_TEST(what_is_appended_reaches_the_collector_byte_for_byte) {
  host.append(500);
  const auto forwarder = start_forwarder();
  pass(200ms);
  host.append(500);
  pass(2s);
  CAF_CHECK(status(forwarder).is_complete);
  CAF_CHECK_EQUAL(compare(), "");
  CAF_CHECK(host.text().size() > 3);
  CAF_CHECK(delivered == host.log->committed_position());
  const auto hosts = status(*collectors[0]);
  CAF_REQUIRE_EQUAL(hosts.size(), 1u);
  CAF_CHECK_EQUAL(hosts[0].host_id, "host-a");
  CAF_CHECK(hosts[0].is_connected && !hosts[0].is_silent);
  CAF_CHECK(hosts[0].reached.kept == host.log->committed_position());
}

CAF_TEST(a_forwarder_that_begins_again_goes_on_where_the_copy_ends) {
  host.append(300);
  auto forwarder = start_forwarder();
  pass(200ms);
  kill(forwarder);
  host.append(300);
  forwarder = start_forwarder(2);
  pass(3s);
  CAF_CHECK(status(forwarder).is_complete);
  CAF_CHECK_EQUAL(compare(), "");
  CAF_CHECK(status(forwarder).delivery.lines_sent <= 300u);
}

CAF_TEST(the_next_collector_takes_over_and_the_preferred_one_is_returned_to) {
  add_collector();
  const auto forwarder = start_forwarder();
  host.append(200);
  pass(1s);
  CAF_CHECK(status(forwarder).delivery.collector == 0u);
  collectors[0]->is_reachable = false;
  cut(*collectors[0]);
  host.append(200);
  pass(1s);
  CAF_CHECK(status(forwarder).delivery.collector == 1u);
  CAF_CHECK(status(forwarder).is_complete);
  collectors[0]->is_reachable = true;
  pass(31s, 100ms);
  CAF_CHECK(status(forwarder).delivery.collector == 0u);
  host.append(200);
  pass(1s);
  CAF_CHECK(status(forwarder).is_complete);
  CAF_CHECK_EQUAL(compare(), "");
  CAF_CHECK_EQUAL(events.count(delivery_note::collector_lost, "collector-0"), 1u);
}

CAF_TEST(a_collector_that_answers_nothing_is_left_within_five_seconds) {
  add_collector();
  const auto forwarder = start_forwarder();
  pass(100ms);
  collectors[0]->commits_anything = false;
  host.append(200);
  pass(3500ms);
  CAF_CHECK(status(forwarder).delivery.collector == 0u);
  pass(600ms);
  CAF_CHECK(status(forwarder).delivery.collector == 1u);
  CAF_CHECK_EQUAL(events.count(delivery_note::collector_unresponsive, "collector-0"), 1u);
  pass(500ms);
  CAF_CHECK(status(forwarder).is_complete);
}

CAF_TEST(a_drain_is_answered_once_all_is_delivered_or_when_its_time_is_up) {
  const auto forwarder = start_forwarder();
  pass(100ms);
  host.append(50);
  auto drained = self->request(forwarder, caf::infinite, drain_request{sched.clock().now() + 10s});
  pass(200ms);
  drained.receive([](forwarder_status& is) { CAF_CHECK(is.is_complete); }, [](caf::error&) { CAF_FAIL("refused"); });
  collectors[0]->commits_anything = false;
  host.append(50);
  auto undrained = self->request(forwarder, caf::infinite, drain_request{sched.clock().now() + 1s});
  pass(1200ms);
  undrained.receive([](forwarder_status& is) { CAF_CHECK(!is.is_complete); }, [](caf::error&) { CAF_FAIL("refused"); });
}

CAF_TEST(a_host_with_the_certificate_of_another_is_refused) {
  certificate = "host-b";
  host.append(10);
  const auto forwarder = start_forwarder();
  pass(500ms);
  CAF_CHECK(events.count(delivery_note::collector_refuses, "collector-0") > 0);
  CAF_CHECK(collectors[0]->events.count("refused host-b host_mismatch") > 0);
  std::error_code failure;
  CAF_CHECK(collectors[0]->store->hosts(failure).empty());
}

CAF_TEST(an_edited_log_is_kept_beside_and_both_sides_say_so) {
  host.append(100);
  auto forwarder = start_forwarder();
  pass(1s);
  kill(forwarder);
  const auto copy = collectors[0]->dir / host.host_id / to_string(copy_name{read_or_make_log_id(host.dir / "log").id});
  const auto last = host.text().rbegin()->first;
  const auto path = host.dir / "log" / segment_file_name(last);
  auto edited = content_of(path);
  edited[edited.size() - 4] = '?';
  write_file(path, edited);
  forwarder = start_forwarder(2);
  pass(2s);
  CAF_CHECK(status(forwarder).is_complete);
  CAF_CHECK_EQUAL(events.count(delivery_note::history_forked, "collector-0"), 1u);
  CAF_CHECK_EQUAL(collectors[0]->events.count("forked host-a"), 1u);
  const log_text log = host.text();
  copies_check check{log};
  check.look_at(copy.native() + ".fork-1");
  CAF_CHECK_EQUAL(check.finish(), "");
  CAF_CHECK(content_of(copy / piece_file_name({last, 0})) != edited);
}

CAF_TEST_FIXTURE_SCOPE_END()
