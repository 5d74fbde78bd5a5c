#include "runtime/probes/exec_probe.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/os/file_descriptor.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE exec_probe
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using cellos::test::outcome;
using cellos::test::output_of;
using cellos::test::turn;

namespace {

exec_probe_settings shell(const std::string& words, std::chrono::nanoseconds timeout = 20s) {
  exec_probe_settings settings;
  settings.program = "/bin/sh";
  settings.arguments = {"-c", words};
  settings.timeout = timeout;
  return settings;
}

probe_result<probe_reading> read(const exec_probe_settings& settings) { return exec_probe{settings}.read(turn(1)); }

/// Whoever has to collect its status may take its time.
bool is_gone(pid_t pid) {
  return test::holds_within(test::test_timeout, [pid] {
    return ::kill(pid, 0) != 0 ||
           test::content_of("/proc/" + std::to_string(pid) + "/stat").find(") Z ") != std::string::npos;
  });
}

}  // namespace

CAF_TEST(an_object_on_the_output_is_the_reading) {
  const auto reading = read(shell(R"(echo '{ "b": 2, "a": "x" }')"));
  CAF_REQUIRE(reading);
  CAF_CHECK_EQUAL(reading->output, R"({"a":"x","b":2})");
  CAF_CHECK(test::inputs_of(reading).at("program") == "/bin/sh");
  CAF_CHECK(test::inputs_of(reading).at("arguments").size() == 2);
  CAF_CHECK(test::is_canonical(reading->inputs));
}

CAF_TEST(an_output_that_is_no_object_is_an_error) {
  for (const std::string words : {"echo 1", "echo '{'", "true", "echo '{} {}'", "echo '{\"a\":1,\"a\":2}'"}) {
    CAF_CHECK_EQUAL(outcome(read(shell(words))), "malformed_source");
  }
}

CAF_TEST(a_program_that_fails_or_is_not_there_is_an_error) {
  CAF_CHECK_EQUAL(outcome(read(shell("echo '{}'; exit 3"))), "io");
  CAF_CHECK_EQUAL(outcome(read(shell("kill -9 $$"))), "io");
  exec_probe_settings absent;
  absent.program = "/nothing/here";
  CAF_CHECK_EQUAL(outcome(read(absent)), "io");
}

CAF_TEST(an_output_without_end_costs_one_error) {
  CAF_CHECK_EQUAL(outcome(read(shell("exec cat /dev/zero"))), "malformed_source");
  CAF_CHECK_EQUAL(outcome(read(shell("while :; do echo '{}'; done"))), "malformed_source");
}

CAF_TEST(a_program_that_hangs_is_killed_with_what_it_started) {
  test::temporary_directory dir;
  const std::string pids = dir / "pids";
  const auto hangs = shell("trap '' TERM; sleep 1000 & echo $! $$ >" + pids + "; wait", 300ms);
  // A shell that had not begun in its time is started again.
  CAF_REQUIRE(test::holds_within(test::test_timeout, [&] {
    CAF_CHECK_EQUAL(outcome(read(hangs)), "timed_out");
    return !test::content_of(pids).empty();
  }));
  pid_t child = 0;
  pid_t program = 0;
  CAF_REQUIRE_EQUAL(std::sscanf(test::content_of(pids).c_str(), "%d %d", &child, &program), 2);
  CAF_CHECK(is_gone(program));
  CAF_CHECK(is_gone(child));
}

CAF_TEST(one_that_holds_the_output_open_does_not_hold_up_the_reading) {
  const auto reading = read(shell("sleep 1000 & echo '{\"pid\":'$!'}'"));
  CAF_REQUIRE(reading);
  CAF_CHECK(is_gone(output_of(reading).at("pid").get<pid_t>()));
}

CAF_TEST(nothing_of_ours_is_there_for_it) {
  ::setenv("CELLOS_SECRET", "x", 1);
  const file_descriptor kept{::fcntl(STDERR_FILENO, F_DUPFD, 20)};
  CAF_REQUIRE(kept);
  const auto reading =
      read(shell("test -e /proc/$$/fd/" + std::to_string(kept.get()) + " && there=true || there=false; " +
                 R"(echo "{\"descriptor\":$there,\"secret\":\"$CELLOS_SECRET\",\"input\":\"$(cat)\",)"
                 R"(\"files\":$(ulimit -n),\"privileges\":\"$(grep NoNewPrivs /proc/$$/status | tr -d '\t')\"}")"));
  ::unsetenv("CELLOS_SECRET");
  CAF_REQUIRE(reading);
  const auto output = output_of(reading);
  CAF_CHECK(output.at("descriptor") == false);
  CAF_CHECK(output.at("secret").get<std::string>().empty());
  CAF_CHECK(output.at("input").get<std::string>().empty());
  CAF_CHECK(output.at("files") == 32);
  CAF_CHECK(output.at("privileges") == "NoNewPrivs:1");
}
