#include <string>

#define CAF_SUITE receivers
#include "caf/test/dsl.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

std::string stream_error(const std::string& settings) {
  return error_in(smallest + "[forward.jetstream]\n" + settings);
}
std::string http_error(const std::string& settings) { return error_in(smallest + "[forward.http]\n" + settings); }
std::string servers_error(const std::string& servers) {
  return stream_error("stream = 'S'\nservers = " + servers + "\n");
}
std::string url_error(const std::string& url) { return http_error("url = '" + url + "'\n"); }

const std::string stream = "servers = ['tls://n.example:4222']\nstream = 'S'\n";

bool says(const std::string& error, std::string_view part) { return error.find(part) != std::string::npos; }

}  // namespace

CAF_TEST(receivers_need_no_collectors) {
  CAF_CHECK_EQUAL(stream_error(stream), "no error");
  CAF_CHECK_EQUAL(url_error("https://r.example/"), "no error");
  CAF_CHECK(says(error_in(smallest + "[forward]\n"), "forward.collectors: is missing"));
  CAF_CHECK(says(error_in(smallest + "[forward]\n[forward.htpp]\n"), "forward.htpp: is not a known table"));
  CAF_CHECK(says(stream_error(""), "forward.jetstream.servers: is missing; write servers = "));
  CAF_CHECK(says(stream_error(stream + "streem = 'x'\n"), "did you mean \"stream\"?"));
  CAF_CHECK(says(error_in(smallest + "[forward]\njetstream = 7\n"), "forward.jetstream: is an integer, not a table"));
}

CAF_TEST(a_server_is_spoken_to_over_tls_or_on_loopback) {
  for (const char* good : {"['tls://n:1', 'tls://[2001:db8::1]:4222']", "['nats://127.0.0.1:4222']",
                           "['nats://localhost:1']", "['nats://[::1]:1']"}) {
    CAF_CHECK_EQUAL(servers_error(good), "no error");
  }
  CAF_CHECK(says(servers_error("['nats://n.example:4222']"), "plain text"));
  CAF_CHECK(says(servers_error("['tls://u:p@n.example:4222']"), "credentials"));
  CAF_CHECK(says(servers_error("['tls://n', 'x']"), "is not a NATS server"));
  CAF_CHECK(says(servers_error("['tls://n:1', 'tls://n:1']"), "twice"));
  CAF_CHECK(says(servers_error("[]"), "is empty"));
  CAF_CHECK(says(servers_error("['tls://n:0']"), "is not a NATS server"));
  CAF_CHECK(says(servers_error("\"tls://n:1\""), "not an array of servers"));
}

CAF_TEST(a_url_is_https_or_on_loopback) {
  for (const char* good :
       {"https://r.example", "https://r.example:8443/in?q=1", "http://127.0.0.1:80/", "http://[::1]/x"}) {
    CAF_CHECK_EQUAL(url_error(good), "no error");
  }
  CAF_CHECK(says(url_error("http://r.example/"), "plain text"));
  CAF_CHECK(says(url_error("https://u:p@r.example/"), "credentials"));
  for (const char* bad : {"r.example", "ftp://r/", "https://", "https:///x", "https://r.example:x/", "https://r /"}) {
    CAF_CHECK(says(url_error(bad), "is not the URL of a receiver"));
  }
}

CAF_TEST(names_of_streams_and_subjects_are_checked) {
  CAF_CHECK(says(stream_error(stream + "prefix = 'a..b'\n"), "cannot begin a subject"));
  CAF_CHECK(says(stream_error(stream + "prefix = 'a.>'\n"), "cannot begin a subject"));
  CAF_CHECK(says(stream_error("servers = ['tls://n:1']\nstream = 'a.b'\n"), "is not a stream's name"));
  CAF_CHECK(says(stream_error(stream + "fence = 'streem'\n"), "write fence = \"stream\""));
}

CAF_TEST(what_goes_together_is_written_together) {
  CAF_CHECK(says(stream_error(stream + "certificate_file = '/c'\n"), "both certificate_file and key_file"));
  CAF_CHECK(says(stream_error(stream + "user = 'u'\n"), "both user and password_file"));
  CAF_CHECK(says(servers_error("['nats://[::1]:1']\nca_file = '/ca'"), "no server that TLS is used with"));
  CAF_CHECK(says(http_error("url = 'https://r/'\nkey_file = '/k'\n"), "both certificate_file and key_file"));
  const std::string never = smallest + "fsync = 'never'\n";
  CAF_CHECK(says(error_in(never + "[forward.jetstream]\n" + stream), "remove [forward.jetstream]"));
  CAF_CHECK(says(error_in(never + "[forward.http]\nurl = 'https://r/'\n"), "remove [forward.http]"));
}
