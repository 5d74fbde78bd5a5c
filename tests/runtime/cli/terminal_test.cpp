#include "runtime/cli/terminal.hpp"

#include <nlohmann/json.hpp>
#include <string>

#define CAF_SUITE terminal
#include "caf/test/dsl.hpp"

using namespace cellos::cli;

CAF_TEST(colours_and_drawing_are_for_terminals_that_can_and_people_who_want_them) {
  const auto is = [](const terminal& found, bool colours, bool redraw) {
    return found.has_colours == colours && found.can_redraw == redraw;
  };
  CAF_CHECK(is(terminal_of(true, "xterm", nullptr), true, true));
  CAF_CHECK(is(terminal_of(true, "xterm", ""), true, true));
  CAF_CHECK(is(terminal_of(true, "xterm", "1"), false, true));
  CAF_CHECK(is(terminal_of(true, "dumb", nullptr), false, false));
  CAF_CHECK(is(terminal_of(true, nullptr, nullptr), false, false));
  CAF_CHECK(is(terminal_of(false, "xterm", nullptr), false, false));
}

CAF_TEST(what_a_terminal_would_obey_becomes_an_escape_of_the_same_meaning) {
  const std::string text = "{\"a\":\"x\u009b31m\u202eabc\u2066\u200b\x7f\u00e9\u4e2d\U0001f600\"}";
  const std::string shown = harmless_json(text);
  CAF_CHECK_EQUAL(shown, "{\"a\":\"x\\u009b31m\\u202eabc\\u2066\\u200b\\u007f\u00e9\u4e2d\U0001f600\"}");
  CAF_CHECK(nlohmann::json::parse(shown) == nlohmann::json::parse(text));
  CAF_CHECK_EQUAL(harmless_json(shown), shown);
}

CAF_TEST(bytes_that_are_no_utf8_are_shown_as_that) {
  CAF_CHECK_EQUAL(harmless_json("a\x9b"
                                "b"),
                  "a\\ufffdb");
  CAF_CHECK_EQUAL(harmless_json("\xc0\x9b"), "\\ufffd\\ufffd");
  CAF_CHECK_EQUAL(harmless_json("\xe2\x80"), "\\ufffd\\ufffd");
}
