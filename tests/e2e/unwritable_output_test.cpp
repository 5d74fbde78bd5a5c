#include <string>
#include <utility>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/raw_guest.hpp"

#define CAF_SUITE unwritable_output
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs the tool as a shell would, with what is behind its words: "> /dev/full", "| head -1".
outcome ctl(const std::vector<std::string>& words, const std::string& redirection = {}) {
  std::vector<std::string> arguments{"-c", "\"$0\" \"$@\" " + redirection, program_path("cellos-telemetryctl")};
  arguments.insert(arguments.end(), words.begin(), words.end());
  process shell{{"/bin/bash", arguments, {}}};
  const int code = shell.wait();
  return {code, shell.out(), shell.err()};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST(output_that_cannot_be_written_is_a_failure_and_a_sentence) {
  controlled_daemon host{{.cells = {{.id = "a"}}}};
  raw_guest{host.home().socket_of("a")}.write_frames(2'000);
  CAF_REQUIRE(holds_within(
      test_timeout, [&] { return metric(host.metrics(), "cellos_telemetry_declarations_appended_total") == 2'000; }));
  const std::string socket = host.home().control_socket();
  const std::string evidence = host.home().evidence_dir();
  const std::vector<std::vector<std::string>> commands{
      {"cells", "--socket", socket},
      {"cells", "a", "--socket", socket},
      {"cells", "--json", "--socket", socket},
      {"status", "--socket", socket},
      {"status", "--json", "--socket", socket},
      {"top", "--once", "--interval", "0.1", "--socket", socket},
      {"top", "--json", "--interval", "0.1", "--socket", socket},
      {"reload", "--socket", socket},
      {"tail", "--evidence", evidence},
      {"tail", "--json", "--evidence", evidence},
      {"verify", "--no-signatures", evidence},
      {"verify", "--no-signatures", "--json", evidence},
      {"--help"},
      {"--version"},
  };
  for (const auto& command : commands) {
    for (const char* nowhere : {">/dev/full", ">&-"}) {
      const outcome failed = ctl(command, nowhere);
      CAF_MESSAGE(command.front() << ' ' << nowhere << ": " << failed.err);
      CAF_CHECK_EQUAL(failed.code, 3);
      CAF_CHECK(has(failed.err, "standard output cannot be written"));
    }
  }
  CAF_CHECK(has(ctl({"cells", "--socket", socket}, ">/dev/full").err, "No space left on device"));
}

CAF_TEST(a_reader_that_has_enough_is_no_failure) {
  controlled_daemon host{{.cells = {{.id = "a"}}}};
  raw_guest{host.home().socket_of("a")}.write_frames(20'000);
  CAF_REQUIRE(holds_within(
      test_timeout, [&] { return metric(host.metrics(), "cellos_telemetry_declarations_appended_total") == 20'000; }));
  const outcome first = ctl({"tail", "--evidence", host.home().evidence_dir()}, "| head -n 1");
  CAF_CHECK_EQUAL(first.code, 0);
  CAF_CHECK_EQUAL(count_lines(first.out, ""), 1u);
  CAF_CHECK_EQUAL(first.err, "");
  CAF_MESSAGE("also where an error reports it instead of a signal");
  const outcome reported = ctl({"tail", "--evidence", host.home().evidence_dir()},
                               "| head -n 1; trap '' PIPE; \"$0\" \"$@\" | head -n 1; exit ${PIPESTATUS[0]}");
  CAF_CHECK_EQUAL(reported.code, 0);
  CAF_CHECK_EQUAL(reported.err, "");
}

CAF_TEST(a_check_that_cannot_say_what_it_found_does_not_pass) {
  const daemon_home home{{.cells = {{.id = "a"}}}};
  CAF_CHECK_EQUAL(ctl({"check", home.configuration_file()}).code, 0);
  CAF_CHECK_EQUAL(ctl({"check", home.configuration_file()}, "2>/dev/full").code, 3);
  home.write_configuration("host_id = 7\n");
  CAF_CHECK_EQUAL(ctl({"check", home.configuration_file()}, "2>/dev/full").code, 1);
}

CAF_TEST(an_interval_is_a_number_of_seconds) {
  for (const char* interval : {"nan", "-nan", "inf", "-inf", "0", "-1", "0.05", "3601", "1e400", "1s", "", "0x1p4"}) {
    const outcome refused = ctl({"top", "--once", std::string{"--interval="} + interval});
    CAF_MESSAGE(interval << ' ' << refused.err);
    CAF_CHECK_EQUAL(refused.code, 2);
    CAF_CHECK(has(refused.err, "--interval"));
  }
}

CAF_TEST(arguments_that_are_no_text_are_refused_in_a_sentence) {
  controlled_daemon host;
  const std::string socket = host.home().control_socket();
  std::vector<std::string> add{
      "add",      "a",        "--run-id", "r", "--vsock-uds-base", host.base_of("a"), "--spec-signature-hash",
      "sha256:x", "--socket", socket};
  for (const std::size_t word : {std::size_t{1}, std::size_t{3}, std::size_t{5}, std::size_t{7}}) {
    auto odd = add;
    odd[word] += "\xff\x1b[31m";
    const outcome refused = ctl(odd);
    CAF_MESSAGE(refused.err);
    CAF_CHECK(refused.code == 1 || refused.code == 2);
    CAF_CHECK(has(refused.err, "xff"));
    CAF_CHECK(!has(refused.err, "\x1b"));
    CAF_CHECK_EQUAL(count_lines(refused.err, ""), 1u);
  }
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"\xff\x1b"},
                                             {"cells", "\xff\x1b"},
                                             {"cells", "--\xff\x1b"},
                                             {"remove", "\xff\x1b"},
                                             {"tail", "--evidence", "/nowhere/\xff\x1b"},
                                             {"verify", "--no-signatures", "/nowhere/\xff\x1b"},
                                             {"check", "/nowhere/\xff\x1b"}}) {
    auto with_socket = words;
    if (words.size() == 2 && words.front() != "check") with_socket.insert(with_socket.end(), {"--socket", socket});
    const outcome refused = ctl(with_socket);
    CAF_MESSAGE(refused.code << ' ' << refused.err);
    CAF_CHECK(refused.code >= 1 && refused.code <= 3);
    CAF_CHECK(!refused.err.empty());
    CAF_CHECK(!has(refused.err, "\x1b"));
  }
  CAF_CHECK_EQUAL(host.client().get("/cells").json().at("cells").size(), 0u);
}
