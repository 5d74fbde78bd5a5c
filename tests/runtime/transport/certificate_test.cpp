// ctest: TIMEOUT 120
#include "runtime/transport/certificate.hpp"

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <variant>

#include "runtime/transport/tls_context.hpp"
#include "tests/runtime/transport/test_authority.hpp"
#include "tests/support/files.hpp"

#define CAF_SUITE certificate
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

wall_time wall_now() { return std::chrono::time_point_cast<wall_time::duration>(std::chrono::system_clock::now()); }

/// What is wrong with them; empty if nothing is.
std::string wrong(const tls_settings& settings, transport_side side = transport_side::host,
                  std::chrono::nanoseconds from_now = {}) {
  auto loaded = tls_context::load(settings, side, wall_now() + from_now);
  const auto* why = std::get_if<std::string>(&loaded);
  return why == nullptr ? "" : *why;
}

bool says(const std::string& text, const std::string& file, const std::string& what, const std::string& remedy) {
  const bool said =
      text.starts_with(file) && text.find(what) != std::string::npos && text.find(remedy) != std::string::npos;
  if (!said) CAF_MESSAGE("said: " << text);
  return said;
}

}  // namespace

CAF_TEST(what_the_script_issues_is_what_a_fleet_needs) {
  const test_authority authority;
  CAF_CHECK_EQUAL(wrong(authority.host("host-a")), "");
  CAF_CHECK_EQUAL(wrong(authority.collector("collector-a"), transport_side::collector), "");
  const auto loaded = tls_context::load(authority.files("host-a"), transport_side::host, wall_now());
  const auto context = std::get<0>(loaded);
  CAF_CHECK_EQUAL(context->host_id(), "host-a");
  CAF_CHECK(context->expires() > wall_now() + 24h * 89);
  CAF_CHECK(context->expires() < wall_now() + 24h * 91);
}

CAF_TEST(what_ends_first_in_the_chain_is_the_end) {
  const test_authority authority;
  auto settings = authority.host("host-a", {"DAYS=9000"});
  const auto loaded = tls_context::load(settings, transport_side::host, wall_now());
  CAF_CHECK(std::get<0>(loaded)->expires() < wall_now() + 24h * 3651);
}

CAF_TEST(each_file_that_is_not_right_is_named_with_what_to_do) {
  const test_authority authority;
  const auto good = authority.host("host-a");
  authority.host("host-b");
  const auto file = [&](const char* name) { return (authority / name).native(); };

  auto settings = good;
  settings.certificate = authority / "none.pem";
  CAF_CHECK(says(wrong(settings), file("none.pem"), "cannot be read: No such file", "put the file there"));
  settings = good;
  settings.certificate = authority / "host-a.key";
  CAF_CHECK(says(wrong(settings), file("host-a.key"), "no certificate in it", "put this node's certificate there"));
  settings = good;
  settings.key = authority / "none.key";
  CAF_CHECK(says(wrong(settings), file("none.key"), "private key cannot be read", "put the file there"));
  settings = good;
  settings.key = authority / "host-a.pem";
  CAF_CHECK(says(wrong(settings), file("host-a.pem"), "no private key in it", "put this certificate's key there"));
  settings = good;
  settings.key = authority / "host-b.key";
  CAF_CHECK(says(wrong(settings), file("host-b.key"), "not the key of " + file("host-a.pem"),
                 "the certificate was issued for"));
  settings = good;
  settings.authority = authority / "none.pem";
  CAF_CHECK(says(wrong(settings), file("none.pem"), "cannot be read", "put the file there"));
  settings.authority = authority / "host-a.key";
  CAF_CHECK(says(wrong(settings), file("host-a.key"), "no certificate in it", "put the authority's certificate there"));
  ::chmod((authority / "host-a.key").c_str(), 0644);
  CAF_CHECK(says(wrong(good), file("host-a.key"), "every user has rights", "chmod o-rwx " + file("host-a.key")));
}

CAF_TEST(a_certificate_that_would_be_refused_is_refused_at_home) {
  const test_authority authority;
  authority.another_authority("another");
  const auto host = [&](std::vector<std::string> environment) {
    return wrong(authority.host("host-a", std::move(environment)));
  };
  const auto file = (authority / "host-a.pem").native();
  CAF_CHECK(says(host({"DAYS=0"}), file, "expired on 2020-02-01", "issue a new certificate"));
  CAF_CHECK(says(host({"AUTHORITY=another"}), file, "not issued by the authority of", "name the authority"));
  CAF_CHECK(says(host({"SAN=DNS:host-a"}), file, "names no host", "URI:urn:cellos:host:ID"));
  CAF_CHECK(says(host({"SAN=URI:urn:cellos:host:"}), file, "names no host", "URI:urn:cellos:host:ID"));
  CAF_CHECK(says(host({"SAN=URI:urn:cellos:host:..%2fa"}), file, "names no host", "URI:urn:cellos:host:ID"));
  CAF_CHECK(says(host({"SAN=URI:urn:cellos:host:a,URI:urn:cellos:host:b"}), file, "names no host", "one URI"));
  for (const auto* usage : {"USAGE=serverAuth", "USAGE=clientAuth,serverAuth", "USAGE=", "USAGE=codeSigning"}) {
    CAF_CHECK(says(host({usage}), file, "is not clientAuth", "and that alone"));
  }
  CAF_CHECK_EQUAL(host({}), "");
  CAF_CHECK(says(wrong(authority.files("host-a"), transport_side::host, -24h), file, "not valid yet",
                 "correct this machine's clock"));
  CAF_CHECK(says(wrong(authority.files("host-a"), transport_side::collector), file, "is not serverAuth",
                 "issue a certificate"));
  CAF_CHECK(says(wrong(authority.collector("collector-a", {"SAN=URI:urn:x"}), transport_side::collector),
                 (authority / "collector-a.pem").native(), "names no server", "DNS names and addresses"));
}

CAF_TEST(a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it) {
  const test_authority authority;
  const auto settings = authority.host("host-a");
  process encrypt{{.program = "/usr/bin/openssl",
                   .arguments = {"ec", "-aes128", "-passout", "pass:secret", "-in", settings.key.native(), "-out",
                                 (authority / "locked.key").native()}}};
  CAF_REQUIRE_EQUAL(encrypt.wait(), 0);
  auto locked = settings;
  locked.key = authority / "locked.key";
  CAF_CHECK(says(wrong(locked), locked.key.native(), "no private key in it", "without a passphrase"));
}

CAF_TEST(a_host_id_is_a_name_that_a_directory_can_have) {
  for (const auto* id : {"host-a", "a", "10.0.0.1", "rack:7_b", "A.b-C"}) CAF_CHECK(is_host_id(id));
  for (const auto* id : {"", ".", "..", ".a", "a/b", "a b", "a%2f", "h\xc3\xb6st", "a\n"}) CAF_CHECK(!is_host_id(id));
  CAF_CHECK(is_host_id(std::string(128, 'a')));
  CAF_CHECK(!is_host_id(std::string(129, 'a')));
}
