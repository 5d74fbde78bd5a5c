// ctest: TIMEOUT 120
#include <chrono>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/runtime/transport/basp_bytes.hpp"
#include "tests/runtime/transport/fleet_node.hpp"
#include "tests/runtime/transport/raw_peer.hpp"
#include "tests/runtime/transport/test_authority.hpp"

#define CAF_SUITE hostile_peers
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  test_authority authority;
  tls_settings collector_files = authority.collector("collector-a");
  tls_settings honest_files = authority.host("host-a");
  tls_settings hostile_files = authority.host("host-b");
};

std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

const std::string handshake = basp_header{.operation = client_handshake}.with(node_bytes('h'));

}  // namespace

CAF_TEST_FIXTURE_SCOPE(hostile_peers_tests, fixture)

CAF_TEST(connections_that_say_nothing_cost_little_and_end) {
  greeting_collector collector{collector_files};
  const auto begin = std::chrono::steady_clock::now();
  std::vector<file_descriptor> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(raw_connection(collector.server->port()));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().pending == 200; }));
  const auto spent_before = processor_time();
  greeting_host honest{honest_files};
  CAF_CHECK_EQUAL(honest.failure(collector.place()), "");
  for (const auto& each : silent) CAF_CHECK(closed_within(each.get(), 3s));
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto spent = processor_time() - spent_before;
  CAF_CHECK_GREATER_OR_EQUAL(took, 1900ms);
  CAF_CHECK_LESS(took, 5s);
  // Also what the test itself and the honest host needed.
  CAF_CHECK_LESS(spent, took / 4);
  CAF_CHECK_EQUAL(collector.server->account()[connection_refusal::handshake_timeout], 200U);
}

CAF_TEST(a_crowd_of_silent_connections_keeps_nobody_out) {
  greeting_collector collector{collector_files, {.pending = 16}};
  std::vector<file_descriptor> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(raw_connection(collector.server->port()));
  greeting_host honest{honest_files};
  const auto begin = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(honest.failure(collector.place()), "");
  CAF_CHECK_LESS(std::chrono::steady_clock::now() - begin, 1800ms);
  CAF_CHECK_GREATER_OR_EQUAL(collector.server->account()[connection_refusal::too_many_pending], 84U);
  CAF_CHECK_LESS_OR_EQUAL(collector.server->account().pending, 16U);
}

CAF_TEST(hosts_that_come_back_together_all_get_in) {
  // So long that a slow machine makes nobody silent or slow.
  greeting_collector collector{collector_files, {.pending = 4, .handshake = 60s, .connections_per_host = 100}};
  std::vector<std::unique_ptr<raw_peer>> peers(40);
  {
    std::vector<std::jthread> together;
    for (auto& peer : peers) {
      together.emplace_back([&] { peer = std::make_unique<raw_peer>(collector.server->port(), &honest_files); });
    }
  }
  for (const auto& peer : peers) CAF_CHECK(peer->shaken_hands());
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().welcomed == peers.size(); }));
  CAF_CHECK_EQUAL(collector.server->account()[connection_refusal::too_many_pending], 0U);
}

CAF_TEST(random_bytes_are_no_handshake) {
  greeting_collector collector{collector_files};
  std::mt19937_64 random{22};
  for (int i = 0; i < 50; ++i) {
    auto peer = raw_connection(collector.server->port());
    std::string bytes(1 + random() % 600, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    ::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    CAF_CHECK(closed_within(peer.get(), 3s));
  }
  const auto account = collector.server->account();
  CAF_CHECK_EQUAL(account[connection_refusal::handshake_failed] + account[connection_refusal::handshake_timeout], 50U);
  greeting_host honest{honest_files};
  CAF_CHECK_EQUAL(honest.failure(collector.place()), "");
}

CAF_TEST(a_certificate_does_not_buy_hostile_headers) {
  greeting_collector collector{collector_files};
  greeting_host honest{honest_files};
  const auto session = honest.session(collector.place());
  CAF_REQUIRE_EQUAL(honest.last_failure, "");
  const std::pair<basp_violation, std::string> hostile[] = {
      {basp_violation::malformed_handshake, basp_header{.operation = client_handshake}.bytes(0)},
      {basp_violation::oversized_message,
       handshake + basp_header{.operation = direct_message, .source = 1, .destination = 1}.bytes(0xfffffff0)},
      {basp_violation::routed_message,
       handshake + basp_header{.operation = routed_message, .source = 1, .destination = 1}.bytes(100)},
      {basp_violation::named_receiver,
       handshake + basp_header{.operation = direct_message, .flags = 1, .source = 1, .destination = 1}.bytes(100)},
      // Another actor of the collector's, an exit for it, a length of 4 GiB inside a message.
      {basp_violation::foreign_receiver,
       handshake + basp_header{.operation = direct_message, .source = 1, .destination = 3}.with(
                       direct_bytes("@<>+@exit", std::string(40, '\0')))},
      {basp_violation::handshake_missing, basp_header{.operation = heartbeat}.bytes(0)},
  };
  for (const auto& [violation, bytes] : hostile) {
    raw_peer peer{collector.server->port(), &hostile_files};
    CAF_REQUIRE(peer.shaken_hands());
    CAF_CHECK_GREATER(peer.receive(1).size(), 0U);
    peer.send(bytes);
    CAF_CHECK(peer.closed_within(3s));
    CAF_CHECK_EQUAL(collector.server->account()[violation], 1U);
    CAF_CHECK_EQUAL(honest.hello(session, "host-a"), "welcome host-a");
  }
  // The first of them closes on a stock node's death; here whoever comes next is served.
  greeting_host another{honest_files};
  CAF_CHECK_EQUAL(another.failure(collector.place()), "");
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().open == 2; }));
}

CAF_TEST(lengths_inside_of_messages_are_not_believed) {
  greeting_collector collector{collector_files};
  raw_peer peer{collector.server->port(), &hostile_files};
  // The server's handshake names its session: a text of its name comes behind its id and the application's name.
  const auto hello = peer.receive(1);
  const std::string marker = "generic-caf-app";
  const auto at = hello.find(marker);
  CAF_REQUIRE_NOT_EQUAL(at, std::string::npos);
  std::uint64_t session = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    session = session << 8 | static_cast<unsigned char>(hello.at(at + marker.size() + i));
  }
  const basp_header request{.operation = direct_message, .bits = asynchronous | 1, .source = 1, .destination = session};
  peer.send(handshake + request.with(direct_bytes("@<>+@atom+@charbuf", big_endian(1, 8) + length_bytes(0xffffffff))));
  CAF_CHECK(peer.closed_within(3s));
  CAF_CHECK_EQUAL(collector.server->account()[basp_violation::malformed_payload], 1U);
}

CAF_TEST(a_peer_that_shakes_hands_and_falls_silent_is_let_go) {
  greeting_collector collector{collector_files};
  raw_peer peer{collector.server->port(), &hostile_files};
  CAF_REQUIRE(peer.shaken_hands());
  CAF_CHECK(peer.closed_within(6s));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.all_sessions_gone(); }));
}

CAF_TEST(a_peer_that_calls_itself_by_anothers_node_is_refused) {
  greeting_collector collector{collector_files};
  raw_peer first{collector.server->port(), &honest_files};
  first.send(handshake);
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account().open == 1; }));
  first.receive(1);
  // Its heartbeats come once CAF knows the node.
  first.receive(64);
  raw_peer second{collector.server->port(), &hostile_files};
  second.send(handshake);
  CAF_CHECK(second.closed_within(3s));
  CAF_CHECK_EQUAL(collector.server->account()[basp_violation::node_claimed], 1U);
}

CAF_TEST_FIXTURE_SCOPE_END()
