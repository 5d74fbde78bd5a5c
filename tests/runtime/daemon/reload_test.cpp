#include "runtime/daemon/reload.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#define CAF_SUITE reload
#include "caf/test/dsl.hpp"
#include "runtime/configuration/keys.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

using values_by_key = std::map<std::string, std::string>;

/// A value of each key of a host that is not its default.
const values_by_key other_host_values{
    {"host_id", R"("host-b")"},
    {"evidence.dir", R"("/var/lib/u")"},
    {"evidence.fsync", R"("200ms")"},
    {"evidence.max_bytes", R"("20GiB")"},
    {"evidence.segment_bytes", R"("32MiB")"},
    {"evidence.cell_share", R"("50%")"},
    {"evidence.cell_share_interval", R"("2h")"},
    {"signing.alg", R"("hmac-sha256")"},
    {"signing.kid", R"("k2")"},
    {"signing.key_file", R"("/k2")"},
    {"signing.credential", R"("k2")"},
    {"signing.mode", R"("checkpoint")"},
    {"signing.checkpoint_events", "2000"},
    {"signing.checkpoint_interval", R"("2s")"},
    {"signing.former_kid", R"("k0")"},
    {"signing.former_key_file", R"("/k0")"},
    {"signing.former_credential", R"("k0")"},
    {"control.socket", R"("/c.sock")"},
    {"control.http_listen", R"("127.0.0.1:9464")"},
    {"control.mode", R"("0600")"},
    {"control.owner", R"("root")"},
    {"control.group", R"("cellos")"},
    {"control.allow_uids", "[1000]"},
    {"control.host_names", R"(["a.example"])"},
    {"control.state_file", R"("/cells.json")"},
    {"metrics.per_cell_series", "10"},
    {"metrics.per_host_series", "10"},
    {"probes.period", R"("5s")"},
    {"probes.timeout", R"("2s")"},
    {"probes.record", R"(["process"])"},
    {"probes.witness_window", R"("1m")"},
    {"probes.cgroup_root", R"("/cgroups")"},
    {"probes.attempts_threshold", "4"},
    {"probes.packets_threshold", "300"},
    {"probes.declarations_threshold", "3"},
    {"probes.attempts_background", "1"},
    {"probes.packets_background", "50"},
    {"probes.privileged_reader", R"("never")"},
    {"log.level", R"("warn")"},
    {"log.format", R"("json")"},
    {"intake.chunks_per_cell", "4"},
    {"intake.byte_budget", R"("32MiB")"},
    {"intake.connections_per_cell", "4"},
    {"intake.half_frame_timeout", R"("5s")"},
    {"scheduler.threads", "3"},
};

/// The same of nodes.
const values_by_key other_node_values{
    {"tls.certificate_file", R"("/n.crt")"},
    {"tls.key_file", R"("/n.key")"},
    {"tls.ca_file", R"("/ca.crt")"},
    {"tls.plain_loopback", "true"},
    {"forward.collectors", R"(["b.example:7440"])"},
    {"forward.max_bytes_per_second", R"("1MiB")"},
    {"forward.jetstream.servers", R"(["tls://b.example:4222"])"},
    {"forward.jetstream.stream", R"("B")"},
    {"forward.jetstream.prefix", R"("b.c")"},
    {"forward.jetstream.fence", R"("subject")"},
    {"forward.jetstream.keep_after_ack", R"("1m")"},
    {"forward.jetstream.create_stream", "true"},
    {"forward.jetstream.ca_file", R"("/b.ca")"},
    {"forward.jetstream.certificate_file", R"("/b.crt")"},
    {"forward.jetstream.key_file", R"("/b.key")"},
    {"forward.jetstream.credentials_file", R"("/b.creds")"},
    {"forward.jetstream.user", R"("b")"},
    {"forward.jetstream.password_file", R"("/b.password")"},
    {"forward.http.url", R"("https://b.example/")"},
    {"forward.http.batched", "true"},
    {"forward.http.batch_bytes", R"("1KiB")"},
    {"forward.http.ca_file", R"("/b.ca")"},
    {"forward.http.certificate_file", R"("/b.crt")"},
    {"forward.http.key_file", R"("/b.key")"},
    {"forward.http.authorization_file", R"("/b.authorization")"},
    {"forward.http.skip", R"(["b/1"])"},
    {"collector.listen", R"("0.0.0.0:7441")"},
    {"collector.dir", R"("/others")"},
    {"collector.denied_hosts", R"(["x"])"},
    {"collector.silence_window", R"("3s")"},
    {"collector.require_signed", "true"},
    {"collector.keys_file", R"("/keys.json")"},
    {"collector.witness_interval", R"("2m")"},
    {"collector.host_bytes_per_second", R"("1MiB")"},
};

const values_by_key other_values = [] {
  values_by_key all = other_host_values;
  all.insert(other_node_values.begin(), other_node_values.end());
  return all;
}();

/// Both roles of a node, with what they need.
const std::string nodes =
    "[tls]\ncertificate_file = \"/0.crt\"\nkey_file = \"/0.key\"\nca_file = \"/0.ca\"\n"
    "[forward]\ncollectors = [\"a.example:7440\"]\n[collector]\nlisten = \"0.0.0.0:7440\"\ndir = \"/hosts\"\n"
    "keys_file = \"/0.json\"\n"
    "[forward.jetstream]\nservers = [\"tls://a.example:4222\"]\nstream = \"A\"\ncertificate_file = \"/0.crt\"\n"
    "key_file = \"/0.key\"\nuser = \"a\"\npassword_file = \"/0.password\"\n"
    "[forward.http]\nurl = \"https://a.example/\"\ncertificate_file = \"/0.crt\"\nkey_file = \"/0.key\"\n";

/// Taken over while cells are served; cells themselves are admitted and retired.
const std::set<std::string> taken_over_at_once{
    "signing.alg",
    "signing.kid",
    "signing.key_file",
    "signing.credential",
    "signing.former_kid",
    "signing.former_key_file",
    "signing.former_credential",
    "metrics.per_cell_series",
    "metrics.per_host_series",
    "log.level",
    "intake.chunks_per_cell",
    "intake.byte_budget",
    "intake.connections_per_cell",
    "intake.half_frame_timeout",
    "tls.certificate_file",
    "tls.key_file",
    "tls.ca_file",
    "collector.denied_hosts",
};

bool is_of_nodes(const std::string& key) {
  return key.starts_with("tls.") || key.starts_with("forward.") || key.starts_with("collector.");
}

/// The file that is changed by one key.
std::string former(const std::string& key) { return is_of_nodes(key) ? smallest + nodes : smallest; }

/// That file but for this key.
configuration with(const std::string& key) {
  const auto dot = key.rfind('.');
  const std::string table = dot == std::string::npos ? "" : key.substr(0, dot);
  const std::string name = dot == std::string::npos ? key : key.substr(dot + 1);
  std::string text = former(key);
  const std::string line = name + " = " + other_values.at(key) + "\n";
  if (key == "host_id" || key == "evidence.dir") {
    const auto begin = text.find(name + " = ");
    text.replace(begin, text.find('\n', begin) + 1 - begin, line);
  } else if (is_of_nodes(key)) {
    const auto after = text.find("[" + table + "]\n") + table.size() + 3;
    const auto begin = text.find("\n" + name + " = ", after - 1) + 1;
    if (begin > 0 && begin < text.find("\n[", after)) text.erase(begin, text.find('\n', begin) + 1 - begin);
    text.insert(after, line);
  } else if (table == "evidence") {
    text += line;
  } else if (table == "signing") {
    // Off, so that one key may stand alone.
    text += "[signing]\n" + line + (name == "alg" ? "kid = \"k\"\nkey_file = \"/k\"\n" : "alg = \"off\"\n");
  } else {
    text += "[" + table + "]\n" + line;
  }
  return configuration_in(text);
}

}  // namespace

CAF_TEST(every key counts at once or is reported as one that waits for a restart) {
  for (const std::string& key : settings::known_keys()) {
    if (key.starts_with("cell.")) continue;
    CAF_REQUIRE(other_values.contains(key));
    const configuration running = configuration_in(former(key));
    const configuration read = with(key);
    if (read == running) CAF_ERROR(key << " is read into no member");
    const std::vector<std::string> waiting = restart_needed_for(running, read);
    const std::vector<std::string> expected =
        taken_over_at_once.contains(key) ? std::vector<std::string>{} : std::vector{key};
    if (waiting != expected) CAF_ERROR(key << " is reported as " << caf::deep_to_string(waiting));
  }
}

CAF_TEST(a key is reported that was changed and none that follows from it) {
  const configuration running = configuration_in(smallest);
  const configuration read = configuration_in(smallest + "max_bytes = \"64MiB\"\n");
  CAF_CHECK((restart_needed_for(running, read) == std::vector<std::string>{"evidence.max_bytes"}));
}

CAF_TEST(a changed key is reported also where another one limits what it comes to) {
  const std::string small_log = smallest + "max_bytes = \"64MiB\"\n";
  const configuration running = configuration_in(small_log);
  const configuration read = configuration_in(small_log + "segment_bytes = \"32MiB\"\n");
  CAF_CHECK((restart_needed_for(running, read) == std::vector<std::string>{"evidence.segment_bytes"}));
}

CAF_TEST(a key that says its default is no change) {
  const configuration read = configuration_in(smallest + "segment_bytes = \"64MiB\"\n");
  CAF_CHECK(restart_needed_for(configuration_in(smallest), read).empty());
}

CAF_TEST(a file that says the same waits for nothing) {
  CAF_CHECK(restart_needed_for(configuration_in(smallest), configuration_in(smallest)).empty());
}
