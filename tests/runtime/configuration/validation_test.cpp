#include "runtime/configuration/validation.hpp"

#define CAF_SUITE validation
#include "caf/test/dsl.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"

using namespace cellos;
using namespace cellos::test;

CAF_TEST(an_id_belongs_to_one_cell) {
  CAF_CHECK_EQUAL(
      error_in(smallest + cell("a", "/a") + cell("b", "/b") + cell("a", "/c")),
      "t.toml:15:6: cell[2].id: \"a\" is cell[0].id (line 5) already; give this cell an id that no other has, "
      "or remove one of the two [[cell]] tables");
}

CAF_TEST(every_further_cell_with_an_id_is_reported) {
  CAF_CHECK_EQUAL(errors_in(smallest + cell("a", "/a") + cell("a", "/b") + cell("a", "/c")).size(), 2u);
}

CAF_TEST(a_socket_belongs_to_one_cell_however_its_path_is_written) {
  auto expected = [](const std::string& socket) {
    return "t.toml:12:18: cell[1].vsock_uds_base: line 12 makes the socket \"" + socket +
           "\", which cell[0].vsock_uds_base (line 7) has already; write this cell's own vsock_uds_base: the uds_path "
           "that its Firecracker was given";
  };
  CAF_CHECK_EQUAL(error_in(smallest + cell("a", "/run/v") + cell("b", "/run/v")), expected("/run/v_9001"));
  CAF_CHECK_EQUAL(error_in(smallest + cell("a", "/run/v") + cell("b", "//run/./x/../v")), expected("/run/v_9001"));
  CAF_CHECK_EQUAL(error_in(smallest + cell("a", "/run/v") + cell("b", "/run/V")), "no error");
}

CAF_TEST(the_control_socket_is_no_cell_s) {
  CAF_CHECK_EQUAL(error_in(smallest + "[control]\nsocket = \"/run//v_9001\"\n" + cell("a", "/run/v")),
                  "t.toml:9:18: cell[0].vsock_uds_base: line 9 makes the socket \"/run/v_9001\", which control.socket "
                  "(line 5) has already; write this cell's own vsock_uds_base: the uds_path that its Firecracker was "
                  "given");
}

CAF_TEST(what_is_refused_or_missing_is_not_compared) {
  auto errors = errors_in(smallest + "[[cell]]\n[[cell]]\n" + cell("a b", "v") + cell("a b", "v"));
  CAF_CHECK_EQUAL(errors.size(), 12u);
  for (const auto& error : errors) CAF_CHECK(error.find("already") == std::string::npos);
}

CAF_TEST(a_segment_is_not_larger_than_the_log) {
  CAF_CHECK_EQUAL(
      error_in(smallest + "segment_bytes = \"2MiB\"\nmax_bytes = \"1MiB\"\n"),
      "t.toml:4:17: evidence.segment_bytes: is more than evidence.max_bytes, so that one segment is over the "
      "limit; remove segment_bytes for a quarter of max_bytes, or raise max_bytes");
}

CAF_TEST(whoever_speaks_to_other_nodes_shows_who_it_is) {
  const std::string forward = "[forward]\ncollectors = [\"a.example:7440\"]\n";
  CAF_CHECK_EQUAL(
      error_in(smallest + forward),
      "t.toml:5:14: forward.collectors: needs certificate_file, key_file and ca_file under [tls]; write them; "
      "config/certificates/ says how certificates are made");
  const std::string collector = "[collector]\nlisten = \"[::1]:7440\"\ndir = \"/h\"\n";
  CAF_CHECK_EQUAL(
      error_in(smallest + collector),
      "t.toml:5:10: collector.listen: needs certificate_file, key_file and ca_file under [tls]; write them; "
      "config/certificates/ says how certificates are made");
  const std::string files = "[tls]\ncertificate_file = \"/c\"\nkey_file = \"/k\"\nca_file = \"/a\"\n";
  CAF_CHECK_EQUAL(error_in(smallest + files + forward + collector), "no error");
  CAF_CHECK_EQUAL(error_in(smallest + "[tls]\nplain_loopback = true\n" + forward), "no error");
}

CAF_TEST(what_is_never_durable_cannot_be_forwarded) {
  CAF_CHECK_EQUAL(
      error_in(smallest + "fsync = \"never\"\n[tls]\nplain_loopback = true\n" +
               "[forward]\ncollectors = [\"a.example:7440\"]\n"),
      "t.toml:8:14: forward.collectors: cannot be with evidence.fsync = \"never\": only what survives a loss "
      "of power is forwarded; write fsync = \"100ms\" under [evidence], or remove [forward]");
}

CAF_TEST(other_hosts_logs_are_not_kept_in_the_host_s_own) {
  CAF_CHECK_EQUAL(error_in(smallest + "[tls]\nplain_loopback = true\n[collector]\nlisten = \"a:1\"\ndir = "
                                      "\"/var/lib/./t\"\n"),
                  "t.toml:8:7: collector.dir: is evidence.dir already; give the hosts' logs a directory of their own");
}
