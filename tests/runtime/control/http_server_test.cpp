#include "runtime/control/http_server.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE http_server
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

/// Answers with the path, but whoever asks for /later when it is asked to.
struct fixture {
  temporary_directory home;
  std::mutex mutex;
  std::vector<http_reply> later;
  std::atomic<int> refused{0};
  std::unique_ptr<http_server> server;

  ~fixture() { server.reset(); }

  void start(http_limits limits) {
    auto opened = http_server::start(listen_at(home / "http.sock"),
                                     [this](const http_request& request, http_reply reply) {
                                       http_answer answer;
                                       answer.body = request.path;
                                       if (request.path != "/later") return reply(answer);
                                       const std::lock_guard lock{mutex};
                                       later.push_back(std::move(reply));
                                     },
                                     {limits, {}, {}, [this] { ++refused; }});
    CAF_REQUIRE_EQUAL(opened.refusal, "");
    server = std::move(opened.server);
  }
  http_client client() const { return http_client{(home / "http.sock").native()}; }
  std::size_t waiting() {
    const std::lock_guard lock{mutex};
    return later.size();
  }
};

constexpr std::string_view half_requests[] = {
    "",
    "GET /half HT",
    "GET /half HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "PUT /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(http_server_tests, fixture)

CAF_TEST(whoever_sends_half_a_request_is_let_go_and_holds_nobody_up) {
  http_limits limits;
  limits.idle = std::chrono::seconds{1};
  start(limits);
  std::vector<http_client> halves;
  for (const std::string_view half : half_requests) {
    halves.push_back(client());
    halves.back().connect();
    halves.back().send(half);
  }
  auto patient = client();
  patient.connect();
  patient.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return waiting() == 1; }));
  CAF_CHECK_EQUAL(client().get("/whole").body, "/whole");
  for (auto& half : halves) CAF_CHECK(half.is_closed_within(test_timeout));
  CAF_MESSAGE("one that waits for its answer is not idle");
  CAF_CHECK_EQUAL(client().get("/whole").body, "/whole");
  later.front()(refusal(503, "at last"));
  CAF_CHECK_EQUAL(patient.receive().status, 503);
}

CAF_TEST(connections_beyond_the_limit_wait_until_the_idle_ones_are_gone) {
  http_limits limits;
  limits.idle = std::chrono::seconds{1};
  limits.connections = 2;
  start(limits);
  std::vector<http_client> silent;
  for (unsigned i = 0; i < limits.connections; ++i) {
    silent.push_back(client());
    silent.back().connect();
  }
  CAF_CHECK_EQUAL(client().get("/whole").body, "/whole");
  for (auto& each : silent) CAF_CHECK(each.is_closed_within(test_timeout));
}

CAF_TEST(a_stop_answers_whoever_waits) {
  start({});
  auto asking = client();
  asking.connect();
  asking.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return waiting() == 1; }));
  server.reset();
  CAF_CHECK_EQUAL(asking.receive().status, 503);
  CAF_CHECK(asking.is_closed_within(test_timeout));
  CAF_MESSAGE("an answer that comes too late goes nowhere");
  later.front()(http_answer{});
}

CAF_TEST(a_nul_in_a_path_cuts_nothing_off) {
  start({});
  CAF_CHECK_EQUAL(client().get("/cells/a%00b").body,
                  "/cells/a\x01"
                  "b");
  CAF_CHECK_EQUAL(client().get("/cells/a%20b").body, "/cells/a b");
}

CAF_TEST(whoever_sends_or_takes_a_little_now_and_then_is_let_go_in_the_end) {
  http_limits limits;
  limits.request = std::chrono::milliseconds{600};
  limits.answer = std::chrono::milliseconds{600};
  start(limits);
  constexpr std::string_view begun[] = {
      "PUT /endless HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /endless HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
      "PUT /endless HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000\r\n\r\n",
  };
  for (const std::string_view head : begun) {
    auto slow = client();
    slow.connect();
    slow.send(head);
    const std::string_view piece = head.find("chunked") == std::string_view::npos ? "a" : "1\r\na\r\n";
    const auto deadline = std::chrono::steady_clock::now() + test_timeout;
    bool closed = false;
    while (!closed && std::chrono::steady_clock::now() < deadline) {
      slow.send(piece);
      closed = slow.is_closed_within(std::chrono::milliseconds{20});
    }
    CAF_CHECK(closed);
  }
  CAF_MESSAGE("as for one that waits for its answer: it has done its part");
  auto waits = client();
  waits.connect();
  waits.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return waiting() == 1; }));
  CAF_CHECK(!waits.is_closed_within(std::chrono::milliseconds{1500}));
  later.front()(refusal(503, "at last"));
  CAF_CHECK_EQUAL(waits.receive().status, 503);
}

CAF_TEST(a_late_request_is_informed_that_it_was_late) {
  http_limits limits;
  limits.request = std::chrono::milliseconds{300};
  start(limits);
  auto half = client();
  half.connect();
  half.send("PUT /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  const http_response late = half.receive();
  CAF_CHECK_EQUAL(late.status, 408);
  CAF_CHECK(late.json().contains("hint"));
  CAF_CHECK(half.is_closed_within(test_timeout));
}

CAF_TEST(an_answer_that_nobody_takes_does_not_hold_its_place_for_ever) {
  http_limits limits;
  limits.answer = std::chrono::milliseconds{600};
  limits.idle = 2 * test_timeout;
  start(limits);
  auto lazy = client();
  lazy.connect();
  lazy.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return waiting() == 1; }));
  http_answer long_one;
  constexpr std::size_t more_than_a_socket_holds = std::size_t{32} << 20;
  long_one.body.assign(more_than_a_socket_holds, 'x');
  long_one.share_body();
  later.front()(long_one);
  later.clear();
  CAF_CHECK(holds_within(test_timeout, [&] { return long_one.shared_body.use_count() == 1; }));
}

CAF_TEST(heads_that_can_be_read_in_two_ways_are_refused) {
  start({});
  const std::string_view heads[] = {
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
      "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  };
  int before = 0;
  for (const std::string_view head : heads) {
    auto asking = client();
    asking.connect();
    asking.send(head);
    const http_response refusal = asking.receive();
    CAF_MESSAGE(head << refusal.body);
    CAF_CHECK_EQUAL(refusal.status, 400);
    CAF_CHECK(refusal.json().contains("error"));
    CAF_CHECK(asking.is_closed_within(test_timeout));
    CAF_CHECK_EQUAL(refused, ++before);
  }
}

CAF_TEST(a_target_in_absolute_form_is_the_same_as_its_path) {
  start({});
  auto asking = client();
  asking.connect();
  asking.send("GET http://localhost/cells/a%20b?x=y HTTP/1.1\r\nHost: anything\r\n\r\n");
  CAF_CHECK_EQUAL(asking.receive().body, "/cells/a b");
  asking.send("GET http://elsewhere/cells HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_CHECK_EQUAL(asking.receive().status, 403);
}

CAF_TEST(a_body_that_many_share_is_sent_to_each_whole) {
  start({});
  http_answer shared;
  shared.body.assign(300'000, 'x');
  shared.share_body();
  for (int i = 0; i < 3; ++i) {
    auto asking = client();
    asking.connect();
    asking.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CAF_REQUIRE(holds_within(test_timeout, [&] { return waiting() == static_cast<std::size_t>(i) + 1; }));
    later.back()(shared);
    CAF_CHECK(asking.receive().body == *shared.shared_body);
  }
  CAF_CHECK(holds_within(test_timeout, [&] { return shared.shared_body.use_count() == 1; }));
}

CAF_TEST_FIXTURE_SCOPE_END()
