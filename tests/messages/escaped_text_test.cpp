#include "messages/escaped_text.hpp"

#define CAF_SUITE escaped_text
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(printable_ascii_stays) {
  CAF_CHECK_EQUAL(escaped(""), "");
  CAF_CHECK_EQUAL(escaped("bash -c 'x' <y> {z} ~!"), "bash -c 'x' <y> {z} ~!");
}

CAF_TEST(quotes_and_backslashes_are_escaped_too) {
  CAF_CHECK_EQUAL(escaped("\""), "\\x22");
  CAF_CHECK_EQUAL(escaped("\\"), "\\x5c");
  // So that nothing a guest sends can look like an escape of ours.
  CAF_CHECK_EQUAL(escaped("\\x0a"), "\\x5cx0a");
}

CAF_TEST(control_characters_and_all_that_is_not_ascii_become_hex) {
  CAF_CHECK_EQUAL(escaped("a\nb\r\t\x1B[31m\x7F"), "a\\x0ab\\x0d\\x09\\x1b[31m\\x7f");
  CAF_CHECK_EQUAL(escaped(std::string_view{"\0", 1}), "\\x00");
  CAF_CHECK_EQUAL(escaped("caf\xC3\xA9"), "caf\\xc3\\xa9");
  CAF_CHECK_EQUAL(escaped("\xE2\x80\xA8\xC2\x9B\xFF"), "\\xe2\\x80\\xa8\\xc2\\x9b\\xff");
}

CAF_TEST(every_byte_comes_out_printable) {
  for (int byte = 0; byte <= 0xFF; ++byte) {
    const auto out = escaped(std::string(1, static_cast<char>(byte)));
    for (char character : out) CAF_CHECK(character >= 0x20 && character < 0x7F && character != '"');
    CAF_CHECK(out.size() == 1 || (out.size() == 4 && out.starts_with("\\x")));
  }
}

CAF_TEST(long_text_is_cut_and_says_so) {
  CAF_CHECK_EQUAL(escaped(std::string(64, 'x')), std::string(64, 'x'));
  CAF_CHECK_EQUAL(escaped(std::string(65, 'x')), std::string(64, 'x') + "...");
  CAF_CHECK_EQUAL(escaped("abcd", 4), "abcd");
  CAF_CHECK_EQUAL(escaped("abcde", 4), "abcd...");
  CAF_CHECK_EQUAL(escaped("a", 0), "...");
  CAF_CHECK_EQUAL(escaped("", 0), "");
}

CAF_TEST(a_sentence_may_keep_its_quotation_marks) {
  CAF_CHECK_EQUAL(escaped("\"a\\\n\"", 64, "\""), "\"a\\x5c\\x0a\"");
  CAF_CHECK_EQUAL(escaped("\"a\"", 64, "\\\""), "\\\"a\\\"");
  CAF_CHECK_EQUAL(escaped("\"\"", 1, "\""), "\"...");
}

CAF_TEST(the_bound_is_on_what_comes_in) {
  CAF_CHECK_EQUAL(escaped("\n\n\n", 2), "\\x0a\\x0a...");
  CAF_CHECK_EQUAL(escaped("\xE2\x80\xA8", 2), "\\xe2\\x80...");
  CAF_CHECK_EQUAL(escaped(std::string(4096, '\n')).size(), 64u * 4 + 3);
}
