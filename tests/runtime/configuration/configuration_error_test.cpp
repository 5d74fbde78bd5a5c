#include "runtime/configuration/configuration_error.hpp"

#define CAF_SUITE configuration_error
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(an_error_reads_as_place_key_problem_and_remedy) {
  configuration_error error{"/etc/t.toml", 12, 3, "cell[1].run_id", "is missing", "write run_id = \"run-7\""};
  CAF_CHECK_EQUAL(to_string(error), "/etc/t.toml:12:3: cell[1].run_id: is missing; write run_id = \"run-7\"");
}

CAF_TEST(a_file_name_cannot_start_a_line_of_its_own) {
  configuration_error error{"a\nb", 1, 1, "k", "p", "r"};
  CAF_CHECK_EQUAL(to_string(error), "a\\x0ab:1:1: k: p; r");
}

CAF_TEST(what_is_repeated_is_escaped_and_bounded) {
  CAF_CHECK_EQUAL(settings::in_quotes("a\x1b[31m\x7f\xc3\xa9"), "\"a\\x1b[31m\\x7f\\xc3\\xa9\"");
  CAF_CHECK_EQUAL(settings::in_quotes(std::string(129, 'a')), '"' + std::string(128, 'a') + "...\"");
  CAF_CHECK_EQUAL(settings::in_quotes("a\"; b"), "\"a\\x22; b\"");
}
