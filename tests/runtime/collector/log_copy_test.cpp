#include "runtime/collector/log_copy.hpp"

#include <cerrno>
#include <filesystem>
#include <string>

#include "runtime/segments/copy_name.hpp"
#include "runtime/signing/sha256.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE log_copy
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

using outcome = log_copy::outcome;

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  std::shared_ptr<log_copy> copy = log_copy::open(dir.path(), files).copy;

  log_copy::append_result append(segment_position after, segment_position from, std::string_view lines) const {
    return copy->append(after, from, lines);
  }
  std::string piece(segment_position begin) const { return content_of(dir / piece_file_name(begin)); }
  bool has(segment_position begin) const { return std::filesystem::exists(dir / piece_file_name(begin)); }
  void sync() const { CAF_CHECK(copy->settle(copy->look())); }
  log_cursor end() const {
    std::error_code failure;
    const auto end = copy->end(failure);
    CAF_CHECK(!failure);
    return end;
  }
  void reopen() {
    copy.reset();
    copy = log_copy::open(dir.path(), files).copy;
    CAF_REQUIRE(copy);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(log_copy_tests, fixture)

CAF_TEST(lines_are_kept_byte_for_byte_at_their_place) {
  CAF_CHECK(copy->is_empty());
  CAF_CHECK(append({}, {1, 0}, "one\ntwo\n").result == outcome::taken);
  CAF_CHECK(append({1, 8}, {1, 8}, "three\n").result == outcome::taken);
  CAF_CHECK(append({1, 14}, {2, 0}, "four\n").result == outcome::taken);
  CAF_CHECK_EQUAL(piece({1, 0}), "one\ntwo\nthree\n");
  CAF_CHECK_EQUAL(piece({2, 0}), "four\n");
  CAF_CHECK(end() == (log_cursor{{2, 5}, sha256::of("four\n")}));
}

CAF_TEST(what_does_not_follow_is_not_taken) {
  (void)append({}, {1, 0}, "one\n");
  for (const segment_position after : {segment_position{1, 0}, {1, 3}, {1, 5}, {2, 0}, {}}) {
    const auto refused = append(after, after, "more\n");
    CAF_CHECK(refused.result == outcome::does_not_follow);
    CAF_CHECK(refused.end == (segment_position{1, 4}));
  }
  CAF_CHECK_EQUAL(piece({1, 0}), "one\n");
}

CAF_TEST(a_copy_that_is_opened_again_goes_on_at_its_end) {
  (void)append({}, {1, 0}, "one\n");
  (void)append({1, 4}, {2, 0}, "two\nthree\n");
  reopen();
  CAF_CHECK(end() == (log_cursor{{2, 10}, sha256::of("three\n")}));
  CAF_CHECK(append({2, 10}, {2, 10}, "four\n").result == outcome::taken);
  CAF_CHECK_EQUAL(piece({2, 0}), "two\nthree\nfour\n");
}

CAF_TEST(a_torn_tail_is_cut_and_a_piece_without_a_line_goes) {
  (void)append({}, {1, 0}, "one\n");
  (void)append({1, 4}, {2, 0}, "two\n");
  add_to_file(dir / piece_file_name({2, 0}), "tor");
  write_file(dir / piece_file_name({3, 0}), "torn");
  copy.reset();
  const auto opened = log_copy::open(dir.path(), files);
  CAF_CHECK_EQUAL(opened.torn_bytes, 7u);
  CAF_CHECK(opened.copy->end_position() == (segment_position{2, 4}));
  CAF_CHECK_EQUAL(piece({2, 0}), "two\n");
  CAF_CHECK(!has({3, 0}));
}

CAF_TEST(behind_a_gap_lines_begin_a_piece_named_by_their_place) {
  (void)append({}, {1, 0}, "one\n");
  CAF_CHECK(!copy->skip_to({1, 2}));
  CAF_CHECK(copy->skip_to({4, 100}));
  CAF_CHECK(end() == (log_cursor{{4, 100}, {}}));
  CAF_CHECK(append({4, 100}, {4, 100}, "later\n").result == outcome::taken);
  CAF_CHECK_EQUAL(piece({4, 100}), "later\n");
  reopen();
  CAF_CHECK(end() == (log_cursor{{4, 106}, sha256::of("later\n")}));
}

CAF_TEST(what_was_not_synced_is_taken_back_and_all_else_stays) {
  (void)append({}, {1, 0}, "one\n");
  sync();
  const auto generation = copy->generation();
  (void)append({1, 4}, {1, 4}, "two\n");
  (void)append({1, 8}, {2, 0}, "three\n");
  (void)append({2, 6}, {3, 0}, "four\n");
  copy->cut_back();
  CAF_CHECK(copy->generation() != generation);
  CAF_CHECK_EQUAL(piece({1, 0}), "one\n");
  CAF_CHECK(!has({2, 0}) && !has({3, 0}));
  CAF_CHECK(end() == (log_cursor{{1, 4}, sha256::of("one\n")}));
  CAF_CHECK(append({1, 4}, {1, 4}, "two\n").result == outcome::taken);
}

CAF_TEST(a_sync_settles_what_was_there_when_it_began) {
  (void)append({}, {1, 0}, "one\n");
  const auto before = copy->look();
  (void)append({1, 4}, {2, 0}, "two\n");
  CAF_CHECK(copy->settle(before));
  CAF_CHECK(copy->durable_end() == (segment_position{1, 4}));
  copy->cut_back();
  CAF_CHECK(copy->end_position() == (segment_position{1, 4}));
  CAF_CHECK(!has({2, 0}));
  CAF_CHECK(!copy->settle(before));
}

CAF_TEST(a_write_that_fails_leaves_nothing_behind) {
  files.torn_writes = true;
  (void)append({}, {1, 0}, "one\n");
  for (const auto place : {segment_position{1, 4}, segment_position{2, 0}}) {
    files.fault = [](file_call call) { return call == file_call::write ? ENOSPC : 0; };
    const auto failed = append({1, 4}, place, "two and three\n");
    CAF_CHECK(failed.result == outcome::failed);
    CAF_CHECK(failed.failure == std::errc::no_space_on_device);
    CAF_CHECK_EQUAL(piece({1, 0}), "one\n");
    CAF_CHECK(!has({2, 0}));
    files.fault = nullptr;
  }
  CAF_CHECK(append({1, 4}, {1, 4}, "two\n").result == outcome::taken);
  CAF_CHECK_EQUAL(piece({1, 0}), "one\ntwo\n");
}

/// Whatever call fails, at whatever moment: what the copy says of its end is what is on disk.
CAF_TEST(every_call_that_fails_leaves_whole_lines_that_follow) {
  for (int failing = 0; failing < 40; ++failing) {
    memory_directory other;
    faulty_file_system flaky;
    flaky.torn_writes = true;
    auto opened = log_copy::open(other.path(), flaky).copy;
    CAF_REQUIRE(opened);
    int calls = 0;
    flaky.fault = [&](file_call) { return calls++ == failing ? EIO : 0; };
    for (int round = 0; round < 12; ++round) {
      const auto end = opened->end_position();
      const auto from = round % 4 == 3 ? segment_position{end.segment + 1, 0} : end;
      (void)opened->append(end, from.segment == 0 ? segment_position{1, 0} : from,
                           "line " + std::to_string(round) + "\n");
      if (round % 5 == 2) opened->settle(opened->look());
      if (round % 5 == 4) opened->cut_back();
    }
    flaky.fault = nullptr;
    // Whatever the disk still owes is made good by the next append; one that does not follow changes nothing else.
    (void)opened->append({99, 99}, {99, 99}, "no\n");
    std::error_code failure;
    const auto end = opened->end(failure);
    opened.reset();
    const auto again = log_copy::open(other.path(), flaky);
    CAF_REQUIRE(again.copy);
    CAF_CHECK_EQUAL(again.torn_bytes, 0u);
    std::error_code unread;
    CAF_CHECK(again.copy->end(unread) == end);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
