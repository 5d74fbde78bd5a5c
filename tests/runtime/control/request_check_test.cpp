#include "runtime/control/request_check.hpp"

#define CAF_SUITE request_check
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

/// 200 where it is answered.
unsigned status_of(const request_head& head, const server_names& server = {}) {
  const checked_request checked = check_request(head, server);
  return checked.refusal ? checked.refusal->status : 200;
}

request_head asking(std::string host, std::string target = "/cells", std::string method = "GET") {
  request_head head;
  head.version = "HTTP/1.1";
  head.method = std::move(method);
  head.target = std::move(target);
  head.hosts = {std::move(host)};
  return head;
}

request_head from_page(std::string host, std::string origin, std::string method = "POST") {
  request_head head = asking(std::move(host), "/reload", std::move(method));
  head.origins = {std::move(origin)};
  return head;
}

request_head from_site(std::string fetch_site) {
  request_head head = asking("localhost:8080");
  head.fetch_sites = {std::move(fetch_site)};
  return head;
}

}  // namespace

CAF_TEST(only_names_of_this_host_are_answered) {
  for (const char* host :
       {"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:80", "127.8.9.1", "[::1]", "[::1]:8080"}) {
    CAF_CHECK_EQUAL(status_of(asking(host)), 200u);
  }
  for (const char* host : {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
                           "10.0.0.1", "[2001:db8::1]", "h", "xlocalhost", "0.0.0.0"}) {
    CAF_CHECK_EQUAL(status_of(asking(host)), 403u);
  }
  for (const char* host : {"", ":80", "localhost:http", "localhost:123456", "user@localhost", "local host", "a/b"}) {
    CAF_CHECK_EQUAL(status_of(asking(host)), 400u);
  }
}

CAF_TEST(more_names_are_answered_where_they_are_given) {
  const server_names named{{"host-a.example"}, false, {}};
  CAF_CHECK_EQUAL(status_of(asking("Host-A.example:9464"), named), 200u);
  CAF_CHECK_EQUAL(status_of(asking("host-b.example"), named), 403u);
  CAF_MESSAGE("an address cannot be made to point elsewhere");
  const server_names addressed{{}, true, {}};
  CAF_CHECK_EQUAL(status_of(asking("10.0.0.1:9464"), addressed), 200u);
  CAF_CHECK_EQUAL(status_of(asking("[2001:db8::1]:9464"), addressed), 200u);
  CAF_CHECK_EQUAL(status_of(asking("10.0.0.1.example:9464"), addressed), 403u);
}

CAF_TEST(an_open_path_is_answered_under_any_name_but_not_to_a_page) {
  const server_names server{{}, true, {"/metrics"}};
  CAF_CHECK_EQUAL(status_of(asking("host-a.example", "/metrics"), server), 200u);
  CAF_CHECK_EQUAL(status_of(asking("host-a.example", "/metrics", "HEAD"), server), 200u);
  CAF_CHECK_EQUAL(status_of(asking("host-a.example", "/metrics", "POST"), server), 403u);
  CAF_CHECK_EQUAL(status_of(asking("host-a.example", "/metrics/"), server), 403u);
  CAF_CHECK_EQUAL(status_of(asking("host-a.example", "/readyz"), server), 403u);
  request_head page = asking("host-a.example", "/metrics");
  page.fetch_sites = {"same-origin"};
  CAF_CHECK_EQUAL(status_of(page, server), 403u);
  page.fetch_sites.clear();
  page.origins = {"http://host-a.example"};
  CAF_CHECK_EQUAL(status_of(page, server), 403u);
}

CAF_TEST(pages_of_other_sites_are_refused) {
  CAF_CHECK_EQUAL(status_of(from_page("localhost:8080", "http://localhost:8080")), 200u);
  CAF_CHECK_EQUAL(status_of(from_page("LOCALHOST:8080", "http://localhost:8080")), 200u);
  CAF_CHECK_EQUAL(status_of(from_page("localhost", "https://localhost")), 200u);
  for (const char* origin : {"http://evil.example", "http://localhost", "http://localhost:8081",
                             "http://127.0.0.1:8080", "null", "", "http://localhost:8080.evil.example", "file://"}) {
    for (const char* method : {"GET", "PUT", "POST", "DELETE"}) {
      CAF_CHECK_EQUAL(status_of(from_page("localhost:8080", origin, method)), 403u);
    }
  }
  CAF_CHECK_EQUAL(status_of(from_site("same-origin")), 200u);
  CAF_CHECK_EQUAL(status_of(from_site("none")), 200u);
  for (const char* site : {"cross-site", "same-site", "", "same-origin, cross-site"}) {
    CAF_CHECK_EQUAL(status_of(from_site(site)), 403u);
  }
  request_head twice = from_site("same-origin");
  twice.fetch_sites.push_back("cross-site");
  CAF_CHECK_EQUAL(status_of(twice), 403u);
}

CAF_TEST(what_can_be_read_in_two_ways_is_refused) {
  request_head head = asking("localhost");
  head.hosts.push_back("localhost");
  CAF_CHECK_EQUAL(status_of(head), 400u);
  head.hosts.clear();
  CAF_CHECK_EQUAL(status_of(head), 400u);
  head.version = "HTTP/1.0";
  CAF_CHECK_EQUAL(status_of(head), 200u);
  request_head body = asking("localhost", "/cells/a", "PUT");
  body.content_lengths = {"5"};
  CAF_CHECK_EQUAL(status_of(body), 200u);
  body.has_transfer_encoding = true;
  CAF_CHECK_EQUAL(status_of(body), 400u);
  body.has_transfer_encoding = false;
  for (const char* length : {"", "-1", "+5", "5, 5", "0x5", "five"}) {
    body.content_lengths = {length};
    CAF_CHECK_EQUAL(status_of(body), 400u);
  }
  body.content_lengths = {"5", "5"};
  CAF_CHECK_EQUAL(status_of(body), 400u);
}

CAF_TEST(an_absolute_target_names_the_host_itself) {
  const auto path_of = [](const char* target) { return check_request(asking("localhost", target), {}).path; };
  CAF_CHECK_EQUAL(path_of("http://localhost/cells"), "/cells");
  CAF_CHECK_EQUAL(path_of("HTTP://localhost:8080"), "/");
  CAF_CHECK_EQUAL(path_of("/cells/http://a"), "/cells/http://a");
  CAF_CHECK_EQUAL(status_of(asking("evil.example", "http://localhost/cells")), 200u);
  CAF_CHECK_EQUAL(status_of(asking("localhost", "http://evil.example/cells")), 403u);
  for (const char* target : {"https://localhost/", "ftp://localhost/", "cells", "*", "", "http:/localhost/"}) {
    CAF_CHECK_EQUAL(status_of(asking("localhost", target)), 400u);
  }
  CAF_CHECK_EQUAL(status_of(asking("localhost", "http:///cells")), 400u);
}

CAF_TEST(a_refusal_says_what_was_wrong_and_what_to_do) {
  const checked_request checked = check_request(asking("evil\x1b.example"), {});
  CAF_REQUIRE(checked.refusal.has_value());
  CAF_CHECK(checked.refusal->body.find("not called evil\\\\x1B.example") != std::string::npos ||
            checked.refusal->body.find("not called evil\\\\x1b.example") != std::string::npos);
  CAF_CHECK(checked.refusal->body.find("\"field\":\"Host\"") != std::string::npos);
  CAF_CHECK(checked.refusal->body.find("host_names") != std::string::npos);
}
