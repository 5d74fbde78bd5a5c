#include "runtime/jetstream/stream_message.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/signing/sha256.hpp"

#define CAF_SUITE stream_message
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(a_place_is_read_as_it_was_written_and_nothing_else_is) {
  log_place place;
  for (std::size_t i = 0; i < place.log.size(); ++i) place.log[i] = static_cast<std::uint8_t>(16 * i + 1);
  place.end = {12, 34567};
  const std::string text = to_text(place);
  CAF_CHECK_EQUAL(text, "01112131415161718191a1b1c1d1e1f1/12/34567");
  CAF_CHECK(parse_log_place(text) == std::optional{place});
  for (const std::string& bad : {std::string{}, text + "x", text + "/1", " " + text, text.substr(1), text.substr(0, 35),
                                 text.substr(0, 32) + "//1", text.substr(0, 33) + "-1/2"}) {
    CAF_CHECK(!parse_log_place(bad));
  }
}

CAF_TEST(lines_become_an_array_whose_last_line_is_found_again) {
  const std::string lines = "{\"n\":1}\n{\"n\":2}\n{\"text\":\",\\n]\"}\n";
  const std::string array = as_json_array(lines);
  const auto read = nlohmann::json::parse(array);
  CAF_CHECK_EQUAL(read.size(), 3u);
  CAF_CHECK_EQUAL(read[1]["n"].get<int>(), 2);
  CAF_CHECK(last_line_of(array, true) == sha256::of(std::string_view{"{\"text\":\",\\n]\"}\n"}));
  CAF_CHECK(last_line_of(as_json_array("{}\n"), true) == sha256::of(std::string_view{"{}\n"}));
  CAF_CHECK(last_line_of("{}", false) == sha256::of(std::string_view{"{}\n"}));
}

CAF_TEST(answers_of_a_server_are_read_as_they_are) {
  const auto stored = parse_stream_answer(R"({"stream":"S","seq":7})");
  CAF_CHECK(stored.is_stored);
  CAF_CHECK(!stored.is_duplicate);
  CAF_CHECK_EQUAL(stored.sequence, 7u);
  CAF_CHECK(parse_stream_answer(R"({"stream":"S","seq":7,"duplicate":true})").is_duplicate);
  const auto refused = parse_stream_answer(
      R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 5"},"stream":"S","seq":0})");
  CAF_CHECK(!refused.is_stored);
  CAF_CHECK_EQUAL(refused.code, wrong_last_sequence);
  CAF_CHECK_EQUAL(refused.text, "wrong last sequence: 5");
}

CAF_TEST(an_answer_that_is_none_stores_nothing) {
  for (const char* bad : {"", "x", "[]", "{}", "7", R"({"seq":-1})", R"({"seq":"7"})", R"({"seq":0})",
                          R"({"error":{"err_code":"x","description":7}})", R"({"error":{}})", "{\"seq\":1e9}"}) {
    const auto answer = parse_stream_answer(bad);
    CAF_CHECK(!answer.is_stored);
    CAF_CHECK(!answer.text.empty());
  }
}
