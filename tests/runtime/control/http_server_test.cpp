#include "runtime/control/http_server.hpp"

#include <future>
#include <mutex>
#include <string>
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

/// Answers with the path, but whoever asks for /later when it is told to.
struct fixture {
  temporary_directory home;
  std::mutex mutex;
  std::vector<http_reply> later;
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
                                     {limits, {}});
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
    "GET /half HTTP/1.1\r\nHost: h\r\nX-Slow: ",
    "PUT /half HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{",
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
  patient.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_REQUIRE(holds_within(patience, [&] { return waiting() == 1; }));
  CAF_CHECK_EQUAL(client().get("/whole").body, "/whole");
  for (auto& half : halves) CAF_CHECK(half.is_closed_within(patience));
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
  for (auto& each : silent) CAF_CHECK(each.is_closed_within(patience));
}

CAF_TEST(a_stop_answers_whoever_waits) {
  start({});
  auto asking = client();
  asking.connect();
  asking.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  CAF_REQUIRE(holds_within(patience, [&] { return waiting() == 1; }));
  server.reset();
  CAF_CHECK_EQUAL(asking.receive().status, 503);
  CAF_CHECK(asking.is_closed_within(patience));
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

CAF_TEST_FIXTURE_SCOPE_END()
