#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/cloud_event.hpp"
#include "messages/host_event.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE signed_evidence
#include "caf/test/dsl.hpp"

// ctest: TIMEOUT 180

using namespace cellos;
using namespace cellos::test;
using nlohmann::json;

namespace {

constexpr std::uint64_t frames = 20'000;

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

struct fixture {
  daemon_settings settings{.cells = {{.id = "c1"}, {.id = "c2"}}, .evidence = "segment_bytes = '1MiB'\n"};
  daemon_home home;

  fixture() {
    for (const char* kid : {"first", "second", "third"}) {
      CAF_REQUIRE_EQUAL(ctl({"keygen", "--kid", kid, "--out", home / kid}).code, 0);
    }
  }

  /// `[signing]` with one key, and maybe the one before it.
  void sign_with(const std::string& kid, const std::string& former = "", const std::string& mode = "checkpoint") {
    settings.tables = "[signing]\nalg = 'ed25519'\nkid = '" + kid + "'\nkey_file = '" + (home / kid).native() +
                      "'\nmode = '" + mode + "'\ncheckpoint_interval = '50ms'\n";
    if (!former.empty()) {
      settings.tables += "former_kid = '" + former + "'\nformer_key_file = '" + (home / former).native() + "'\n";
    }
    home.configure(settings);
  }

  /// Every public key there is, in one list.
  std::string key_list() const {
    json all;
    for (const char* kid : {"first", "second", "third"}) {
      std::ifstream file{home / (std::string{kid} + ".pub.json")};
      all.update(json::parse(file));
    }
    std::string path = home / "keys.json";
    std::ofstream{path} << all.dump();
    return path;
  }

  outcome verify(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"verify", "--keys", key_list(), home.evidence_dir().native()});
    return ctl(more);
  }

  void send(std::string_view cell, std::uint64_t count) const {
    simulator guest{{.socket = home.socket_of(cell), .frames = count}};
    CAF_CHECK_EQUAL(guest.finish().declarations, count);
  }

  std::size_t host_events(std::string_view type) const {
    std::size_t count = 0;
    visit_host_events(home.evidence_dir(), [&](const event& each) { count += each.type == type ? 1 : 0; });
    return count;
  }
};

void check_clean(const outcome& checked) {
  if (checked.code != 0) CAF_ERROR(checked.out << checked.err);
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(signed_evidence_tests, fixture)

CAF_TEST(a_log_that_saw_a_crash_and_two_changes_of_keys_is_proven_to_its_last_event) {
  sign_with("first");
  {
    auto daemon = daemon_process::ready(home);
    send("c1", frames);
    // Dies with c2's frames on their way.
    simulator cut_off{{.socket = home.socket_of("c2"), .frames = 50'000'000}};
    CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "cell:c2") > 2000; }));
    daemon.send(SIGKILL);
    daemon.wait();
  }
  // Not checked yet: its last line may be torn.
  sign_with("second", "first");
  auto daemon = daemon_process::ready(home);
  send("c1", frames);
  sign_with("third", "second");
  daemon.reload();
  send("c2", frames);
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  check_clean(verify({"--finished"}));
  const outcome reported = verify({"--json"});
  CAF_CHECK_EQUAL(reported.code, 0);
  // c1, c2 and the host's own chain, which went on through all of it.
  CAF_CHECK_EQUAL(json::parse(reported.out).at("chains").size(), 3u);
  CAF_CHECK_EQUAL(host_events(name_of(event_type::host_started)), 2u);
  CAF_CHECK_EQUAL(host_events(name_of(event_type::host_run_opened)), 2u);
  CAF_CHECK_EQUAL(host_events(name_of(event_type::host_run_closed)), 2u);
  CAF_CHECK_EQUAL(host_events(name_of(event_type::host_key_changed)), 2u);
}

CAF_TEST(another_key_in_the_same_file_is_noticed_by_a_reload) {
  const auto in_use = home / "in-use";
  const auto put_in_use = [&](const char* kid) {
    std::filesystem::copy_file(home / kid, in_use, std::filesystem::copy_options::overwrite_existing);
    settings.tables = "[signing]\nalg = 'ed25519'\nkid = '" + std::string{kid} + "'\nkey_file = '" + in_use.native() +
                      "'\nmode = 'checkpoint'\n";
    home.configure(settings);
  };
  put_in_use("first");
  auto daemon = daemon_process::ready(home);
  send("c1", 100);
  std::filesystem::copy_file(home / "second", in_use, std::filesystem::copy_options::overwrite_existing);
  daemon.send(SIGHUP);
  const std::string refused = daemon.wait_for_line(" reload_refused ");
  CAF_CHECK(refused.find("give the new key an id of its own") != std::string::npos);
  send("c1", 100);
  put_in_use("second");
  daemon.reload();
  send("c2", 100);
  CAF_MESSAGE("nothing has changed since");
  daemon.reload();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  check_clean(verify({"--finished"}));
  CAF_CHECK_EQUAL(host_events(name_of(event_type::host_key_changed)), 1u);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "run.v1.key_changed\""), 2u);
}

CAF_TEST(every_event_can_be_signed) {
  sign_with("first", "", "event");
  auto daemon = daemon_process::ready(home);
  send("c1", 500);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  check_clean(verify({"--finished"}));
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "dssematerial"), count_in_log(home.evidence_dir(), "specversion"));
}

CAF_TEST(a_run_that_is_taken_out_as_a_whole_is_missed) {
  sign_with("first");
  auto daemon = daemon_process::ready(home);
  send("c1", 100);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  std::string kept;
  const auto keep = [&](const event& each) {
    if (each.subject != "urn:cellos:cell:c1") kept += each.line + "\n";
  };
  visit_events(home.evidence_dir(), keep);
  visit_host_events(home.evidence_dir(), keep);
  const std::string path = home / "kept.jsonl";
  std::ofstream{path} << kept;
  const outcome checked = ctl({"verify", "--keys", key_list(), path});
  CAF_CHECK_EQUAL(checked.code, 1);
  CAF_CHECK(checked.out.find("missing") != std::string::npos);
}

CAF_TEST(signing_is_switched_off_only_between_two_daemons_and_ends_the_runs_that_were_open) {
  sign_with("first");
  {
    auto daemon = daemon_process::ready(home);
    send("c1", 100);
    CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "cell:c1") > 100; }));
    settings.tables.clear();
    home.configure(settings);
    daemon.send(SIGHUP);
    daemon.wait_for_line("reload_refused");
    daemon.send(SIGKILL);
    daemon.wait();
  }
  auto unsigned_daemon = daemon_process::ready(home);
  send("c1", 100);
  CAF_CHECK_EQUAL(unsigned_daemon.stop(), 0);
  const auto ends = events_of(read_events(home.evidence_dir()), "c1", name_of(event_type::run_ended));
  CAF_REQUIRE_EQUAL(ends.size(), 2u);
  CAF_CHECK_NOT_EQUAL(ends[0].chain, ends[1].chain);
}

CAF_TEST(what_cannot_sign_as_configured_does_not_start) {
  const auto refused = [&](const std::string& tables, const std::string& sentence) {
    settings.tables = tables;
    home.configure(settings);
    daemon_process daemon{home};
    CAF_CHECK_NOT_EQUAL(daemon.wait(), 0);
    if (daemon.err().find(sentence) == std::string::npos) CAF_ERROR("not '" << sentence << "': " << daemon.err());
    CAF_CHECK(!std::filesystem::exists(home.evidence_dir()));
  };
  const std::string key = home / "first";
  const std::string with_kid = "[signing]\nalg = 'ed25519'\nkid = 'first'\n";
  refused(with_kid + "key_file = '/nowhere/at/all.key'\n", "/nowhere/at/all.key");
  refused("[signing]\nalg = 'ed25519'\nkey_file = '" + key + "'\n", "needs kid");
  refused("[signing]\nalg = 'rsa'\nkid = 'first'\nkey_file = '" + key + "'\n", "is not a value it can have");
  refused("[signing]\nalg = 'ed25519'\nalg = 'hmac-sha256'\n", "not TOML");
  std::filesystem::permissions(key, std::filesystem::perms{0644});
  refused(with_kid + "key_file = '" + key + "'\n", "0644");
  std::filesystem::permissions(key, std::filesystem::perms{0600});
  std::ofstream{key} << "c2hvcnQ=\n";
  refused(with_kid + "key_file = '" + key + "'\n", "this one 5");
}

CAF_TEST_FIXTURE_SCOPE_END()
