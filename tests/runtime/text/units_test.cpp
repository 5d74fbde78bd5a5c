#include "runtime/text/units.hpp"

#include <string>

#define CAF_SUITE units
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

/// Nanoseconds, or -1 for what is not a duration: CAF's checks can print both.
std::int64_t nanoseconds_in(std::string_view text) {
  auto duration = parse_duration(text);
  return duration ? duration->count() : -1;
}

std::int64_t bytes_in(std::string_view text) {
  auto size = parse_size(text);
  return size ? static_cast<std::int64_t>(*size) : -1;
}

}  // namespace

CAF_TEST(every_duration_unit_is_understood) {
  CAF_CHECK_EQUAL(nanoseconds_in("250us"), 250'000);
  CAF_CHECK_EQUAL(nanoseconds_in("100ms"), 100'000'000);
  CAF_CHECK_EQUAL(nanoseconds_in("10s"), 10'000'000'000);
  CAF_CHECK_EQUAL(nanoseconds_in("5m"), 300'000'000'000);
  CAF_CHECK_EQUAL(nanoseconds_in("1h"), 3'600'000'000'000);
}

CAF_TEST(decimals_of_a_duration_are_exact_down_to_a_nanosecond) {
  CAF_CHECK_EQUAL(nanoseconds_in("1.5s"), 1'500'000'000);
  CAF_CHECK_EQUAL(nanoseconds_in("0.1ms"), 100'000);
  CAF_CHECK_EQUAL(nanoseconds_in("0.000000001s"), 1);
  CAF_CHECK_EQUAL(nanoseconds_in("0.999999999h"), 3'599'999'996'400);
  CAF_CHECK_EQUAL(nanoseconds_in("1.2345us"), 1'234);
}

CAF_TEST(a_duration_is_positive_and_at_most_a_day) {
  CAF_CHECK_EQUAL(nanoseconds_in("24h"), 86'400'000'000'000);
  CAF_CHECK_EQUAL(nanoseconds_in(longest_duration_text), longest_duration.count());
  for (auto text : {"0s", "0.0h", "0.0001us", "-1s", "24.000000001h", "25h", "86401s", "18446744073709551615us"}) {
    CAF_CHECK_EQUAL(nanoseconds_in(text), -1);
  }
}

CAF_TEST(what_has_no_unit_or_another_form_is_no_duration) {
  for (auto text : {"",
                    "10",
                    "s",
                    "10 s",
                    " 10s",
                    "10s ",
                    "10S",
                    "10sec",
                    "1e3s",
                    "+1s",
                    ".5s",
                    "5.s",
                    "1.s",
                    "1,5s",
                    "0x10s",
                    "1.0000000000s",
                    "1.-5s",
                    "1m30s",
                    "99999999999999999999s",
                    "ten seconds",
                    "10d",
                    "10ns"}) {
    CAF_CHECK_EQUAL(nanoseconds_in(text), -1);
  }
  CAF_CHECK_EQUAL(nanoseconds_in(std::string_view("1s\0", 3)), -1);
}

CAF_TEST(binary_and_decimal_sizes_are_distinguished) {
  CAF_CHECK_EQUAL(bytes_in("512B"), 512);
  CAF_CHECK_EQUAL(bytes_in("4KiB"), 4'096);
  CAF_CHECK_EQUAL(bytes_in("64MiB"), 67'108'864);
  CAF_CHECK_EQUAL(bytes_in("10GiB"), 10'737'418'240);
  CAF_CHECK_EQUAL(bytes_in("2TiB"), 2'199'023'255'552);
  CAF_CHECK_EQUAL(bytes_in("4KB"), 4'000);
  CAF_CHECK_EQUAL(bytes_in("4kB"), 4'000);
  CAF_CHECK_EQUAL(bytes_in("64MB"), 64'000'000);
  CAF_CHECK_EQUAL(bytes_in("1GB"), 1'000'000'000);
  CAF_CHECK_EQUAL(bytes_in("1TB"), 1'000'000'000'000);
}

CAF_TEST(decimals_of_a_size_are_rounded_down_to_a_byte) {
  CAF_CHECK_EQUAL(bytes_in("1.5GiB"), 1'610'612'736);
  CAF_CHECK_EQUAL(bytes_in("0.5KiB"), 512);
  CAF_CHECK_EQUAL(bytes_in("1.1KiB"), 1'126);
  CAF_CHECK_EQUAL(bytes_in("0.5B"), 0);
}

CAF_TEST(a_size_fits_a_file_offset) {
  CAF_CHECK_EQUAL(bytes_in("0B"), 0);
  CAF_CHECK_EQUAL(bytes_in("8388606TiB"), 9'223'369'837'831'520'256);
  for (auto text :
       {"8388608TiB", "9223372036854775808B", "18446744073709551615B", "18446744073709551616B", "16777216TiB"}) {
    CAF_CHECK_EQUAL(bytes_in(text), -1);
  }
}

CAF_TEST(what_has_no_unit_or_another_form_is_no_size) {
  for (auto text : {"", "10", "GiB", "10 GiB", "10gib", "10Gib", "10G", "10Gi", "-1B", "1e9B", "1.B", ".5KiB"}) {
    CAF_CHECK_EQUAL(bytes_in(text), -1);
  }
}
