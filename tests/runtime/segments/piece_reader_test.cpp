#include "runtime/segments/piece_reader.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/segments/copy_name.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE piece_reader
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct fixture {
  fixture() {
    std::filesystem::create_directory(dir / "one");
    std::filesystem::create_directory(dir / "two");
  }
  void write(std::string_view copy, segment_position begin, std::string_view text) {
    add_to_file(dir / copy / piece_file_name(begin), text);
  }
  /// What there is to read, and `|` where something is missing.
  std::string read() {
    std::string all;
    while (const auto line = reader.next()) {
      if (reader.take_gap()) all += "| ";
      all += std::string{line->text} + " ";
    }
    return all;
  }

  memory_directory dir;
  piece_reader reader{{dir / "one", dir / "two"}};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(piece_reader_tests, fixture)

CAF_TEST(pieces are one log and grow) {
  write("one", {1, 0}, "a\nb\n");
  write("one", {1, 4}, "c\n");
  write("one", {2, 0}, "d\n");
  CAF_CHECK_EQUAL(read(), "a b c d ");
  write("one", {2, 2}, "e\nf");
  CAF_CHECK_EQUAL(read(), "e ");
  write("one", {2, 2}, "g\n");
  CAF_CHECK_EQUAL(read(), "fg ");
}

CAF_TEST(copies of several collectors are read once and by position) {
  write("one", {1, 0}, "a\nb\n");
  write("two", {1, 2}, "b\nc\nd\n");
  write("one", {1, 6}, "d\ne\n");
  write("two", {2, 0}, "f\n");
  CAF_CHECK_EQUAL(read(), "a b c d e f ");
}

CAF_TEST(what nobody has is a gap) {
  write("one", {3, 8}, "a\n");
  write("two", {3, 20}, "b\n");
  write("one", {4, 0}, "c\n");
  write("one", {6, 0}, "d\n");
  CAF_CHECK_EQUAL(read(), "| a | b c | d ");
}

CAF_TEST(a directory that is not there is a failure) {
  piece_reader absent{{dir / "three"}};
  CAF_CHECK(!absent.next());
  CAF_REQUIRE(absent.failure());
  CAF_CHECK(absent.failure()->explanation.find("three") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
