// ctest: TIMEOUT 120
#include <chrono>
#include <filesystem>
#include <string>

#include "tests/runtime/transport/fleet_node.hpp"
#include "tests/runtime/transport/raw_peer.hpp"
#include "tests/runtime/transport/test_authority.hpp"
#include "tests/support/files.hpp"

#define CAF_SUITE refused_peers
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  test_authority authority;
  tls_settings collector_files = authority.collector("collector-a");
  tls_settings host_files = authority.host("host-a");
};

bool has(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) CAF_MESSAGE("said: " << text);
  return found;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(refused_peers_tests, fixture)

CAF_TEST(whoever_has_not_a_hosts_certificate_is_refused_and_counted_by_reason) {
  authority.another_authority("another");
  collector_files.denied_hosts = {"host-d"};
  greeting_collector collector{collector_files};
  const auto port = collector.server->port();
  const auto refused = [&](connection_refusal reason, const tls_settings* files) {
    const auto before = collector.server->account()[reason];
    raw_peer peer{port, files};
    const bool closed = peer.closed_within(test_timeout);
    return closed && holds_within(test_timeout, [&] { return collector.server->account()[reason] == before + 1; });
  };
  CAF_CHECK(refused(connection_refusal::no_certificate, nullptr));
  const auto of_another = authority.host("host-x", {"AUTHORITY=another"});
  CAF_CHECK(refused(connection_refusal::other_authority, &of_another));
  const auto expired = authority.host("host-x", {"DAYS=0"});
  CAF_CHECK(refused(connection_refusal::expired, &expired));
  CAF_CHECK(refused(connection_refusal::wrong_purpose, &collector_files));
  const auto both = authority.host("host-x", {"USAGE=clientAuth,serverAuth"});
  CAF_CHECK(refused(connection_refusal::wrong_purpose, &both));
  const auto neither = authority.host("host-x", {"USAGE="});
  CAF_CHECK(refused(connection_refusal::wrong_purpose, &neither));
  const auto nameless = authority.host("host-x", {"SAN=DNS:host-x"});
  CAF_CHECK(refused(connection_refusal::no_host_name, &nameless));
  const auto denied = authority.host("host-d");
  CAF_CHECK(refused(connection_refusal::host_denied, &denied));
  CAF_CHECK_EQUAL(collector.greetings(), 0U);
  CAF_CHECK_EQUAL(collector.server->account().welcomed, 0U);
}

CAF_TEST(a_host_that_is_refused_says_why_and_what_to_do) {
  greeting_collector collector{collector_files};
  greeting_host host{host_files};
  const auto here = place_text("127.0.0.1", collector.server->port()) + ": ";
  CAF_CHECK_EQUAL(host.failure(collector.place()), "");

  auto denying = collector_files;
  denying.denied_hosts = {"host-z", "host-a"};
  CAF_REQUIRE(!collector.server->reload(denying));
  CAF_CHECK(has(host.failure(collector.place()), here + "it denies this host; take the host from the collector's"));

  // A collector with another authority, known to the host by name alone.
  authority.another_authority("another");
  auto foreign = authority.collector("collector-x", {"AUTHORITY=another"});
  foreign.authority = authority / "another.pem";
  greeting_collector other{foreign};
  CAF_CHECK(has(host.failure(other.place()), "its certificate is not of the authority of " +
                                                 host_files.authority.native() + "; have both sides use one"));
  auto trusting = host_files;
  trusting.authority = authority / "both.pem";
  write_file(trusting.authority, content_of(authority / "authority.pem") + content_of(authority / "another.pem"));
  CAF_REQUIRE(!host.connector->reload(trusting));
  CAF_CHECK(has(host.failure(other.place()), "it does not know the authority of " + host_files.certificate.native()));
}

CAF_TEST(a_host_speaks_to_the_collector_that_was_meant) {
  greeting_collector collector{collector_files};
  greeting_host host{host_files};
  auto place = collector.place();
  place.server_name = "collector-b.example";
  CAF_CHECK(has(host.failure(place), "its certificate is not for collector-b.example; configure a name that"));
  place.server_name = "127.0.0.2";
  CAF_CHECK(has(host.failure(place), "its certificate is not for 127.0.0.2; configure a name that"));
  place.server_name = "localhost";
  CAF_CHECK_EQUAL(host.failure(place), "");
  CAF_CHECK_EQUAL(collector.greetings(), 1U);

  place.server_name = std::string("a\0b", 3);
  CAF_CHECK_NOT_EQUAL(host.failure(place), "");
}

CAF_TEST(reloaded_files_are_those_of_the_next_connections) {
  greeting_collector collector{collector_files};
  greeting_host host{host_files};
  const auto old_session = host.session(collector.place());
  CAF_REQUIRE_EQUAL(host.last_failure, "");
  const auto port = collector.server->port();
  const auto old_serial = raw_peer{port, &host_files}.serial_of_peer();
  const auto old_end = collector.server->certificate_expires();

  authority.collector("collector-a", {"DAYS=365"});
  CAF_REQUIRE(!collector.server->reload(collector_files));
  CAF_CHECK_NOT_EQUAL(raw_peer(port, &host_files).serial_of_peer(), old_serial);
  CAF_CHECK(*collector.server->certificate_expires() > *old_end + 24h * 200);
  // Who was there goes on.
  CAF_CHECK_EQUAL(host.hello(old_session, "host-a"), "welcome host-a");
}

CAF_TEST(a_reload_of_broken_files_changes_nothing_and_says_so) {
  greeting_collector collector{collector_files};
  greeting_host host{host_files};
  const auto port = collector.server->port();
  const auto serial = raw_peer{port, &host_files}.serial_of_peer();
  write_file(collector_files.certificate, "not a certificate");
  const auto wrong = collector.server->reload(collector_files);
  CAF_REQUIRE(wrong.has_value());
  CAF_CHECK(has(*wrong, collector_files.certificate.native() + ": no certificate in it"));
  CAF_CHECK_EQUAL(raw_peer(port, &host_files).serial_of_peer(), serial);
  CAF_CHECK_EQUAL(host.failure(collector.place()), "");

  // Half of a rotation: the new certificate with the old key.
  authority.host("host-b");
  write_file(host_files.certificate, content_of(authority / "host-b.pem"));
  const auto mismatch = host.connector->reload(host_files);
  CAF_REQUIRE(mismatch.has_value());
  CAF_CHECK(has(*mismatch, host_files.key.native() + ": not the key of"));
  CAF_CHECK_EQUAL(host.connector->host_id(), "host-a");
}

CAF_TEST(files_that_change_are_noticed_and_what_is_wrong_with_them_is_said_once) {
  greeting_collector collector{collector_files};
  const auto port = collector.server->port();
  const auto serial = [&] { return raw_peer(port, &host_files).serial_of_peer(); };
  const auto first = serial();
  CAF_CHECK(!collector.server->reload_if_changed());
  CAF_CHECK_EQUAL(serial(), first);

  const auto old_key = content_of(collector_files.key);
  authority.collector("collector-a");
  CAF_CHECK(!collector.server->reload_if_changed());
  const auto second = serial();
  CAF_CHECK_NOT_EQUAL(second, first);

  write_file(collector_files.key, old_key);
  const auto wrong = collector.server->reload_if_changed();
  CAF_REQUIRE(wrong.has_value());
  CAF_CHECK(has(*wrong, "not the key of"));
  CAF_CHECK(!collector.server->reload_if_changed());
  CAF_CHECK_EQUAL(serial(), second);
}

CAF_TEST(a_host_that_is_denied_later_loses_its_connection) {
  greeting_collector collector{collector_files};
  greeting_host denied{host_files};
  greeting_host other{authority.host("host-b")};
  const auto session = denied.session(collector.place());
  const auto others = other.session(collector.place());
  CAF_REQUIRE_EQUAL(denied.last_failure + other.last_failure, "");
  auto files = collector_files;
  files.denied_hosts = {"host-a"};
  CAF_REQUIRE(!collector.server->reload(files));
  CAF_CHECK(denied.lost(session));
  CAF_CHECK(holds_within(test_timeout, [&] { return collector.server->account()[connection_end::host_denied] == 1; }));
  CAF_CHECK_EQUAL(other.hello(others, "host-b"), "welcome host-b");
}

CAF_TEST_FIXTURE_SCOPE_END()
