#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE hostile_log
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

/// Each tries to end a line, to begin one that looks like ours, or to speak to the terminal.
const std::vector<std::string> hostile_texts{
    "\n2026-01-01T00:00:00.000Z info  cell_admitted cell=forged run=r socket=/s\n",
    "\x1b[2J\x1b[31mred\x1b]0;title\a",
    "\r\noverwritten",
    std::string{"nul\0inside", 10},
    "\x7f\b\b\b\t\v\f",
    "c1 \xc2\x9b[31m \xc2\x85next",
    "\xe2\x80\xa8line \xe2\x80\xa9paragraph \xe2\x80\xae override",
    "\"} {\"event\":\"daemon_stopped\" cause=\"",
    "%s%n%d {} {0}",
    std::string(3000, '\n'),
};

bool is_printable_ascii(char character) { return character >= 0x20 && character < 0x7f; }

/// What is in a log that may not be: control characters, and anything that is not ASCII.
std::size_t unprintable_in(std::string_view log) {
  return static_cast<std::size_t>(std::count_if(
      log.begin(), log.end(), [](char character) { return character != '\n' && !is_printable_ascii(character); }));
}

void be_hostile(const daemon_home& home) {
  raw_guest guest{home.socket_of("hostile")};
  for (const std::string& text : hostile_texts) {
    guest.write_frame(text, "honest");
    guest.write_frame("process.spawned", text);
  }
  guest.write_half_a_frame();
  guest.close();
  for (const std::string scenario : {"mixed", "garbage", "forged", "truncated", "oversized"}) {
    simulate({.socket = home.socket_of("crowd"), .frames = 2000, .scenario = scenario});
  }
}

daemon_settings settings_with(const std::string& log_format) {
  return {.cells = {{.id = "hostile"}, {.id = "crowd"}},
          .tables = "[log]\nlevel = 'trace'\nformat = '" + log_format + "'\n"};
}

}  // namespace

CAF_TEST(no_guest_can_write_a_control_character_or_a_line_into_the_daemons_log) {
  const daemon_home home{settings_with("text")};
  auto daemon = daemon_process::ready(home);
  be_hostile(home);
  daemon.wait_for_line(" frames_refused cell=hostile ");
  daemon.wait_for_line(" frames_refused cell=crowd ");
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const std::string log = daemon.err();
  CAF_CHECK_EQUAL(unprintable_in(log), 0u);
  CAF_CHECK_EQUAL(daemon.out(), "");
  const std::regex line_form{
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info |warning|error) [a-z_]+( [a-z_]+=("[^"]*"|[^ "]+))*)"};
  for (const std::string_view line : lines_of(log)) {
    CAF_MESSAGE(line);
    CAF_CHECK(std::regex_match(line.begin(), line.end(), line_form));
  }
  CAF_CHECK_EQUAL(count_lines(log, " cell_admitted "), 2u);
}

CAF_TEST(a_json_log_stays_one_object_a_line) {
  const daemon_home home{settings_with("json")};
  daemon_process daemon{home};
  daemon.wait_for_line(R"("event":"daemon_ready")");
  be_hostile(home);
  daemon.wait_for_line(R"("event":"frames_refused")");
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const std::string log = daemon.err();
  CAF_CHECK_EQUAL(unprintable_in(log), 0u);
  std::size_t admitted = 0;
  for (const std::string_view line : lines_of(log)) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    CAF_REQUIRE(json.is_object());
    CAF_CHECK(json.contains("time") && json.contains("level"));
    admitted += json.at("event") == "cell_admitted" ? 1 : 0;
  }
  CAF_CHECK_EQUAL(admitted, 2u);
}

CAF_TEST(what_a_guest_calls_itself_is_whole_in_the_evidence_and_breaks_no_line) {
  const daemon_settings settings{.cells = {{.id = "hostile"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  {
    raw_guest guest{home.socket_of("hostile")};
    for (const std::string& text : hostile_texts) guest.write_frame("process.spawned", text);
  }
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  std::vector<std::string> names;
  for (const event& each : read_events(home.evidence_dir())) {
    const auto control = [](char character) { return static_cast<unsigned char>(character) < 0x20; };
    CAF_CHECK(std::none_of(each.line.begin(), each.line.end(), control));
    if (each.is_declaration()) names.push_back(each.guest_comm);
  }
  CAF_CHECK(names == hostile_texts);
}

CAF_TEST(control_characters_in_a_configured_path_are_escaped_wherever_it_is_reported) {
  const daemon_home home;
  home.write_configuration("host_id = \"h\"\n[evidence]\ndir = \"" + home.evidence_dir().string() +
                           "\"\n[[cell]]\nid = \"c\"\nrun_id = \"r\"\nspec_signature_hash = \"s\"\n"
                           "vsock_uds_base = \"/nonexistent/\\u001b[31m\\n/v.sock\"\n");
  daemon_process daemon{home};
  // Admission or the configuration's own check, whichever reports it.
  CAF_MESSAGE(daemon.wait_for_line("/nonexistent/"));
  CAF_CHECK_EQUAL(unprintable_in(daemon.err()), 0u);
}
