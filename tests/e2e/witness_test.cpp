#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/segments/segment_name.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/process.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/wait.hpp"

// ctest: TIMEOUT 300
#define CAF_SUITE witness
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

const std::string host_name{daemon_home::host_id};
constexpr std::uint64_t frames = 3000;

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome ctl(std::vector<std::string> arguments) {
  process child{{program_path("cellos-telemetryctl"), std::move(arguments)}};
  const int code = child.wait();
  return {code, child.out(), child.err()};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// A host and a collector, both of which sign.
struct fleet {
  fleet() {
    certificates.add_host(host_name);
    certificates.add_collector("collector-1");
    for (const char* kid : {"host-key", "collector-key"}) {
      CAF_REQUIRE_EQUAL(ctl({"keygen", "--kid", kid, "--out", keys / kid}).code, 0);
    }
    json all;
    for (const char* kid : {"host-key", "collector-key"}) {
      std::ifstream file{keys / (std::string{kid} + ".pub.json")};
      all.update(json::parse(file));
    }
    write_file(keys / "keys.json", all.dump());
    start_collector();
    home.configure({.cells = {{.id = "c1"}},
                    .evidence = "segment_bytes = '256KiB'\nfsync = '10ms'\n",
                    .tables = signing("host-key") + certificates.tls_table(host_name) +
                              "[forward]\ncollectors = ['127.0.0.1:" + std::to_string(port) + "']\n"});
  }

  std::string signing(const std::string& kid) const {
    return "[signing]\nalg = 'ed25519'\nkid = '" + kid + "'\nkey_file = '" + (keys / kid).native() +
           "'\nmode = 'checkpoint'\ncheckpoint_interval = '50ms'\n";
  }
  /// `more`: further keys of `[collector]`.
  void start_collector(const std::string& more = "") {
    collector_home.configure({.host = "collector-1",
                              .tables = signing("collector-key") + certificates.tls_table("collector-1") +
                                        "[collector]\nlisten = '127.0.0.1:" + std::to_string(port) + "'\ndir = '" +
                                        kept().native() + "'\nsilence_window = '1s'\nwitness_interval = '1s'\n" +
                                        more});
    collector.emplace(daemon_process::ready(collector_home));
    const std::string line = collector->wait_for_line("collector_listening");
    port = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  }
  fs::path kept() const { return collector_home / "hosts"; }

  /// Events of this type in an evidence directory.
  static std::size_t count(const daemon_home& of, std::string_view type) {
    std::size_t events = 0;
    for (const auto& [segment, text] : log_text_of(of.evidence_dir())) {
      const std::string wanted = "observability." + std::string{type} + "\"";
      for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++events;
    }
    return events;
  }
  std::size_t said(std::string_view type) const { return count(collector_home, type); }
  bool comes_to_say(std::string_view type, std::size_t times) const {
    return holds_within(test_timeout, [&] { return said(type) >= times; });
  }

  /// All that the host has written.
  bool comes_to_be_witnessed() const {
    const std::string end =
        "\"offset\":\"" + std::to_string(log_text_of(home.evidence_dir()).rbegin()->second.size()) + "\"";
    return holds_within(test_timeout, [&] {
      const auto said = log_text_of(collector_home.evidence_dir());
      return std::any_of(said.begin(), said.end(), [&](const auto& segment) { return has(segment.second, end); });
    });
  }

  outcome verify(const fs::path& log, bool with_witness) const {
    std::vector<std::string> arguments{"verify", "--keys", keys / "keys.json", log.native()};
    if (with_witness) arguments.insert(arguments.end(), {"--witness", collector_home.evidence_dir().native()});
    return ctl(arguments);
  }

  certificate_directory certificates;
  temporary_directory keys;
  daemon_home collector_home;
  daemon_home home;
  std::uint16_t port = 0;
  std::optional<daemon_process> collector;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(witness_tests, fleet)

CAF_TEST(a host whose key was stolen cannot write its past anew) {
  auto host = daemon_process::ready(home);
  host.wait_for_line("collector_reached");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK(comes_to_say("host.v1.witnessed", 3));
  CAF_CHECK(comes_to_say("host.v1.silenced", 1));
  CAF_CHECK_EQUAL(collector->stop(), 0);
  CAF_CHECK_EQUAL(said("host.v1.host_seen"), 1u);
  CAF_CHECK_EQUAL(said("host.v1.silenced"), 1u);
  for (const auto& each : {home.evidence_dir(), kept()}) {
    const auto checked = verify(each, true);
    CAF_CHECK_EQUAL(checked.code, 0);
    if (checked.code != 0) CAF_MESSAGE(checked.out << checked.err);
  }
  CAF_CHECK_EQUAL(
      ctl({"verify", "--keys", keys / "keys.json", "--finished", collector_home.evidence_dir().native()}).code, 0);

  CAF_MESSAGE("the thief makes up another log of this host, with its key");
  const auto loaded = load_signing_key(signing_algorithm::ed25519, "host-key", keys / "host-key");
  const auto* key = std::get_if<signing_key>(&loaded);
  CAF_REQUIRE(key != nullptr);
  reference_chain own{host_name, "", "", "1", key};
  std::string text = own.host_started();
  while (text.size() < 300'000) text += own.line("host.v1.started", R"({"hostId":")" + host_name + "\"}", true);
  text += own.host_stopped();
  const auto made_up = keys / "made-up";
  fs::create_directories(made_up);
  write_file(made_up / segment_file_name(1), text);
  fs::copy(home.evidence_dir() / "log-id", made_up / "log-id");
  CAF_CHECK_EQUAL(verify(made_up, false).code, 0);
  const auto found = verify(made_up, true);
  CAF_CHECK_EQUAL(found.code, 1);
  CAF_CHECK(has(found.out, "written anew"));
  CAF_CHECK(has(found.out, segment_file_name(1)));
}

CAF_TEST(a silence that was reported is reported no second time by the next process) {
  auto host = daemon_process::ready(home);
  collector->wait_for_line("host_connected");
  host.send(SIGKILL);
  host.wait();
  CAF_REQUIRE(comes_to_say("host.v1.silenced", 1));
  collector->send(SIGKILL);
  collector->wait();
  start_collector();
  CAF_MESSAGE("three windows: time enough to say it again");
  const auto later = std::chrono::steady_clock::now() + 3s;
  CAF_CHECK(holds_within(test_timeout, [&] { return std::chrono::steady_clock::now() >= later; }));
  CAF_CHECK_EQUAL(said("host.v1.silenced"), 1u);
  CAF_CHECK(!has(collector->err(), "host_silenced"));
  auto again = daemon_process::ready(home);
  CAF_CHECK(comes_to_say("host.v1.resumed", 1));
  CAF_CHECK_EQUAL(again.stop(), 0);
  CAF_CHECK_EQUAL(collector->stop(), 0);
  CAF_CHECK_EQUAL(said("host.v1.host_seen"), 1u);
  CAF_CHECK_EQUAL(verify(home.evidence_dir(), true).code, 0);
}

CAF_TEST(a restored snapshot is a fork that both sides have on record and the witness names) {
  auto host = daemon_process::ready(home);
  host.wait_for_line("collector_reached");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(host.stop(), 0);
  const auto snapshot = keys / "snapshot";
  fs::copy(home.evidence_dir(), snapshot, fs::copy_options::recursive);
  auto second = daemon_process::ready(home);
  second.wait_for_line("collector_reached");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(second.stop(), 0);
  CAF_CHECK(comes_to_be_witnessed());
  fs::remove_all(home.evidence_dir());
  fs::copy(snapshot, home.evidence_dir(), fs::copy_options::recursive);
  auto third = daemon_process::ready(home);
  third.wait_for_line("delivery_forked");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK(comes_to_say("host.v1.history_forked", 1));
  CAF_CHECK(holds_within(test_timeout, [&] { return count(home, "host.v1.history_forked") == 1; }));
  CAF_CHECK_EQUAL(third.stop(), 0);
  CAF_CHECK_EQUAL(collector->stop(), 0);
  CAF_CHECK_EQUAL(said("host.v1.history_forked"), 1u);
  const auto found = verify(home.evidence_dir(), true);
  CAF_CHECK_EQUAL(found.code, 1);
  CAF_CHECK(has(found.out, "witnesses"));
  CAF_MESSAGE(found.out);
}

CAF_TEST(a collector that requires signatures keeps nothing that another key signed) {
  CAF_CHECK_EQUAL(collector->stop(), 0);
  start_collector("require_signed = true\nkeys_file = '" + (keys / "collector-key.pub.json").native() + "'\n");
  auto host = daemon_process::ready(home);
  CAF_CHECK(has(host.wait_for_line("delivery_refused"), "signature_refused"));
  CAF_CHECK(has(collector->wait_for_line("host_refused"), "signature_refused"));
  CAF_CHECK_EQUAL(collector->stop(), 0);
  std::size_t pieces = 0;
  for (const auto& each : fs::recursive_directory_iterator{kept()})
    pieces += each.path().extension() == ".jsonl" ? 1 : 0;
  CAF_CHECK_EQUAL(pieces, 0u);
  CAF_MESSAGE("with its key in the list the host delivers what had waited");
  start_collector("require_signed = true\nkeys_file = '" + (keys / "keys.json").native() + "'\n");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  host.wait_for_line("collector_reached");
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 0u);
  CAF_CHECK_EQUAL(collector->stop(), 0);
  CAF_CHECK_EQUAL(verify(kept(), true).code, 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
