#include "runtime/guest_sim/simulation_options.hpp"

#include <sstream>
#include <vector>

#define CAF_SUITE simulation_options
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;
using namespace std::chrono_literals;

namespace {

struct fixture {
  std::variant<simulation_options, exit_code> parse(const std::vector<std::string>& arguments) {
    out.str("");
    err.str("");
    return parse_command_line(arguments, out, err);
  }

  /// The arguments after a socket and a number of frames.
  simulation_options options_of(std::vector<std::string> more) {
    more.insert(more.begin(), {"--socket", "/run/fc/cell-1/v.sock_9001", "--frames", "10"});
    auto parsed = parse(more);
    CAF_REQUIRE(std::holds_alternative<simulation_options>(parsed));
    return std::get<simulation_options>(parsed);
  }

  /// Refused with words on `err` and nothing on `out`.
  bool is_usage_error(const std::vector<std::string>& arguments) {
    const auto parsed = parse(arguments);
    const auto* code = std::get_if<exit_code>(&parsed);
    return code != nullptr && *code == exit_usage && !err.str().empty() && out.str().empty();
  }

  bool refuses(std::vector<std::string> more) {
    more.insert(more.begin(), {"--socket", "/run/v.sock_9001", "--frames", "10"});
    return is_usage_error(more);
  }

  std::ostringstream out;
  std::ostringstream err;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(simulation_options_tests, fixture)

CAF_TEST(defaults_are_an_honest_version_1_0_guest) {
  const auto options = options_of({});
  CAF_CHECK_EQUAL(options.socket, "/run/fc/cell-1/v.sock_9001");
  CAF_CHECK_EQUAL(options.what->name, "honest");
  CAF_CHECK_EQUAL(options.frames, 10u);
  CAF_CHECK_EQUAL(options.rate, 0.0);
  CAF_CHECK_EQUAL(options.seed, 1u);
  CAF_CHECK_EQUAL(options.content_version, wire::content_version_1_0);
  CAF_CHECK(options.connect_timeout == 5s);
  CAF_CHECK(options.hold == 15s);
  CAF_CHECK(!options.silent_after);
}

CAF_TEST(every_option_is_read) {
  const auto options = options_of({"--rate", "2.5", "--scenario", "silent-after-N", "--seed", "99", "--content-version",
                                   "1.1", "--connect-timeout", "250ms", "--silent-after", "0", "--hold", "2s",
                                   "--resume", "--impatient", "--quiet"});
  CAF_CHECK_EQUAL(options.rate, 2.5);
  CAF_CHECK_EQUAL(options.what->name, "silent-after-N");
  CAF_CHECK_EQUAL(options.seed, 99u);
  CAF_CHECK_EQUAL(options.content_version, wire::content_version_1_1);
  CAF_CHECK(options.connect_timeout == 250ms);
  CAF_CHECK(options.silent_after.has_value() && *options.silent_after == 0);
  CAF_CHECK(options.hold == 2s);
  CAF_CHECK(options.resume && options.impatient && options.quiet);
}

CAF_TEST(lossy_implies_version_1_1_and_refuses_1_0) {
  CAF_CHECK_EQUAL(options_of({"--scenario", "lossy"}).content_version, wire::content_version_1_1);
  CAF_CHECK(refuses({"--scenario", "lossy", "--content-version", "1.0"}));
}

CAF_TEST(help_version_and_list_answer_on_stdout_and_exit_0) {
  for (const std::string option : {"--help", "--version", "--list"}) {
    const auto parsed = parse({option});
    CAF_REQUIRE(std::holds_alternative<exit_code>(parsed));
    CAF_CHECK_EQUAL(static_cast<int>(std::get<exit_code>(parsed)), 0);
    CAF_CHECK(!out.str().empty());
    CAF_CHECK_EQUAL(err.str(), "");
  }
  for (const auto& known : scenarios()) CAF_CHECK(out.str().find(known.meaning) != std::string::npos);
}

CAF_TEST(mistakes_exit_2_with_words_on_stderr_only) {
  CAF_CHECK(is_usage_error({}));
  CAF_CHECK(is_usage_error({"--socket", "/run/v.sock_9001"}));
  CAF_CHECK(is_usage_error({"--frames", "10"}));
  CAF_CHECK(is_usage_error({"--socket", std::string(108, 'a'), "--frames", "10"}));
  CAF_CHECK(is_usage_error({"--socket", "/run/v.sock_9001", "--frames", "-1"}));
  CAF_CHECK(is_usage_error({"--socket", "/run/v.sock_9001", "--frames", "many"}));
  CAF_CHECK(refuses({"--rate", "-1"}));
  CAF_CHECK(refuses({"--rate", "inf"}));
  CAF_CHECK(refuses({"--seed", "-3"}));
  CAF_CHECK(refuses({"--scenario", "nonsense"}));
  CAF_CHECK(refuses({"--content-version", "2.0"}));
  CAF_CHECK(refuses({"--connect-timeout", "5"}));
  CAF_CHECK(refuses({"--scenario", "silent-after-N", "--hold", "never"}));
  CAF_CHECK(refuses({"--scenario", "silent-after-N", "--silent-after", "11"}));
  CAF_CHECK(refuses({"--hold", "5s"}));
  CAF_CHECK(refuses({"--no-such-option"}));
  CAF_CHECK(refuses({"stray"}));
}

CAF_TEST(a_misspelled_scenario_is_answered_with_the_nearest) {
  CAF_CHECK(refuses({"--scenario", "trunkated"}));
  CAF_CHECK(err.str().find("did you mean truncated?") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
