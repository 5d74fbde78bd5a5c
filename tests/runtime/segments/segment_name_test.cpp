#define CAF_SUITE segment_name

#include "runtime/segments/segment_name.hpp"

#include <limits>

#include "caf/test/dsl.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;

CAF_TEST(names_have_twenty_digits_and_come_back_as_their_number) {
  CAF_CHECK_EQUAL(segment_file_name(1), "evidence-00000000000000000001.jsonl");
  const auto largest = std::numeric_limits<std::uint64_t>::max();
  CAF_CHECK_EQUAL(segment_file_name(largest), "evidence-18446744073709551615.jsonl");
  for (std::uint64_t segment : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4711}, largest}) {
    CAF_CHECK(segment_of(segment_file_name(segment)) == segment);
  }
}

CAF_TEST(names_the_log_did_not_give_have_no_number) {
  for (auto name :
       {"", "evidence-1.jsonl", "evidence-0000000000000000000x.jsonl", "evidence-+0000000000000000001.jsonl",
        "evidence-99999999999999999999.jsonl", "evidence-00000000000000000001.jsonl~",
        "Evidence-00000000000000000001.jsonl", "evidence-00000000000000000001.jsonx"}) {
    CAF_CHECK(!segment_of(name));
  }
}

CAF_TEST(only_regular_files_with_the_logs_names_are_listed_oldest_first) {
  memory_directory dir;
  write_file(dir / segment_file_name(10), "ten\n");
  write_file(dir / segment_file_name(9), "");
  write_file(dir / "other.jsonl", "x\n");
  std::filesystem::create_directory(dir / segment_file_name(3));
  std::filesystem::create_symlink(dir / segment_file_name(10), dir / segment_file_name(11));
  std::error_code failure;
  const auto segments = list_segments(dir.path(), failure);
  CAF_CHECK(!failure);
  CAF_REQUIRE_EQUAL(segments.size(), 2u);
  CAF_CHECK_EQUAL(segments[0].segment, 9u);
  CAF_CHECK_EQUAL(segments[1].segment, 10u);
  CAF_CHECK_EQUAL(segments[1].bytes, 4u);
  list_segments(dir / "missing", failure);
  CAF_CHECK(failure == std::errc::no_such_file_or_directory);
}
