#include "runtime/configuration/readers.hpp"

#define CAF_SUITE readers
#include "caf/test/dsl.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"

using namespace cellos;
using namespace cellos::settings;
using cellos::test::error_in;

namespace {

bool accepts(text_rule rule, std::string_view text) { return !rule(text).has_value(); }

std::string problem(text_rule rule, std::string_view text) {
  auto complained = rule(text);
  return complained ? complained->problem : "none";
}

/// A whole file of one cell, each value as given.
std::string one_cell(const std::string& id, const std::string& run_id, const std::string& base,
                     const std::string& hash) {
  return cellos::test::smallest + "[[cell]]\nid = \"" + id + "\"\nrun_id = \"" + run_id + "\"\nvsock_uds_base = \"" +
         base + "\"\nspec_signature_hash = \"" + hash + "\"\n";
}

}  // namespace

CAF_TEST(an_id_is_1_to_128_of_its_characters) {
  CAF_CHECK(accepts(identifier, "a"));
  CAF_CHECK(accepts(identifier, "AZaz09._:-"));
  CAF_CHECK(accepts(identifier, std::string(128, 'x')));
  CAF_CHECK_EQUAL(problem(identifier, ""), "is empty");
  CAF_CHECK_EQUAL(problem(identifier, std::string(129, 'x')),
                  "is 129 bytes long (\"" + std::string(128, 'x') + "...\"), more than 128");
  for (int byte = 0; byte < 256; ++byte) {
    std::string text{'a', static_cast<char>(byte)};
    bool allowed = byte < 128 && (std::isalnum(byte) || byte == '.' || byte == '_' || byte == ':' || byte == '-');
    CAF_CHECK_EQUAL(accepts(identifier, text), allowed);
  }
}

CAF_TEST(every_id_of_a_file_is_held_to_it) {
  const std::string note = " (1 to 128 of the characters A-Z a-z 0-9 . _ : -)";
  CAF_CHECK_EQUAL(error_in("host_id = \"a/b\"\n[evidence]\ndir = \"/e\"\n"),
                  "t.toml:1:11: host_id: \"a/b\" has a character that is not allowed in an id; write host_id = "
                  "\"host-a\"" +
                      note);
  CAF_CHECK_EQUAL(error_in(one_cell("a\\u001b[31mb", "r", "/v", "s")),
                  "t.toml:5:6: cell[0].id: \"a\\x1b[31mb\" has a character that is not allowed in an id; write id = "
                  "\"cell-1\"" +
                      note);
  CAF_CHECK_EQUAL(error_in(one_cell("a", "", "/v", "s")),
                  "t.toml:6:10: cell[0].run_id: is empty; write run_id = \"run-7\"" + note);
  CAF_CHECK_EQUAL(error_in(one_cell("a", "caf\xc3\xa9", "/v", "s")),
                  "t.toml:6:10: cell[0].run_id: \"caf\\xc3\\xa9\" has a character that is not allowed in an id; write "
                  "run_id = \"run-7\"" +
                      note);
}

CAF_TEST(a_vsock_base_is_absolute_and_leaves_room_for_the_port) {
  CAF_CHECK(accepts(vsock_base, "/" + std::string(101, 'v')));
  auto long_base = "/" + std::string(102, 'v');
  CAF_CHECK_EQUAL(error_in(one_cell("a", "r", long_base, "s")),
                  "t.toml:7:18: cell[0].vsock_uds_base: makes a socket path of 108 bytes (\"/" + std::string(102, 'v') +
                      "_9001\"); the kernel allows 107; write vsock_uds_base = \"/run/fc/cell-1/v.sock\" (at most 102 "
                      "bytes, so that _9001 still fits behind it)");
  CAF_CHECK_EQUAL(error_in(one_cell("a", "r", "run/v.sock", "s")),
                  "t.toml:7:18: cell[0].vsock_uds_base: \"run/v.sock\" is not an absolute path; write vsock_uds_base = "
                  "\"/run/fc/cell-1/v.sock\" (Firecracker's uds_path of this cell from the root on)");
  CAF_CHECK_EQUAL(problem(vsock_base, "/run/fc/"), "\"/run/fc/\" names a directory");
  CAF_CHECK_EQUAL(problem(vsock_base, ""), "is empty");
  CAF_CHECK_EQUAL(problem(vsock_base, std::string_view("/v\0w", 4)), "\"/v\\x00w\" has a control character in it");
}

CAF_TEST(a_specification_hash_is_any_short_text_without_control_characters) {
  CAF_CHECK(accepts(opaque_text, "sha256:00 caf\xc3\xa9"));
  CAF_CHECK(accepts(opaque_text, std::string(256, 'f')));
  const std::string remedy = "; write spec_signature_hash = \"sha256:...\" (1 to 256 bytes without control characters)";
  const std::string at = "t.toml:8:23: cell[0].spec_signature_hash: ";
  CAF_CHECK_EQUAL(error_in(one_cell("a", "r", "/v", "")), at + "is empty" + remedy);
  CAF_CHECK_EQUAL(error_in(one_cell("a", "r", "/v", std::string(257, 'f'))),
                  at + "is 257 bytes long, more than 256" + remedy);
  CAF_CHECK_EQUAL(error_in(one_cell("a", "r", "/v", "a\\tb")),
                  at + "\"a\\x09b\" has a control character in it" + remedy);
  CAF_CHECK(!accepts(opaque_text, "a\x7f"));
  CAF_CHECK(!accepts(opaque_text, "a\xc2\x85"));
  CAF_CHECK(accepts(opaque_text, "a\xc2\xa9"));
}

CAF_TEST(a_control_socket_fits_the_kernel_s_limit) {
  CAF_CHECK(accepts(socket_path, "/" + std::string(106, 's')));
  CAF_CHECK_EQUAL(error_in(cellos::test::smallest + "[control]\nsocket = \"/" + std::string(107, 's') + "\"\n"),
                  "t.toml:5:10: control.socket: makes a socket path of 108 bytes (\"/" + std::string(107, 's') +
                      "\"); the kernel allows 107; write socket = \"/run/cellos-telemetry/control.sock\" (at most 107 "
                      "bytes)");
  CAF_CHECK_EQUAL(problem(socket_path, ""), "is empty");
}

CAF_TEST(a_path_means_the_same_wherever_the_daemon_is_started) {
  for (const std::string key : {"[evidence]\ndir", "[control]\nsocket", "[control]\nstate_file", "[signing]\nkey_file",
                                "[signing]\nformer_key_file"}) {
    const std::string before = key.starts_with("[evidence]") ? "host_id = \"a\"\n" : cellos::test::smallest;
    CAF_CHECK(error_in(before + key + " = \"run/x\"\n").find("\"run/x\" is not an absolute path; write ") !=
              std::string::npos);
    CAF_CHECK(
        error_in(before + key + " = \"~/x\"\n").find("\"~/x\" begins with ~, which only a shell expands; write ") !=
        std::string::npos);
  }
}

CAF_TEST(a_directory_has_a_name) {
  CAF_CHECK_EQUAL(error_in("host_id = \"a\"\n[evidence]\ndir = \"\"\n"),
                  "t.toml:3:7: evidence.dir: is empty; write dir = \"/var/lib/cellos-telemetry\"");
}

CAF_TEST(a_listen_address_has_a_host_and_a_port) {
  for (auto text : {"127.0.0.1:9464", "[::1]:9464", "localhost:1", "0.0.0.0:65535", "127.0.0.1:0"}) {
    CAF_CHECK_EQUAL(problem(listen_address, text), "none");
  }
  for (auto text : {"", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http",
                    "::1:9464", "[]:1", "[::1]", "[::1:80", "a b:1", "http://a:1"}) {
    CAF_CHECK(!accepts(listen_address, text));
  }
  CAF_CHECK_EQUAL(error_in(cellos::test::smallest + "[control]\nhttp_listen = \":9464\"\n"),
                  "t.toml:5:15: control.http_listen: \":9464\" is not an address and a port; write http_listen = "
                  "\"127.0.0.1:9464\" (an IPv6 address goes in brackets)");
}
