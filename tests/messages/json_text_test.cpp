#include "messages/json_text.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#define CAF_SUITE json_text
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string string_of(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string decimal_of(std::uint64_t number) {
  std::string out;
  json::append_decimal(out, number);
  return out;
}

}  // namespace

CAF_TEST(plain_text_is_quoted) {
  CAF_CHECK_EQUAL(string_of(""), R"("")");
  CAF_CHECK_EQUAL(string_of("bash"), R"("bash")");
  CAF_CHECK_EQUAL(string_of("a/b 'c' <d> &"), R"("a/b 'c' <d> &")");
}

CAF_TEST(rfc_8785_names_seven_short_escapes) {
  CAF_CHECK_EQUAL(string_of("\""), R"("\"")");
  CAF_CHECK_EQUAL(string_of("\\"), R"("\\")");
  CAF_CHECK_EQUAL(string_of("\b\t\n\f\r"), R"("\b\t\n\f\r")");
}

CAF_TEST(every_other_control_character_is_four_lowercase_hex_digits) {
  for (int byte = 0; byte < 0x20; ++byte) {
    if (byte == '\b' || byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r') continue;
    char expected[16];
    std::snprintf(expected, sizeof expected, "\"\\u%04x\"", static_cast<unsigned>(byte));
    CAF_CHECK_EQUAL(string_of(std::string(1, static_cast<char>(byte))), expected);
  }
}

CAF_TEST(everything_else_stays_as_it_is) {
  for (std::string_view text : {"\x7F", "\xC2\x80", "\xC3\xA9", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF",
                                "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
    CAF_CHECK_EQUAL(string_of(text), '"' + std::string{text} + '"');
  }
}

CAF_TEST(escapes_stand_where_they_belong) {
  CAF_CHECK_EQUAL(string_of("\nstart"), R"("\nstart")");
  CAF_CHECK_EQUAL(string_of("end\n"), R"("end\n")");
  CAF_CHECK_EQUAL(string_of("a\"b\\c\nd"), R"("a\"b\\c\nd")");
  CAF_CHECK_EQUAL(string_of("\"\"\""), R"("\"\"\"")");
  CAF_CHECK_EQUAL(string_of(std::string_view{"a\0b", 3}), R"("a\u0000b")");
}

CAF_TEST(every_ascii_character_comes_back_from_another_reader) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string text = "a" + std::string(1, static_cast<char>(byte)) + "b";
    CAF_CHECK(nlohmann::json::parse(string_of(text)).get<std::string>() == text);
  }
}

CAF_TEST(strings_are_appended) {
  std::string out = "[";
  json::append_string(out, "a");
  json::append_decimal(out, 1);
  CAF_CHECK_EQUAL(out, R"(["a"1)");
}

CAF_TEST(decimals_are_whole_up_to_64_bits) {
  CAF_CHECK_EQUAL(decimal_of(0), "0");
  CAF_CHECK_EQUAL(decimal_of(9), "9");
  CAF_CHECK_EQUAL(decimal_of(10), "10");
  CAF_CHECK_EQUAL(decimal_of(9'007'199'254'740'993), "9007199254740993");
  CAF_CHECK_EQUAL(decimal_of(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

CAF_TEST(an_object_without_members_is_empty_braces) {
  std::string out;
  { const json::object_writer object{out}; }
  CAF_CHECK_EQUAL(out, "{}");
}

CAF_TEST(members_stand_in_the_order_written) {
  std::string out = "x";
  {
    json::object_writer object{out};
    object.text("b", "say \"hi\"");
    object.number("a", 7);
    object.count("c", std::numeric_limits<std::uint64_t>::max());
    object.member("d", [](std::string& to) {
      json::object_writer inner{to};
      inner.text("\n", "");
    });
    object.member("e", [](std::string& to) { to += "null"; });
  }
  CAF_CHECK_EQUAL(out, R"(x{"b":"say \"hi\"","a":7,"c":"18446744073709551615","d":{"\n":""},"e":null})");
}
