#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE control_api
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using json = nlohmann::json;

namespace {

std::uint64_t total(const json& cell, const char* name) { return cell.at("totals").at(name).get<std::uint64_t>(); }

}  // namespace

CAF_TEST(a_cell_is_served_from_201_on_and_its_totals_are_the_answer_to_its_end) {
  controlled_daemon host;
  const http_response admitted = host.put("a");
  CAF_REQUIRE_EQUAL(admitted.status, 201);
  CAF_CHECK_EQUAL(admitted.json().at("state").get<std::string>(), "listening");
  raw_guest guest{host.home().socket_of("a")};
  guest.write_frames(25);
  guest.write_frame("no.such_probe", "x");
  CAF_CHECK(holds_within(test_timeout, [&] { return total(host.client().get("/cells/a").json(), "received") == 26; }));
  const json cell = host.client().get("/cells/a").json();
  CAF_CHECK_EQUAL(cell.at("state").get<std::string>(), "connected");
  CAF_CHECK_EQUAL(cell.at("run_id").get<std::string>(), "run-of-a");
  CAF_CHECK(cell.at("last_frame").is_string());
  CAF_CHECK(cell.at("silence_in_seconds").get<double>() > 500);

  const http_response gone = host.remove("a");
  CAF_CHECK_EQUAL(gone.status, 200);
  CAF_CHECK_EQUAL(total(gone.json(), "received"), 26u);
  CAF_CHECK_EQUAL(total(gone.json(), "appended"), 25u);
  CAF_CHECK_EQUAL(total(gone.json(), "in_flight"), 0u);
  CAF_CHECK_EQUAL(gone.json().at("totals").at("refused").at("unknown_probe_source").get<std::uint64_t>(), 1u);
  CAF_CHECK(!std::filesystem::exists(host.home().socket_of("a")));
  CAF_CHECK_EQUAL(host.put("a").status, 201);
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  CAF_CHECK_EQUAL(events_of(read_events(host.home().evidence_dir()), "a", "run.v1.ended").size(), 2u);
}

CAF_TEST(a_bad_body_is_answered_with_the_field_and_what_to_write) {
  controlled_daemon host;
  struct mistake {
    const char* member;
    json value;
    const char* field;
    const char* part_of_hint;
  };
  const std::vector<mistake> mistakes{
      {"run_idd", "r", "run_idd", "did you mean \"run_id\"?"},
      {"id", "a", "id", "the id is in the path"},
      {"keepalive_window", "10", "keepalive_window", "\"10s\""},
      {"keepalive_window", 10, "keepalive_window", "\"10s\""},
      {"expected_uid", -1, "expected_uid", "0 to"},
      {"expected_uid", "10002", "expected_uid", "10002"},
      {"on_agent_failure", "ignore", "on_agent_failure", "report"},
      {"vsock_uds_base", "relative", "vsock_uds_base", "/run/fc"},
      {"run_id", nullptr, "run_id", "run-7"},
      {"run_id", "two words", "run_id", "A-Z"},
  };
  for (const mistake& each : mistakes) {
    json body = host.body_of("a");
    body[each.member] = each.value;
    const http_response refused = host.client().ask("PUT", "/cells/a", body.dump());
    CAF_MESSAGE(each.member << ' ' << refused.body);
    CAF_CHECK_EQUAL(refused.status, 400);
    CAF_CHECK_EQUAL(refused.json().at("field").get<std::string>(), each.field);
    CAF_CHECK(refused.json().at("hint").get<std::string>().find(each.part_of_hint) != std::string::npos);
  }
  for (const char* body : {"", "{", "[]", "7", R"({"run_id":"a","run_id":"b"})", R"({"run_id":{"a":{"b":1}}})"}) {
    const http_response refused = host.client().ask("PUT", "/cells/a", body);
    CAF_MESSAGE(body << ' ' << refused.body);
    CAF_CHECK_EQUAL(refused.status, 400);
    CAF_CHECK(refused.json().contains("hint"));
  }
  CAF_CHECK_EQUAL(host.client().get("/cells").json().at("cells").size(), 0u);
}

CAF_TEST(what_is_not_there_is_refused_in_json) {
  controlled_daemon host;
  http_client& client = host.client();
  const http_response method = client.ask("POST", "/cells/a");
  CAF_CHECK_EQUAL(method.status, 405);
  CAF_CHECK_EQUAL(method.header("allow"), "GET, HEAD, PUT, DELETE");
  CAF_CHECK_EQUAL(method.json().at("hint").get<std::string>(), "there are GET, HEAD, PUT, DELETE");
  const http_response path = client.get("/cell");
  CAF_CHECK_EQUAL(path.status, 404);
  CAF_CHECK_EQUAL(path.json().at("hint").get<std::string>(), "did you mean /cells?");
  const http_response head = client.ask("HEAD", "/healthz");
  CAF_CHECK_EQUAL(head.status, 200);
  CAF_CHECK_EQUAL(head.header("content-length"), std::to_string(client.get("/healthz").body.size()));
  const http_response page = client.get("/");
  CAF_CHECK(page.body.find("</html>") != std::string::npos);
  CAF_CHECK(page.header("content-security-policy").find("default-src 'none'") != std::string::npos);
}

CAF_TEST(a_client_that_says_half_a_request_or_too_much_holds_nobody_up) {
  controlled_daemon host;
  auto half = host.another_client();
  half.connect();
  half.send("PUT /cells/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  auto long_head = host.another_client();
  long_head.connect();
  long_head.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'));
  CAF_CHECK(long_head.is_closed_within(test_timeout));
  CAF_CHECK_EQUAL(host.put("b").status, 201);
  CAF_MESSAGE("more connections than are served at once wait; they are served as others go");
  std::vector<http_client> idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(host.another_client());
    idle.back().connect();
  }
  idle.clear();
  auto after = host.another_client();
  CAF_CHECK_EQUAL(after.get("/healthz").status, 200);
}

CAF_TEST(events_come_as_they_are_appended_and_only_those_asked_for) {
  controlled_daemon host;
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  CAF_REQUIRE_EQUAL(host.put("b").status, 201);
  auto follower = host.another_client();
  follower.connect();
  follower.send("GET /events?cell=b&type=process_spawned HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = follower.receive_until("\r\n\r\n");
  CAF_CHECK(head.find("text/event-stream") != std::string::npos);
  raw_guest a{host.home().socket_of("a")};
  raw_guest b{host.home().socket_of("b")};
  a.write_frame("process.spawned", "of-a");
  b.write_frame("process.exited", "of-another-type");
  b.write_frame("process.spawned", "first-of-b");
  b.write_frame("process.spawned", "second-of-b");
  const std::string stream = follower.receive_until("second-of-b");
  CAF_CHECK(stream.find("first-of-b") != std::string::npos);
  CAF_CHECK(stream.find("of-a\"") == std::string::npos);
  CAF_CHECK(stream.find("of-another-type") == std::string::npos);
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  CAF_CHECK(follower.is_closed_within(test_timeout));
}

CAF_TEST(a_client_that_does_not_read_events_is_informed_and_let_go) {
  controlled_daemon host;
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  auto follower = host.another_client();
  follower.connect();
  follower.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  (void)follower.receive_until("\r\n\r\n");
  const sent_report sent = simulate({.socket = host.home().socket_of("a"), .frames = 20'000});
  CAF_CHECK(holds_within(test_timeout,
                         [&] { return metric(host.metrics(), "cellos_telemetry_event_streams_dropped_total") == 1; }));
  const std::string stream = follower.receive_until("events_lost");
  CAF_CHECK(stream.find("event: dropped\ndata: ") != std::string::npos);
  CAF_MESSAGE("nobody else lost anything");
  const json totals = host.remove("a").json();
  CAF_CHECK_EQUAL(total(totals, "appended"), sent.declarations);
}

CAF_TEST(the_public_pages_are_served_over_tcp_and_nothing_else_is) {
  controlled_daemon host{{.tables = "http_listen = '127.0.0.1:0'\n"}};
  const std::string line = host.daemon().wait_for_line("address=http://");
  http_client tcp{line.substr(line.find("http://") + 7)};
  CAF_CHECK_EQUAL(tcp.get("/healthz").status, 200);
  CAF_CHECK_EQUAL(tcp.get("/readyz").status, 200);
  CAF_CHECK(metric(tcp.get("/metrics").body, "cellos_telemetry_cells{state=\"listening\"}") == 0);
  CAF_CHECK_EQUAL(tcp.get("/").status, 200);
  CAF_CHECK_EQUAL(tcp.get("/cells").status, 404);
  CAF_CHECK_EQUAL(tcp.get("/events").status, 404);
  http_client put{line.substr(line.find("http://") + 7)};
  CAF_CHECK_EQUAL(put.ask("DELETE", "/cells/a").status, 404);
}
