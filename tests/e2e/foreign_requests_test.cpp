#include <string>
#include <vector>

#include "tests/support/controlled_daemon.hpp"

#define CAF_SUITE foreign_requests
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

/// As a browser would send it, or whoever speaks by hand.
http_response asked_with(http_client client, const std::string& method, const std::string& path,
                         const std::vector<std::string>& headers, const std::string& body = {}) {
  std::string request = method + ' ' + path + " HTTP/1.1\r\n";
  for (const std::string& header : headers) request += header + "\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  client.connect();
  client.send(request + "\r\n" + body);
  return client.receive(method);
}

http_client tcp_client_of(controlled_daemon& host) {
  const std::string line = host.daemon().wait_for_line("address=http://");
  return http_client{line.substr(line.find("http://") + 7)};
}

double refused_by(controlled_daemon& host) {
  return metric(host.metrics(), "cellos_telemetry_control_requests_refused_total");
}

}  // namespace

CAF_TEST(a_page_of_another_site_can_neither_change_nor_read_anything) {
  controlled_daemon host;
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  const std::string body = host.body_of("b").dump();
  const std::vector<std::vector<std::string>> foreign{
      {"Host: evil.example"},
      {"Host: localhost:8080", "Origin: http://evil.example"},
      {"Host: localhost:8080", "Origin: null"},
      {"Host: localhost:8080", "Sec-Fetch-Site: cross-site"},
      {"Host: localhost:8080", "Sec-Fetch-Site: same-site", "Origin: http://localhost:3000"},
  };
  double refused = 0;
  for (const auto& headers : foreign) {
    const std::vector<std::pair<std::string, std::string>> requests{
        {"GET", "/cells"},  {"GET", "/events"},  {"GET", "/"},           {"GET", "/metrics"}, {"GET", "/healthz"},
        {"GET", "/readyz"}, {"PUT", "/cells/b"}, {"DELETE", "/cells/a"}, {"POST", "/reload"}};
    for (const auto& [method, path] : requests) {
      const http_response answer =
          asked_with(host.another_client(), method, path, headers, method == "PUT" ? body : std::string{});
      CAF_CHECK_EQUAL(answer.status, 403);
      CAF_CHECK(answer.json().contains("hint"));
      ++refused;
    }
  }
  CAF_CHECK_EQUAL(host.client().get("/cells").json().at("cells").size(), 1u);
  CAF_CHECK_EQUAL(refused_by(host), refused);
  CAF_MESSAGE("the page itself, through a forwarded port, and whoever is no browser may");
  for (const auto& headers : {std::vector<std::string>{"Host: localhost:8080", "Origin: http://localhost:8080",
                                                       "Sec-Fetch-Site: same-origin"},
                              {"Host: 127.0.0.1:8080", "Sec-Fetch-Site: none"},
                              {"Host: [::1]:8080"}}) {
    CAF_CHECK_EQUAL(asked_with(host.another_client(), "PUT", "/cells/b", headers, body).status / 100, 2);
    CAF_CHECK_EQUAL(asked_with(host.another_client(), "DELETE", "/cells/b", headers).status, 200);
  }
  CAF_CHECK_EQUAL(refused_by(host), refused);
}

CAF_TEST(heads_that_two_readers_read_differently_are_refused) {
  controlled_daemon host;
  CAF_CHECK_EQUAL(asked_with(host.another_client(), "GET", "/cells", {}).status, 400);
  CAF_CHECK_EQUAL(asked_with(host.another_client(), "GET", "/cells", {"Host: localhost", "Host: evil"}).status, 400);
  const std::string body = host.body_of("a").dump();
  const std::string length = "Content-Length: " + std::to_string(body.size());
  CAF_CHECK_EQUAL(asked_with(host.another_client(), "PUT", "/cells/a", {"Host: localhost", length}, body).status, 400);
  CAF_CHECK_EQUAL(
      asked_with(host.another_client(), "PUT", "/cells/a", {"Host: localhost", "Transfer-Encoding: chunked"}, body)
          .status,
      400);
  CAF_CHECK_EQUAL(host.client().get("/cells").json().at("cells").size(), 0u);
  CAF_CHECK_EQUAL(
      asked_with(host.another_client(), "PUT", "http://localhost/cells/a", {"Host: localhost"}, body).status, 201);
}

CAF_TEST(over_tcp_a_scraper_may_use_any_name_and_a_browser_may_not) {
  controlled_daemon host{{.tables = "http_listen = '127.0.0.1:0'\n"}};
  const auto status = [&](const std::string& path, const std::vector<std::string>& headers) {
    return asked_with(tcp_client_of(host), "GET", path, headers).status;
  };
  for (const char* path : {"/metrics", "/healthz"}) {
    CAF_CHECK_EQUAL(status(path, {"Host: host-a.example:9464"}), 200);
    CAF_CHECK_EQUAL(status(path, {"Host: host-a.example:9464", "Sec-Fetch-Site: same-origin"}), 403);
  }
  for (const char* path : {"/readyz", "/", "/cells"}) CAF_CHECK_EQUAL(status(path, {"Host: host-a.example"}), 403);
  for (const char* path : {"/metrics", "/healthz", "/readyz", "/"}) {
    CAF_CHECK_EQUAL(status(path, {"Host: 10.0.0.1:9464"}), 200);
    CAF_CHECK_EQUAL(status(path, {"Host: localhost"}), 200);
  }
}

CAF_TEST(names_that_are_given_are_the_only_ones) {
  controlled_daemon host{{.tables = "http_listen = '127.0.0.1:0'\nhost_names = ['Host-A.example']\n"}};
  for (const auto& [name, expected] : {std::pair{"host-a.example:9464", 200}, {"HOST-A.EXAMPLE", 200}, {"x", 403}}) {
    for (const char* path : {"/metrics", "/healthz", "/readyz", "/"}) {
      CAF_CHECK_EQUAL(asked_with(tcp_client_of(host), "GET", path, {std::string{"Host: "} + name}).status, expected);
    }
  }
  CAF_CHECK_EQUAL(asked_with(host.another_client(), "GET", "/cells", {"Host: host-a.example"}).status, 200);
}

CAF_TEST(a_cell_of_the_file_that_was_removed_on_purpose_is_not_missed) {
  controlled_daemon host{{.cells = {{.id = "a"}, {.id = "b"}}}};
  CAF_CHECK_EQUAL(host.client().get("/readyz").status, 200);
  CAF_REQUIRE_EQUAL(host.remove("a").status, 200);
  CAF_CHECK_EQUAL(host.client().get("/readyz").status, 200);
  CAF_CHECK_EQUAL(host.client().get("/readyz").json().at("cells").get<int>(), 1);
  CAF_MESSAGE("a reload admits it again");
  CAF_REQUIRE_EQUAL(host.client().ask("POST", "/reload").status, 200);
  CAF_CHECK_EQUAL(host.client().get("/readyz").json().at("cells").get<int>(), 2);
  CAF_MESSAGE("one that could not be bound is missed, whoever removes it");
  host.configure({.cells = {{.id = "a"}, {.id = "misplaced", .vsock_uds_base = "/nowhere/v.sock"}}});
  CAF_REQUIRE_EQUAL(host.client().ask("POST", "/reload").status, 200);
  CAF_CHECK_EQUAL(host.client().get("/readyz").status, 503);
  CAF_CHECK_EQUAL(host.remove("misplaced").status, 404);
  CAF_CHECK_EQUAL(host.client().get("/readyz").status, 503);
}
