#include "messages/signing_statement.hpp"

#include <string>

#define CAF_SUITE signing_statement
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

CAF_TEST(each_mode_is_read_as_it_is_written_and_no_other_word_is_one) {
  using kind = signing_statement::kind;
  for (const kind mode : {kind::off, kind::digests, kind::checkpoint, kind::event}) {
    CAF_CHECK(parse_signing_mode(to_string(mode)) == mode);
  }
  for (const char* word : {"", "Event", "events", "digests", "event "}) CAF_CHECK(!parse_signing_mode(word));
}

CAF_TEST(a_statement_says_no_more_than_its_mode_needs) {
  using kind = signing_statement::kind;
  const auto written = [](const signing_statement& statement) {
    std::string out;
    append_statement(out, statement);
    return out;
  };
  CAF_CHECK_EQUAL(written({}), R"({"mode":"off"})");
  CAF_CHECK_EQUAL(written({kind::digests, 0, 0s}), R"({"mode":"digest"})");
  CAF_CHECK_EQUAL(written({kind::event, 1, 1s}), R"({"mode":"event"})");
  CAF_CHECK_EQUAL(written({kind::checkpoint, 1000, 1s}),
                  R"({"events":"1000","intervalNs":"1000000000","mode":"checkpoint"})");
}
