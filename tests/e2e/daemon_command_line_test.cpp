#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/version.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE daemon_command_line
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome run(std::string_view program, const std::vector<std::string>& arguments) {
  process child{{program_path(program), arguments}};
  const int code = child.wait();
  return {code, child.out(), child.err()};
}

outcome run_daemon(const std::vector<std::string>& arguments) { return run("cellos-telemetryd", arguments); }

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

const daemon_settings one_cell{.cells = {{.id = "c1"}}};

}  // namespace

CAF_TEST(every_program_says_its_version_and_its_usage_on_stdout) {
  for (const std::string program : {"cellos-telemetryd", "cellos-telemetryctl", "cellos-guest-sim"}) {
    CAF_MESSAGE(program);
    const outcome reported = run(program, {"--version"});
    CAF_CHECK_EQUAL(reported.code, 0);
    CAF_CHECK_EQUAL(reported.out, program + " " + std::string{version} + "\n");
    const outcome usage = run(program, {"--help"});
    CAF_CHECK_EQUAL(usage.code, 0);
    CAF_CHECK(has(usage.out, "--help"));
    CAF_CHECK_EQUAL(reported.err + usage.err, "");
  }
  CAF_CHECK(has(run_daemon({"--help"}).out, "--config"));
}

CAF_TEST(a_mistake_on_the_command_line_is_exit_code_2_and_words_on_stderr) {
  const daemon_home home{one_cell};
  const std::vector<std::vector<std::string>> mistakes{
      {},
      {"--config"},
      {"--check"},
      {"--bogus"},
      {"--config", home.configuration_file(), "--bogus"},
      {"--config", home.configuration_file(), "too-much"},
  };
  for (const auto& arguments : mistakes) {
    const outcome refused = run_daemon(arguments);
    CAF_MESSAGE(refused.err);
    CAF_CHECK_EQUAL(refused.code, 2);
    CAF_CHECK(!refused.err.empty());
    CAF_CHECK_EQUAL(refused.out, "");
  }
}

CAF_TEST(an_option_nobody_knows_is_named) {
  CAF_CHECK(has(run_daemon({"--bogus"}).err, "--bogus"));
  CAF_CHECK(has(run_daemon({}).err, "--config"));
}

CAF_TEST(check_finds_a_good_file_good_and_starts_nothing) {
  const daemon_home home{one_cell};
  const outcome checked = run_daemon({"--config", home.configuration_file(), "--check"});
  CAF_CHECK_EQUAL(checked.code, 0);
  CAF_CHECK(!std::filesystem::exists(home.evidence_dir()));
  CAF_CHECK(!std::filesystem::exists(home.socket_of("c1")));
}

CAF_TEST(every_error_in_a_file_is_reported_with_file_and_line) {
  const daemon_home home;
  home.write_configuration(
      "host_id = \"h\"\n"
      "[evidence]\n"
      "dir = \"/nonexistent/evidence\"\n"
      "fsink = \"100ms\"\n"
      "[[cell]]\n"
      "id = 7\n"
      "run_id = \"r\"\n"
      "vsock_uds_base = \"relative\"\n"
      "spec_signature_hash = \"s\"\n");
  const std::string file = home.configuration_file();
  const outcome checked = run_daemon({"--config", file, "--check"});
  CAF_MESSAGE(checked.err);
  CAF_CHECK_EQUAL(checked.code, 1);
  CAF_CHECK(has(checked.err, file + ":4:"));
  CAF_CHECK(has(checked.err, "fsync"));
  CAF_CHECK(has(checked.err, file + ":6:"));
  CAF_CHECK(has(checked.err, file + ":8:"));
  const outcome started = run_daemon({"--config", file});
  CAF_CHECK_EQUAL(started.code, 3);
  CAF_CHECK_EQUAL(started.err, checked.err);
}

CAF_TEST(a_file_that_is_not_there_or_not_toml_is_reported_as_that) {
  const daemon_home home;
  const std::string missing = home / "no-such-file";
  CAF_CHECK_EQUAL(run_daemon({"--config", missing, "--check"}).code, 1);
  const outcome started = run_daemon({"--config", missing});
  CAF_CHECK_EQUAL(started.code, 3);
  CAF_CHECK(has(started.err, missing));
  home.write_configuration("host_id = \"h\"\n[evidence\n");
  const outcome refused = run_daemon({"--config", home.configuration_file(), "--check"});
  CAF_CHECK_EQUAL(refused.code, 1);
  CAF_CHECK(has(refused.err, home.configuration_file() + ":2:"));
}

CAF_TEST(a_daemon_that_asks_for_signing_does_not_start_unsigned) {
  const daemon_home home{{.cells = {{.id = "c1"}}, .tables = "[signing]\nalg = 'ed25519'\n"}};
  const outcome started = run_daemon({"--config", home.configuration_file()});
  CAF_CHECK_EQUAL(started.code, 3);
  CAF_CHECK(has(started.err, "signing"));
  CAF_CHECK(!std::filesystem::exists(home.socket_of("c1")));
}

CAF_TEST(evidence_that_cannot_be_written_is_a_reason_not_to_start) {
  const daemon_home home{one_cell};
  std::ofstream{home.evidence_dir()} << "in the way";
  const outcome started = run_daemon({"--config", home.configuration_file()});
  CAF_MESSAGE(started.err);
  CAF_CHECK_EQUAL(started.code, 3);
  CAF_CHECK(has(started.err, home.evidence_dir().native()));
  CAF_CHECK(has(started.err, "is not a directory"));
  CAF_CHECK(!std::filesystem::exists(home.socket_of("c1")));
}

CAF_TEST(a_second_daemon_on_the_same_evidence_does_not_start_and_the_first_goes_on) {
  const daemon_home home{one_cell};
  auto first = daemon_process::ready(home);
  const outcome second = run_daemon({"--config", home.configuration_file()});
  CAF_MESSAGE(second.err);
  CAF_CHECK_EQUAL(second.code, 3);
  CAF_CHECK(has(second.err, "evidence directory \"" + home.evidence_dir().string() + "\" is in use: process " +
                                std::to_string(first.pid())));
  CAF_CHECK_EQUAL(simulate({.socket = home.socket_of("c1"), .frames = 20}).declarations, 20u);
  CAF_CHECK_EQUAL(first.stop(), 0);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), R"("guestMonotonicNs")"), 20u);
}
