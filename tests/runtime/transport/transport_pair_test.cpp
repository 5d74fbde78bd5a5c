// ctest: TIMEOUT 120
#include <chrono>
#include <string>

#include "tests/runtime/transport/fleet_node.hpp"
#include "tests/runtime/transport/test_authority.hpp"

#define CAF_SUITE transport_pair
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// One authority for all: making it takes longer than using it.
const test_authority& authority() {
  static const test_authority made;
  static const bool issued = [] {
    made.collector("collector-a");
    made.host("host-a");
    made.host("host-b");
    return true;
  }();
  (void)issued;
  return made;
}

tls_settings collector_files() { return authority().files("collector-a"); }
tls_settings host_files(const std::string& id = "host-a") { return authority().files(id); }

std::uint64_t violations(const transport_account& account) {
  std::uint64_t sum = 0;
  for (auto count : account.violated) sum += count;
  return sum;
}

}  // namespace

CAF_TEST(a_host_and_a_collector_speak) {
  greeting_collector collector{collector_files()};
  greeting_host host{host_files()};
  CAF_CHECK_EQUAL(host.connector->host_id(), "host-a");
  const auto session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  CAF_CHECK_EQUAL(host.hello(session, "host-a"), "welcome host-a");
  CAF_CHECK_EQUAL(host.send_bytes(session, 256 << 10), 256U << 10);
  CAF_CHECK_EQUAL(host.send_bytes(session, 1000 << 10), 1000U << 10);
  for (int i = 0; i < 200; ++i) CAF_CHECK_EQUAL(host.send_bytes(session, 10'000), 10'000U);
  CAF_REQUIRE_EQUAL(collector.greetings(), 1U);
  CAF_CHECK(collector.greeted.front().address.starts_with("127.0.0.1:"));
  const auto account = collector.server->account();
  CAF_CHECK_EQUAL(account.welcomed, 1U);
  CAF_CHECK_EQUAL(account.open, 1U);
  CAF_CHECK_EQUAL(violations(account) + violations(host.connector->account()), 0U);
}

CAF_TEST(a_host_cannot_pass_for_another) {
  greeting_collector collector{collector_files()};
  greeting_host other{host_files("host-b")};
  const auto session = other.session(collector.place());
  CAF_REQUIRE_EQUAL(other.last_failure, "");
  CAF_CHECK_NOT_EQUAL(other.hello(session, "host-a").find("host-b may not write host-a"), std::string::npos);
  CAF_CHECK_EQUAL(other.hello(session, "host-b"), "welcome host-b");
}

CAF_TEST(an_idle_pair_stays_together) {
  greeting_collector collector{collector_files()};
  greeting_host host{host_files()};
  const auto session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  // Longer than a silent connection lives, many heartbeats.
  CAF_CHECK(!host.lost(session, 4s));
  CAF_CHECK_EQUAL(host.hello(session, "host-a"), "welcome host-a");
}

CAF_TEST(a_stopped_collector_is_noticed_and_its_sessions_end) {
  greeting_collector collector{collector_files()};
  greeting_host host{host_files()};
  const auto session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  collector.server->stop();
  CAF_CHECK(host.lost(session));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.all_sessions_gone(); }));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().open == 0; }));
  CAF_CHECK_NOT_EQUAL(host.failure(collector.place()).find("Connection refused; see that a collector listens there"),
                      std::string::npos);
}

CAF_TEST(a_host_that_goes_ends_its_session) {
  greeting_collector collector{collector_files()};
  {
    greeting_host host{host_files()};
    host.session(collector.place());
    CAF_REQUIRE_EQUAL(host.last_failure, "");
  }
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.all_sessions_gone(); }));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().open == 0; }));
}

CAF_TEST(a_session_that_ends_ends_its_connection_after_its_last_answer) {
  greeting_collector collector{collector_files()};
  greeting_host host{host_files()};
  const auto session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  caf::anon_send_exit(caf::actor_cast<caf::actor>(caf::actor_cast<caf::strong_actor_ptr>(collector.sessions.front())),
                      caf::exit_reason::user_shutdown);
  CAF_CHECK(host.lost(session));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().open == 0; }));
}

CAF_TEST(a_host_can_leave_and_come_back_at_once) {
  greeting_collector collector{collector_files()};
  greeting_host host{host_files()};
  for (int i = 0; i < 5; ++i) {
    const auto session = host.session(collector.place());
    CAF_REQUIRE_EQUAL(host.last_failure, "");
    CAF_CHECK_EQUAL(host.hello(session, "host-a"), "welcome host-a");
    host.connector->disconnect(caf::actor_cast<caf::strong_actor_ptr>(session));
    CAF_CHECK(host.lost(session));
  }
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().open == 0; }));
  CAF_CHECK_EQUAL(violations(collector.server->account()), 0U);
}

CAF_TEST(a_second_connection_of_a_node_ends_the_first_and_a_third_attempt_is_welcome) {
  greeting_collector collector{collector_files()};
  greeting_host host{host_files()};
  const auto first = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  CAF_CHECK_NOT_EQUAL(host.failure(collector.place()).find("node_claimed"), std::string::npos);
  CAF_CHECK(host.lost(first));
  host.last_failure.clear();
  const auto third = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  CAF_CHECK_EQUAL(host.hello(third, "host-a"), "welcome host-a");
}

CAF_TEST(a_connection_that_is_old_enough_ends) {
  greeting_collector collector{collector_files(), {.connection_age = 1500ms}};
  greeting_host host{host_files()};
  const auto session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  CAF_CHECK_EQUAL(host.hello(session, "host-a"), "welcome host-a");
  CAF_CHECK(host.lost(session));
  CAF_CHECK_EQUAL(collector.server->account().aged, 1U);
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account()[connection_end::aged] == 1; }));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.all_sessions_gone(); }));
}

CAF_TEST(a_host_has_no_more_connections_than_it_may) {
  greeting_collector collector{collector_files(), {.connections_per_host = 2}};
  greeting_host first{host_files()};
  greeting_host second{host_files()};
  greeting_host third{host_files()};
  greeting_host other{host_files("host-b")};
  for (auto* host : {&first, &second, &other}) {
    const auto session = host->session(collector.place());
    CAF_CHECK_EQUAL(host->last_failure, "");
  }
  CAF_CHECK_NOT_EQUAL(third.failure(collector.place()), "");
  CAF_CHECK_EQUAL(collector.server->account()[connection_refusal::too_many_connections], 1U);
}

CAF_TEST(plain_tcp_is_for_loopback_and_only_when_asked_for) {
  tls_settings plain{.plain_loopback = true};
  greeting_collector collector{plain};
  greeting_host host{plain};
  const auto session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  CAF_CHECK_EQUAL(host.hello(session, ""), "welcome ");
  CAF_CHECK_EQUAL(host.send_bytes(session, 256 << 10), 256U << 10);
  CAF_CHECK(!collector.server->certificate_expires());

  CAF_CHECK_NOT_EQUAL(host.failure({.host = "192.0.2.1", .port = 1}).find("plain TCP is for loopback addresses alone"),
                      std::string::npos);
  transport_server_settings settings{.host = "0.0.0.0", .port = 0, .tls = plain, .limits = {}, .spawn = {}};
  auto started = transport_server::start(collector.node.system, settings);
  CAF_REQUIRE(std::holds_alternative<std::string>(started));
  CAF_CHECK_NOT_EQUAL(std::get<std::string>(started).find("plain TCP is for loopback addresses alone"),
                      std::string::npos);
}

CAF_TEST(a_place_that_is_taken_is_named) {
  greeting_collector collector{collector_files()};
  transport_server_settings settings{
      .host = "127.0.0.1", .port = collector.server->port(), .tls = collector_files(), .limits = {}, .spawn = {}};
  auto started = transport_server::start(collector.node.system, settings);
  CAF_REQUIRE(std::holds_alternative<std::string>(started));
  CAF_CHECK_NOT_EQUAL(std::get<std::string>(started).find("cannot listen: Address already in use"), std::string::npos);
}

CAF_TEST(nodes_call_themselves_by_random_ids) {
  fleet_node one;
  fleet_node two;
  // CAF itself would have them differ in the last byte of the hash alone, and by the process.
  const auto id = [](fleet_node& node) { return to_string(node.system.node()); };
  CAF_CHECK_NOT_EQUAL(id(one).substr(0, 16), id(two).substr(0, 16));
}
