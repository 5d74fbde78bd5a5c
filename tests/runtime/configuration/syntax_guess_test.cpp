#include "runtime/configuration/syntax_guess.hpp"

#define CAF_SUITE syntax_guess
#include "caf/test/dsl.hpp"

using namespace cellos::settings;

CAF_TEST(a_value_without_its_quotes_is_shown_with_them) {
  auto guess = guess_at("[evidence]\nfsync = 100ms # group commit\n", 2);
  CAF_CHECK_EQUAL(guess.key, "evidence.fsync");
  CAF_CHECK_EQUAL(guess.remedy, "put the value in quotes: fsync = \"100ms\"");
  CAF_CHECK_EQUAL(guess_at("host_id = host-a", 1).remedy, "put the value in quotes: host_id = \"host-a\"");
}

CAF_TEST(a_cell_s_key_is_reported_with_the_cell_s_number) {
  CAF_CHECK_EQUAL(guess_at("[[cell]]\n[[ cell ]] # second\r\n  id = cell-1\r\n", 3).key, "cell[1].id");
}

CAF_TEST(a_line_that_is_no_setting_names_the_form_of_one) {
  auto guess = guess_at("host_id = \"a\"\n!?\n", 2);
  CAF_CHECK_EQUAL(guess.key, "(syntax)");
  CAF_CHECK_EQUAL(guess.remedy, "write lines of the form NAME = VALUE, texts in double quotes");
  CAF_CHECK_EQUAL(guess_at("[log]\nlevel\n", 2).key, "log.level");
  CAF_CHECK_EQUAL(guess_at("[log]\nlevel\n", 2).remedy, "write level = VALUE");
}

CAF_TEST(a_header_s_line_is_reported_by_the_table_s_name) {
  CAF_CHECK_EQUAL(guess_at("[evidence\n", 1).key, "evidence");
  CAF_CHECK(guess_at("[evidence\n", 1).remedy.find("[evidence]") != std::string::npos);
}

CAF_TEST(numbers_and_quoted_texts_are_not_asked_to_be_quoted) {
  for (auto text : {"a = 1.2.3", "a = \"x", "a = 'x", "a = [1", "a = true", "a =", "a = #x"}) {
    CAF_CHECK_EQUAL(guess_at(text, 1).remedy,
                    "write a number, or a text of UTF-8 in double quotes on one line: a = \"...\"");
  }
}

CAF_TEST(what_is_set_twice_is_to_be_set_once) {
  CAF_CHECK_EQUAL(guess_at("a = b\na = c", 2, "cannot redefine existing").remedy, "keep one of the lines that set a");
  auto guess = guess_at("[[cell]]\n[cell]\n", 2, "cannot redefine existing");
  CAF_CHECK_EQUAL(guess.key, "cell");
  CAF_CHECK_EQUAL(guess.remedy, "give each table one header, and only cells one each: [[cell]]");
}

CAF_TEST(a_line_beyond_the_end_is_no_line) { CAF_CHECK_EQUAL(guess_at("a = 1", 7).key, "(syntax)"); }

CAF_TEST(control_characters_of_the_file_do_not_come_through) {
  auto guess = guess_at("[\x1b[31m]\na = \x1b[31mred\n", 2);
  CAF_CHECK_EQUAL(guess.key, "\\x1b[31m.a");
  CAF_CHECK_EQUAL(guess_at("a = red\x07", 1).remedy, "put the value in quotes: a = \"red\\x07\"");
}
