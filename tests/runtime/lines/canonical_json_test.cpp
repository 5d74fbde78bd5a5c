#include "runtime/lines/canonical_json.hpp"

#include <limits>
#include <utility>
#include <vector>

#define CAF_SUITE canonical_json
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string canonical(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  if (parser.parse(text.data(), text.size()).get(value) != simdjson::SUCCESS) return "no JSON";
  std::string out;
  return append_canonical(out, value) ? out : "refused";
}

}  // namespace

CAF_TEST(the_sorting_example_of_rfc_8785_comes_out_sorted) {
  // Section 3.2.3: keys by their UTF-16 code units.
  const std::string written =
      R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",)"
      R"("1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",)"
      R"("\u00f6":"Latin Small Letter O With Diaeresis"})";
  const std::string expected =
      "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin Small Letter O With "
      "Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning "
      "Face\",\"\xef\xac\xb3\":\"Hebrew "
      "Letter Dalet With Dagesh\"}";
  CAF_CHECK_EQUAL(canonical(written), expected);
}

CAF_TEST(the_serialisation_example_of_rfc_8785_comes_out_as_printed) {
  // Section 3.2.2, with its numbers.
  const std::string written = R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })";
  const std::string expected =
      "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
      "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
  CAF_CHECK_EQUAL(canonical(written), expected);
}

CAF_TEST(doubles_are_written_as_in_appendix_b_of_rfc_8785) {
  const std::vector<std::pair<double, std::string>> numbers{
      {0.0, "0"},
      {-0.0, "0"},
      {5e-324, "5e-324"},
      {-5e-324, "-5e-324"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {9007199254740992.0, "9007199254740992"},
      {295147905179352830000.0, "295147905179352830000"},
      {9.999999999999997e22, "9.999999999999997e+22"},
      {1e23, "1e+23"},
      {1e21, "1e+21"},
      {999999999999999900000.0, "999999999999999900000"},
      {9.999999999999997e-7, "9.999999999999997e-7"},
      {0.000001, "0.000001"},
      {333333333.3333332, "333333333.3333332"},
      {-0.0000033333333333333333, "-0.0000033333333333333333"},
      {1424953923781206.2, "1424953923781206.2"},
  };
  for (const auto& [number, expected] : numbers) CAF_CHECK_EQUAL(canonical_number(number), expected);
}

CAF_TEST(integers_stay_exact) {
  CAF_CHECK_EQUAL(canonical("[18446744073709551615, -9223372036854775808, 0, -1]"),
                  "[18446744073709551615,-9223372036854775808,0,-1]");
}

CAF_TEST(a_member_written_twice_is_refused_at_any_depth) {
  CAF_CHECK_EQUAL(canonical(R"({"a":1,"b":2,"a":1})"), "refused");
  CAF_CHECK_EQUAL(canonical(R"([{"x":{"a":1,"\u0061":1}}])"), "refused");
  CAF_CHECK_EQUAL(canonical(R"({"a":{"a":1}})"), R"({"a":{"a":1}})");
}
