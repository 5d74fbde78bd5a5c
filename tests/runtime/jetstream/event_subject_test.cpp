#include "runtime/jetstream/event_subject.hpp"

#include <string>

#define CAF_SUITE event_subject
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string line_about(const std::string& what) {
  return R"({"specversion":"1.0","id":"a/1","source":"/s","type":"t","subject":")" + what + R"(","data":{}})";
}

std::string token_of(std::string_view text) { return subject_token(text).value_or("none"); }

}  // namespace

CAF_TEST(a_token_keeps_plain_bytes_and_spells_all_others) {
  CAF_CHECK_EQUAL(token_of("cell_1-A"), "cell_1-A");
  CAF_CHECK_EQUAL(token_of("a.b"), "a%2Eb");
  CAF_CHECK_EQUAL(token_of("%2E"), "%252E");
  CAF_CHECK_EQUAL(token_of("a b\r\nPUB x 0"), "a%20b%0D%0APUB%20x%200");
  CAF_CHECK_EQUAL(token_of(">"), "%3E");
  CAF_CHECK_EQUAL(token_of("*"), "%2A");
  CAF_CHECK_EQUAL(token_of("\xc3\xa9"), "%C3%A9");
  CAF_CHECK_EQUAL(token_of(std::string_view{"\0", 1}), "%00");
  CAF_CHECK(!subject_token(""));
}

CAF_TEST(no_byte_gets_into_a_token_but_those_that_mean_nothing_to_nats) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto token = subject_token(std::string(1, static_cast<char>(byte)));
    CAF_REQUIRE(token.has_value());
    CAF_CHECK_EQUAL(token->find_first_of(std::string{" .*>\r\n\t\0", 8}), std::string::npos);
  }
}

CAF_TEST(a_prefix_is_checked_token_by_token) {
  for (const char* good : {"cellos", "a.b.c", "A-1._x"}) CAF_CHECK(is_subject_prefix(good));
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a.*", ">", "a b", "a\n", "a.%2E", "\xc3\xa9"}) {
    CAF_CHECK(!is_subject_prefix(bad));
  }
}

CAF_TEST(a_stream_s_name_is_one_plain_token) {
  CAF_CHECK(is_stream_name("EVENTS"));
  CAF_CHECK(is_stream_name(std::string(128, 'x')));
  CAF_CHECK(!is_stream_name(std::string(129, 'x')));
  for (const char* bad : {"", "a.b", "a b", "*", "a/b"}) CAF_CHECK(!is_stream_name(bad));
}

CAF_TEST(each_cell_has_its_subject_and_the_host_its_own) {
  event_subjects subjects{"cellos", "host.a"};
  CAF_CHECK_EQUAL(subjects.of(line_about("urn:cellos:cell:c1")), "cellos.host%2Ea.c1");
  CAF_CHECK_EQUAL(subjects.of(line_about("urn:cellos:cell:c1")), "cellos.host%2Ea.c1");
  CAF_CHECK_EQUAL(subjects.of(line_about("urn:cellos:cell:c:2")), "cellos.host%2Ea.c%3A2");
  CAF_CHECK_EQUAL(subjects.of(line_about("urn:cellos:host:host.a")), "cellos.host%2Ea.%40host");
  CAF_CHECK_EQUAL(subjects.of(line_about("urn:cellos:cell:")), "cellos.host%2Ea.%40host");
  CAF_CHECK_EQUAL(subjects.of("no event"), "cellos.host%2Ea.%40host");
  CAF_CHECK_EQUAL(subjects.batches(), "cellos.host%2Ea.%40batch");
  CAF_CHECK_EQUAL(subjects.all(), "cellos.host%2Ea.>");
}
