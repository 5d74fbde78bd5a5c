#include "messages/quarantine_name.hpp"

#include <chrono>
#include <string_view>

#define CAF_SUITE quarantine_name
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

CAF_TEST(a_name_says_what_it_was_made_of) {
  const quarantine_name made{"cell-1-2", wall_time{1'700'000'000'123ms}, 17};
  CAF_CHECK_EQUAL(to_string(made), "cell-1-2-1700000000123-17.bin");
  const auto read = parse_quarantine_name(to_string(made));
  CAF_REQUIRE(read);
  CAF_CHECK_EQUAL(read->cell_id, made.cell_id);
  CAF_CHECK(read->received_at == made.received_at);
  CAF_CHECK_EQUAL(read->sequence, made.sequence);
}

CAF_TEST(no_other_form_is_a_name) {
  for (const std::string_view text : {"", ".bin", "-1-2.bin", "1-2.bin", "cell-1-2", "cell-1-2.bin.bin", "cell-x-2.bin",
                                      "cell-1-2x.bin", "cell-1-.bin", "cell-99999999999999999999-2.bin",
                                      // A time past what nanoseconds can say.
                                      "cell-18446744073709551615-2.bin"}) {
    CAF_CHECK_EQUAL(parse_quarantine_name(text).has_value(), false);
  }
}
