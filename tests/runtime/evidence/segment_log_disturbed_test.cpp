#define CAF_SUITE segment_log_disturbed

#include <unistd.h>

#include "caf/test/dsl.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using condition = segment_file::condition;

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  segment_log_options options{{dir / "log", fsync_policy::never, 1h, 1 << 20, 1000}};

  std::unique_ptr<segment_log> open() {
    auto opening = segment_log::open(options, files);
    if (!opening.log) CAF_FAIL(opening.refusal);
    return std::move(opening.log);
  }
  std::filesystem::path segment(std::uint64_t number) const { return options.dir / segment_file_name(number); }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(segment_log_disturbed_tests, fixture)

CAF_TEST(a_segment_that_was_moved_away_gets_no_more_lines) {
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    options.dir = dir / std::to_string(static_cast<int>(policy));
    options.fsync = policy;
    auto log = open();
    CAF_CHECK(!log->append("before\n"));
    std::filesystem::rename(segment(1), dir / "away");
    CAF_CHECK(!log->append("after\n"));
    CAF_CHECK_EQUAL(content_of(dir / "away"), "before\n");
    CAF_CHECK_EQUAL(content_of(segment(2)), "after\n");
    CAF_CHECK(log->appended_position() == (segment_position{2, 6}));
    const auto found = log->take_disturbed();
    CAF_REQUIRE_EQUAL(found.size(), 1u);
    CAF_CHECK_EQUAL(found[0].segment, 1u);
    CAF_CHECK(found[0].condition == condition::displaced);
    CAF_CHECK(log->take_disturbed().empty());
    CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 6u);
    CAF_CHECK(!log->close());
  }
}

CAF_TEST(a_segment_that_was_removed_or_replaced_is_noticed_without_an_append) {
  auto log = open();
  CAF_CHECK(!log->append("1\n"));
  log->check_files();
  CAF_CHECK(log->take_disturbed().empty());
  std::filesystem::remove(segment(1));
  log->check_files();
  CAF_CHECK_EQUAL(log->take_disturbed().size(), 1u);
  CAF_CHECK_EQUAL(content_of(segment(2)), "");
  write_file(dir / "other", "");
  std::filesystem::rename(dir / "other", segment(2));
  log->check_files();
  CAF_CHECK(!log->append("3\n"));
  CAF_CHECK_EQUAL(content_of(segment(2)), "");
  CAF_CHECK_EQUAL(content_of(segment(3)), "3\n");
}

CAF_TEST(a_segment_moved_to_where_the_next_would_be_is_stepped_over) {
  auto log = open();
  CAF_CHECK(!log->append("1\n"));
  std::filesystem::rename(segment(1), segment(2));
  CAF_CHECK(!log->append("3\n"));
  CAF_CHECK_EQUAL(content_of(segment(2)), "1\n");
  CAF_CHECK_EQUAL(content_of(segment(3)), "3\n");
}

CAF_TEST(a_segment_that_somebody_cut_or_wrote_to_is_left_as_it_is) {
  auto log = open();
  CAF_CHECK(!log->append("12345678\n"));
  std::filesystem::resize_file(segment(1), 4);
  CAF_CHECK(!log->append("next\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "1234");
  CAF_CHECK_EQUAL(content_of(segment(2)), "next\n");
  auto found = log->take_disturbed();
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(found[0].condition == condition::cut);
  CAF_CHECK_EQUAL(found[0].bytes_missing, 5u);

  add_to_file(segment(2), "foreign\n");
  CAF_CHECK(!log->append("ours\n"));
  CAF_CHECK_EQUAL(content_of(segment(2)), "next\nforeign\n");
  CAF_CHECK_EQUAL(content_of(segment(3)), "ours\n");
  found = log->take_disturbed();
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(found[0].condition == condition::grown);
}

CAF_TEST(what_our_own_failed_write_left_disturbs_nothing) {
  auto log = open();
  CAF_CHECK(!log->append("kept\n"));
  files.torn_writes = true;
  files.fault = [](file_call call) { return call == file_call::write || call == file_call::ftruncate ? EIO : 0; };
  CAF_CHECK(log->append("one\ntwo\nthree\n") == std::errc::io_error);
  files.fault = nullptr;
  CAF_CHECK(!log->append("again\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "kept\nagain\n");
  CAF_CHECK(log->take_disturbed().empty());
}

CAF_TEST(a_file_that_cannot_be_looked_at_is_taken_to_be_in_its_place) {
  auto log = open();
  files.fault = [](file_call call) { return call == file_call::identify ? EIO : 0; };
  CAF_CHECK(!log->append("x\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "x\n");
  CAF_CHECK(log->take_disturbed().empty());
}

CAF_TEST(a_directory_that_was_moved_takes_nothing_until_it_is_back) {
  auto log = open();
  CAF_CHECK(!log->append("1\n"));
  std::filesystem::rename(options.dir, dir / "elsewhere");
  CAF_CHECK(log->append("2\n") == evidence_errc::directory_displaced);
  CAF_CHECK(log->is_displaced());
  // Another one in its place is not under our lock.
  std::filesystem::create_directory(options.dir);
  CAF_CHECK(log->append("2\n") == evidence_errc::directory_displaced);
  CAF_CHECK(std::filesystem::is_empty(options.dir));
  std::filesystem::remove(options.dir);
  std::filesystem::rename(dir / "elsewhere", options.dir);
  log->check_files();
  CAF_CHECK(!log->is_displaced());
  CAF_CHECK(!log->append("2\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "1\n2\n");
}

CAF_TEST(a_directory_reached_by_a_symbolic_link_is_in_its_place) {
  std::filesystem::create_directory(dir / "real");
  std::filesystem::create_directory_symlink(dir / "real", dir / "link");
  options.dir = dir / "link";
  auto log = open();
  CAF_CHECK(!log->append("1\n"));
  std::filesystem::remove(segment(1));
  CAF_CHECK(!log->append("2\n"));
  CAF_CHECK_EQUAL(content_of(segment(2)), "2\n");
}

CAF_TEST_FIXTURE_SCOPE_END()
