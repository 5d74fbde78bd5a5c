#include "runtime/configuration/load.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#define CAF_SUITE load
#include "caf/test/dsl.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  temporary_directory dir;

  std::filesystem::path write(std::string_view text) const {
    auto path = dir / "t.toml";
    std::ofstream{path, std::ios::binary} << text;
    return path;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(load_tests, fixture)

CAF_TEST(the_smallest_file_leaves_every_default) {
  configuration expected;
  expected.host_id = "host-a";
  expected.evidence.dir = "/var/lib/t";
  CAF_CHECK(configuration_in(smallest) == expected);
}

CAF_TEST(every_setting_reaches_its_member) {
  auto config = configuration_in(R"(
host_id = "h"
evidence = {dir = "/e", fsync = "always", max_bytes = "1GiB", segment_bytes = "1MiB"}
control = {socket = "/c.sock", http_listen = "[::1]:80"}
log = {level = "trace", format = "json"}
intake = {chunks_per_cell = 2, byte_budget = "1MiB", connections_per_cell = 3, half_frame_timeout = "4s"}
scheduler.threads = 5
tls = {certificate_file = "/n.crt", key_file = "/n.key", ca_file = "/ca.crt", plain_loopback = true}
forward.collectors = ["a.example:1", "[::1]:2"]
forward.max_bytes_per_second = "32KiB"
forward.http = {url = "https://r.example/in", batched = true, batch_bytes = "4KiB", ca_file = "/r.ca", certificate_file = "/r.crt", key_file = "/r.key", authorization_file = "/r.auth", skip = ["a/1"]}
[forward.jetstream]
servers = ["tls://n.example:4222", "nats://127.0.0.1:4222"]
stream = "S"
prefix = "p.q"
fence = "subject"
keep_after_ack = "2m"
create_stream = true
ca_file = "/n.ca"
certificate_file = "/n.crt"
key_file = "/n.key"
credentials_file = "/n.creds"
user = "u"
password_file = "/n.password"
[collector]
listen = "0.0.0.0:7440"
dir = "/hosts"
denied_hosts = ["x", "y"]
silence_window = "3s"
require_signed = true
keys_file = "/k.json"
witness_interval = "2s"
host_bytes_per_second = "1MiB"
[[cell]]
id = "c"
run_id = "r"
vsock_uds_base = "/v"
spec_signature_hash = "s"
keepalive_window = "1ms"
expected_uid = 0
on_agent_failure = "fail-cell"
)");
  configuration expected;
  expected.host_id = "h";
  expected.evidence = {{"/e", fsync_policy::always, 100ms, 1u << 30, 1u << 20}};
  expected.control = {"/c.sock", "[::1]:80"};
  expected.log = {spdlog::level::trace, log_format::json};
  expected.intake = {2, 1u << 20, 3, 4s};
  expected.workers = 5;
  expected.tls = {"/n.crt", "/n.key", "/ca.crt", {}, true};
  expected.forward.collectors = {{"a.example", 1, {}}, {"::1", 2, {}}};
  expected.forward.max_bytes_per_second = 32u << 10;
  expected.forward.http = {"https://r.example/in", true, 4096, "/r.ca", "/r.crt", "/r.key", "/r.auth", {"a/1"}};
  expected.forward.jetstream = {{"tls://n.example:4222", "nats://127.0.0.1:4222"},
                                "S",
                                "p.q",
                                stream_fence::subject,
                                2min,
                                true,
                                "/n.ca",
                                "/n.crt",
                                "/n.key",
                                "/n.creds",
                                "u",
                                "/n.password"};
  expected.collector = {collector_place{"0.0.0.0", 7440, {}}, "/hosts", {"x", "y"}, 3s, true, "/k.json", 2s, 1u << 20};
  expected.cells = {{"c", "r", "/v", "s", 1ms, 0, agent_failure_policy::fail_cell, {}}};
  CAF_CHECK(config == expected);
}

CAF_TEST(every_setting_of_probes_reaches_its_member) {
  const auto config = configuration_in(smallest + R"([probes]
period = "2s"
timeout = "200ms"
record = ["cgroup", "process"]
witness_window = "7s"
cgroup_root = "/c"
attempts_threshold = 1
packets_threshold = 2
declarations_threshold = 3
attempts_background = 4
packets_background = 5
privileged_reader = "always"
)" + cell("a", "/a") + R"(probes = []
tap = "tap0"
nft_table = "inet t"
connection_counter = "syn"
network_namespace = "/n"
fc_metrics = "/m"
fc_api_socket = "/api"
exec_probe = ["/p", "a"]
cgroup = "/fc/a"
attempts_threshold = 6
packets_threshold = 7
declarations_threshold = 8
attempts_background = 0
packets_background = 1000000000
)");
  CAF_CHECK((config.probes == probe_settings{2s,
                                             200ms,
                                             {host_probe::process, host_probe::cgroup},
                                             7s,
                                             {1, 2, 4, 5, 3},
                                             "/c",
                                             privileged_reading::always}));
  CAF_CHECK((config.cells[0].probes == cell_probes{std::set<host_probe>{}, "tap0", "inet t", "syn", "/n", "/m", "/api",
                                                   std::vector<std::string>{"/p", "a"}, "/fc/a",
                                                   witness_terms{6, 7, 0, 1'000'000'000, 8}}));
}

CAF_TEST(what_is_no_probe_or_belongs_to_none_is_refused) {
  const auto refused = [](const std::string& line) { return error_in(smallest + cell("a", "/a") + line); };
  CAF_CHECK(refused("probes = ['tap']").find("is not one of process, cgroup") != std::string::npos);
  CAF_CHECK(refused("probes = 'process'").find("an array of probes") != std::string::npos);
  CAF_CHECK(refused("tap = 'a name with spaces'").find("is not the name of an interface") != std::string::npos);
  CAF_CHECK(refused("nft_table = 'cell-1'").find("is not a table") != std::string::npos);
  CAF_CHECK(refused("exec_probe = ['look']").find("is not an absolute path") != std::string::npos);
  CAF_CHECK(refused("exec_probe = []").find("an array of a program") != std::string::npos);
  CAF_CHECK(refused("fc_metrics = '/jail/'").find("names a directory") != std::string::npos);
  for (const char* path : {"fc/a", "/fc/../b", "/fc/a/", "/", ""}) {
    CAF_CHECK(error_in(smallest + cell("a", "/a") + "cgroup = '" + path + "'").find("cell[0].cgroup: ") !=
              std::string::npos);
  }
  CAF_CHECK(refused("attempts_threshold = 0").find("from 1 to 1000000000") != std::string::npos);
  CAF_CHECK(refused("packets_threshold = 9").find("is of packets that nothing counts; write tap") != std::string::npos);
  CAF_CHECK(refused("nft_table = 'inet t'\nattempts_background = 9").find("is of attempts that nothing counts") !=
            std::string::npos);
  CAF_CHECK(refused("declarations_threshold = 9").find("is compared with no traffic") != std::string::npos);
  CAF_CHECK(refused("connection_counter = 'syn'").find("names a counter of no table") != std::string::npos);
  CAF_CHECK(refused("fc_api_socket = '/api'").find("is asked for metrics that are not read; write fc_metrics") !=
            std::string::npos);
  CAF_CHECK(refused("fc_metrics = '/m'\nfc_api_socket = 'api'").find("cell[0].fc_api_socket: ") != std::string::npos);
  CAF_CHECK(refused("network_namespace = '/n'").find("is of nothing that is read") != std::string::npos);
  CAF_CHECK(error_in(smallest + "[probes]\nperiod = '1s'\ntimeout = '1s'\n").find("probes.timeout") !=
            std::string::npos);
  CAF_CHECK(error_in(smallest + "[probes]\nperiod = '11s'\n").find("probes.period") != std::string::npos);
}

CAF_TEST(cells_keep_the_file_s_order) {
  auto config = configuration_in(smallest + cell("b", "/b") + cell("a", "/a"));
  CAF_REQUIRE_EQUAL(config.cells.size(), 2u);
  CAF_CHECK_EQUAL(config.cells[0].cell_id, "b");
  CAF_CHECK_EQUAL(config.cells[1].cell_id, "a");
}

CAF_TEST(a_text_that_is_not_toml_names_the_line_and_what_to_write) {
  CAF_CHECK_EQUAL(
      error_in("host_id = \"a\"\n[evidence]\nfsync = 100ms\n"),
      "t.toml:3:12: evidence.fsync: not TOML: Error while parsing decimal integer: expected digit, saw 'm'; "
      "put the value in quotes: fsync = \"100ms\"");
  CAF_CHECK_EQUAL(error_in("[evidence\n"),
                  "t.toml:1:10: evidence: not TOML: Error while parsing table header: expected ']', saw the end of the "
                  "line; write the table's name in brackets, [evidence], and [[cell]] for every cell");
  CAF_CHECK_EQUAL(error_in("host_id = \"a\"\nhost_id = \"b\"\n"),
                  "t.toml:2:11: host_id: not TOML: Error while parsing key-value pair: cannot redefine existing string "
                  "'host_id'; keep one of the lines that set host_id");
}

CAF_TEST(bytes_that_are_no_text_are_an_error_like_any_other) {
  CAF_CHECK(error_in("host_id = \"\xff\xfe\"\n").starts_with("t.toml:1:11: host_id: not TOML: "));
  CAF_CHECK(error_in(std::string_view("a\0b = 1", 7)).starts_with("t.toml:1:2: (syntax): not TOML: "));
  // Aborts toml++ 3.3.0 where its assertions are compiled in.
  CAF_CHECK(error_in("[[[a]]]").starts_with("t.toml:1:3: a: not TOML: "));
  CAF_CHECK(error_in("a = " + std::string(10'000, '[')).starts_with("t.toml:1:"));
}

CAF_TEST(an_unknown_key_is_reported_with_the_nearest_valid_name) {
  CAF_CHECK_EQUAL(error_in(smallest + "  fsnyc = \"1s\"\n"),
                  "t.toml:4:3: evidence.fsnyc: is not a known key; did you mean \"fsync\"?");
  CAF_CHECK_EQUAL(error_in(smallest + cell("a", "/a") + "keep_alive_window = \"1s\"\n"),
                  "t.toml:9:1: cell[0].keep_alive_window: is not a known key; did you mean \"keepalive_window\"?");
  CAF_CHECK_EQUAL(error_in("host-id = 1\n" + smallest),
                  "t.toml:1:1: host-id: is not a known key; did you mean \"host_id\"?");
}

CAF_TEST(a_key_of_another_table_is_sent_there) {
  CAF_CHECK_EQUAL(error_in(smallest + "keepalive_window = \"1s\"\n"),
                  "t.toml:4:1: evidence.keepalive_window: is not a known key; move keepalive_window under [[cell]]");
  CAF_CHECK_EQUAL(error_in("[evidence]\nhost_id = \"a\"\ndir = \"/\"\n"),
                  "t.toml:1:1: host_id: is missing; write host_id = \"host-a\" above the first table\n"
                  "t.toml:2:1: evidence.host_id: is not a known key; move host_id above the first table");
  CAF_CHECK_EQUAL(error_in("level = \"info\"\n" + smallest),
                  "t.toml:1:1: level: is not a known key; move level under [log]");
}

CAF_TEST(a_key_like_no_other_is_reported_with_all_that_are_known_there) {
  CAF_CHECK_EQUAL(error_in(smallest + "[log]\ncolour = true\n"),
                  "t.toml:5:1: log.colour: is not a known key; remove it, known here are level, format");
}

CAF_TEST(an_unknown_table_is_reported_with_the_nearest_valid_one) {
  CAF_CHECK_EQUAL(error_in(smallest + "[contorl]\nsocket = \"/s\"\n"),
                  "t.toml:4:2: contorl: is not a known table; did you mean [control]?");
  CAF_CHECK_EQUAL(error_in(smallest + "[[cells]]\nid = \"a\"\n"),
                  "t.toml:4:3: cells: is not a known table; did you mean [[cell]]?");
  CAF_CHECK_EQUAL(error_in(smallest + "[storage]\n"),
                  "t.toml:4:2: storage: is not a known table; remove it, known here are cell, evidence, signing, "
                  "control, metrics, log, intake, scheduler, probes, tls, forward, collector");
}

CAF_TEST(an_unknown_name_is_escaped_and_bounded) {
  CAF_CHECK(error_in(smallest + "\"\\u001b[31m\" = 1\n").starts_with("t.toml:4:1: evidence.\\x1b[31m: is not a known"));
  auto message = error_in(smallest + std::string(5'000, 'k') + " = 1\n");
  CAF_CHECK(message.starts_with("t.toml:4:1: evidence." + std::string(64, 'k') + "...: is not a known key; remove it"));
}

CAF_TEST(every_missing_key_is_reported_at_the_table_it_is_missing_from) {
  CAF_CHECK_EQUAL(error_in(""),
                  "t.toml:1:1: host_id: is missing; write host_id = \"host-a\" above the first table\n"
                  "t.toml:1:1: evidence.dir: is missing; write dir = \"/var/lib/cellos-telemetry\" under [evidence]");
  CAF_CHECK_EQUAL(error_in("host_id = \"a\"\n\n  [evidence]\n"),
                  "t.toml:3:3: evidence.dir: is missing; write dir = \"/var/lib/cellos-telemetry\" under [evidence]");
  CAF_CHECK_EQUAL(error_in(smallest + cell("a", "/a") + "\n[[cell]]\n"),
                  "t.toml:10:1: cell[1].id: is missing; write id = \"cell-1\" under [[cell]]\n"
                  "t.toml:10:1: cell[1].run_id: is missing; write run_id = \"run-7\" under [[cell]]\n"
                  "t.toml:10:1: cell[1].vsock_uds_base: is missing; write vsock_uds_base = \"/run/fc/cell-1/v.sock\" "
                  "under [[cell]]\n"
                  "t.toml:10:1: cell[1].spec_signature_hash: is missing; write spec_signature_hash = \"sha256:...\" "
                  "under [[cell]]");
}

CAF_TEST(something_else_in_place_of_a_table_is_refused) {
  CAF_CHECK_EQUAL(error_in("host_id = \"a\"\nevidence = \"/e\"\n"),
                  "t.toml:2:12: evidence: is a string, not a table; write [evidence] on a line of its own and its keys "
                  "below");
  CAF_CHECK(error_in(smallest + "[[log]]\n").starts_with("t.toml:4:1: log: is an array, not a table; write [log]"));
  CAF_CHECK_EQUAL(
      error_in(smallest + "[cell]\nid = \"a\"\n"),
      "t.toml:4:1: cell: is a table, not an array of tables; write [[cell]] with two brackets, once for each "
      "cell");
  CAF_CHECK_EQUAL(error_in("cell = [\n 1]\n" + smallest),
                  "t.toml:2:2: cell[0]: is an integer, not a table; write each cell as a table of its own, [[cell]]");
}

CAF_TEST(a_half_configured_signer_is_refused) {
  const auto refused = [&](const std::string& keys) { return error_in(smallest + "[signing]\n" + keys); };
  CAF_CHECK_EQUAL(refused(""), "t.toml:4:1: signing.alg: is missing; write alg = \"ed25519\" under [signing]");
  CAF_CHECK(refused("alg = \"rsa\"\n").starts_with("t.toml:5:7: signing.alg: \"rsa\" is not a value it can have; "));
  CAF_CHECK_EQUAL(refused("alg = \"ed25519\"\nkey_file = \"/k\"\n"),
                  "t.toml:5:7: signing.alg: needs kid, the name under which a verifier finds the public key; write kid "
                  "= \"host-a-2026\" under [signing]");
  const std::string no_key =
      "t.toml:5:7: signing.alg: needs key_file or credential, and not both; write key_file = "
      "\"/etc/cellos-telemetry/signing.key\" under [signing], or credential for one that systemd hands over";
  CAF_CHECK_EQUAL(refused("alg = \"ed25519\"\nkid = \"k\"\n"), no_key);
  CAF_CHECK_EQUAL(refused("alg = \"ed25519\"\nkid = \"k\"\nkey_file = \"/k\"\ncredential = \"k\"\n"), no_key);
  CAF_CHECK(refused("alg = \"digest\"\nkid = \"k\"\n").starts_with("t.toml:5:7: signing.alg: \"digest\" uses no key"));
  const std::string whole = "alg = \"ed25519\"\nkid = \"k\"\nkey_file = \"/k\"\n";
  CAF_CHECK(refused(whole + "former_kid = \"j\"\n").starts_with("t.toml:5:7: signing.alg: needs former_key_file or"));
  CAF_CHECK(refused(whole + "former_kid = \"k\"\nformer_key_file = \"/j\"\n")
                .starts_with("t.toml:8:14: signing.former_kid: is the present key's kid"));
  CAF_CHECK(refused("alg = \"ed25519\"\nalg = \"hmac-sha256\"\n").find("not TOML") != std::string::npos);
  CAF_CHECK_EQUAL(refused(whole), "no error");
  CAF_CHECK_EQUAL(refused("alg = \"off\"\n"), "no error");
  CAF_CHECK_EQUAL(refused("alg = \"digest\"\n"), "no error");
}

CAF_TEST(all_errors_of_a_file_are_reported_in_its_order) {
  auto errors =
      errors_in("host_id = \"a b\"\n[log]\nlevel = 3\n[evidence]\ndri = \"/e\"\n[intake]\nchunks_per_cell = 1\n");
  CAF_REQUIRE_EQUAL(errors.size(), 5u);
  CAF_CHECK(errors[0].starts_with("t.toml:1:11: host_id: \"a b\" has a character"));
  CAF_CHECK(errors[1].starts_with("t.toml:3:9: log.level: is an integer"));
  CAF_CHECK(errors[2].starts_with("t.toml:4:1: evidence.dir: is missing"));
  CAF_CHECK(errors[3].starts_with("t.toml:5:1: evidence.dri: is not a known key"));
  CAF_CHECK(errors[4].starts_with("t.toml:7:19: intake.chunks_per_cell: 1 is out of range"));
}

CAF_TEST(a_file_is_read_and_named_in_its_errors) {
  auto path = write(smallest);
  CAF_CHECK(std::holds_alternative<configuration>(load_configuration(path)));
  write("");
  auto messages = messages_of(load_configuration(path));
  CAF_REQUIRE_EQUAL(messages.size(), 2u);
  CAF_CHECK(messages[0].starts_with(path.string() + ":1:1: host_id: is missing; "));
}

CAF_TEST(a_file_that_cannot_be_read_is_an_error) {
  const std::string remedy = "name a readable TOML file of at most 16 MiB with --config FILE";
  auto check_refusal = [&](const std::filesystem::path& path, const std::string& reason) {
    auto messages = messages_of(load_configuration(path));
    CAF_REQUIRE_EQUAL(messages.size(), 1u);
    CAF_CHECK_EQUAL(messages[0], path.string() + ":1:1: (file): " + reason + "; " + remedy);
  };
  check_refusal(dir / "absent.toml", "cannot be read: No such file or directory");
  check_refusal(dir.path(), "cannot be read: Is a directory");
  check_refusal("/dev/zero", "is a device, not a regular file");
  check_refusal(write(std::string((std::size_t{16} << 20) + 1, '#')), "cannot be read: File too large");
  const auto fifo = dir / "fifo";
  CAF_REQUIRE_EQUAL(::mkfifo(fifo.c_str(), 0600), 0);
  check_refusal(fifo, "is a FIFO, not a regular file");
  auto loop = dir / "loop.toml";
  std::filesystem::create_symlink(loop, loop);
  check_refusal(loop, "cannot be read: Too many levels of symbolic links");
}

CAF_TEST(a_file_that_is_not_understood_can_still_ask_for_json) {
  CAF_CHECK(asks_for_json_log("host_id = [\n[log]\n  format=\"json\" # yes\n"));
  CAF_CHECK(asks_for_json_log("format = 'json'"));
  CAF_CHECK(!asks_for_json_log("#format = \"json\"\nformat = \"text\"\nthe_format = \"json\"\n"));
  CAF_CHECK(!asks_for_json_log(""));
}

CAF_TEST_FIXTURE_SCOPE_END()
