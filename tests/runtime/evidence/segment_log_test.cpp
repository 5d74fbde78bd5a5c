#define CAF_SUITE segment_log

#include "runtime/evidence/segment_log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "caf/test/dsl.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  segment_log_options options{{dir / "log", fsync_policy::never, 1h, 1 << 20, 100}};

  std::unique_ptr<segment_log> open() {
    auto opening = segment_log::open(options, files);
    if (!opening.log) CAF_FAIL(opening.refusal);
    recovered = opening.recovered;
    return std::move(opening.log);
  }

  std::string refusal() {
    auto opening = segment_log::open(options, files);
    CAF_CHECK(opening.log == nullptr);
    return opening.refusal;
  }

  std::filesystem::path segment(std::uint64_t number) const { return options.dir / segment_file_name(number); }
  bool exists(std::uint64_t number) const { return std::filesystem::exists(segment(number)); }

  std::optional<segment_log::torn_tail> recovered;
};

bool mentions(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  CAF_MESSAGE("not in: " << text);
  return false;
}

/// A line of so many bytes, its newline counted.
std::string line_of(std::size_t bytes, char letter = 'x') { return std::string(bytes - 1, letter) + "\n"; }

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};
  CAF_REQUIRE_EQUAL(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777u;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(segment_log_tests, fixture)

CAF_TEST(appended_lines_are_in_the_first_segment_in_order) {
  auto log = open();
  CAF_CHECK(!log->append("{\"n\":1}\n"));
  CAF_CHECK(!log->append(""));
  CAF_CHECK(!log->append("{\"n\":2}\n{\"n\":3}\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
  CAF_CHECK(log->appended_position() == (segment_position{1, 24}));
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 24u);
  CAF_CHECK_EQUAL(log->statistics().segments, 1u);
}

CAF_TEST(half_a_line_is_refused) {
  auto log = open();
  CAF_CHECK(log->append("whole\nhalf") == std::errc::invalid_argument);
  CAF_CHECK_EQUAL(content_of(segment(1)), "");
}

CAF_TEST(a_missing_directory_is_created_for_owner_and_group) {
  options.dir = dir / "a" / "b";
  const auto mask = ::umask(0);
  {
    auto log = open();
    CAF_CHECK(!log->append("x\n"));
  }
  ::umask(mask);
  CAF_CHECK_EQUAL(mode_of(dir / "a"), 0750u);
  CAF_CHECK_EQUAL(mode_of(options.dir), 0750u);
  CAF_CHECK_EQUAL(mode_of(segment(1)), 0640u);
}

CAF_TEST(a_file_in_the_directorys_place_is_refused) {
  write_file(options.dir, "");
  const auto why = refusal();
  CAF_CHECK(mentions(why, "\"" + options.dir.string() + "\" is not a directory"));
  CAF_CHECK(mentions(why, "[evidence] dir"));
}

CAF_TEST(a_directory_that_cannot_be_written_is_refused) {
  std::filesystem::create_directory(options.dir);
  int opened = 0;
  files.fault = [&](file_call call) { return call == file_call::open && ++opened == 2 ? EACCES : 0; };
  const auto why = refusal();
  CAF_CHECK(mentions(why, "cannot be written: Permission denied"));
  CAF_CHECK(mentions(why, "Make it writable for uid " + std::to_string(::geteuid())));
}

CAF_TEST(a_second_log_on_the_directory_is_refused_with_who_has_it) {
  auto log = open();
  const auto why = refusal();
  CAF_CHECK(mentions(why, "is in use: process " + std::to_string(::getpid()) + " holds"));
  CAF_CHECK(mentions(why, (options.dir / ".lock").string()));
  log.reset();
  CAF_CHECK(!open()->append("x\n"));
}

CAF_TEST(what_the_lock_file_holds_is_not_repeated_unless_it_is_a_number) {
  auto log = open();
  write_file(options.dir / ".lock", "\x1b[2Jrm -rf\n");
  const auto why = refusal();
  CAF_CHECK(mentions(why, "is in use: "));
  CAF_CHECK(why.find("rm -rf") == std::string::npos);
}

CAF_TEST(a_lock_file_that_is_removed_lets_nobody_else_in) {
  auto log = open();
  std::filesystem::remove(options.dir / ".lock");
  CAF_CHECK(mentions(refusal(), "is in use: process " + std::to_string(::getpid()) + " holds"));
  CAF_CHECK(!log->append("x\n"));
}

CAF_TEST(a_segment_that_cannot_be_opened_is_refused) {
  CAF_CHECK(!open()->append("x\n"));
  int opened = 0;
  files.fault = [&](file_call call) { return call == file_call::open && ++opened == 3 ? EACCES : 0; };
  const auto why = refusal();
  CAF_CHECK(mentions(why, segment(1).string()));
  CAF_CHECK(mentions(why, "Permission denied"));
}

CAF_TEST(an_opened_log_goes_on_in_its_last_segment) {
  CAF_CHECK(!open()->append("1\n"));
  auto log = open();
  CAF_CHECK(!recovered);
  CAF_CHECK(log->appended_position() == (segment_position{1, 2}));
  CAF_CHECK(!log->append("2\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "1\n2\n");
}

CAF_TEST(a_full_last_segment_is_left_alone) {
  CAF_CHECK(!open()->append(line_of(100)));
  auto log = open();
  CAF_CHECK(!log->append("2\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), line_of(100));
  CAF_CHECK_EQUAL(content_of(segment(2)), "2\n");
}

CAF_TEST(a_torn_last_line_is_cut_off_and_reported_wherever_it_was_torn) {
  const std::string lines = "{\"n\":1}\n{\"n\":22}\n\n{\"n\":333}\n";
  std::filesystem::create_directory(options.dir);
  for (std::size_t cut = 0; cut <= lines.size(); ++cut) {
    const auto left = lines.substr(0, cut);
    const auto whole = left.substr(0, left.rfind('\n') + 1);
    write_file(segment(1), left);
    auto log = open();
    CAF_CHECK_EQUAL(content_of(segment(1)), whole);
    CAF_CHECK_EQUAL(recovered.has_value(), left.size() != whole.size());
    if (recovered) {
      CAF_CHECK_EQUAL(recovered->file.string(), segment(1).string());
      CAF_CHECK_EQUAL(recovered->bytes_removed, left.size() - whole.size());
    }
    CAF_CHECK(!log->append("next\n"));
    CAF_CHECK_EQUAL(content_of(segment(1)), whole + "next\n");
  }
}

CAF_TEST(what_was_cut_off_is_reported_even_when_the_log_is_refused_then) {
  std::filesystem::create_directory(options.dir);
  write_file(segment(1), "whole\ntorn");
  options.fsync = fsync_policy::always;
  files.fault = [](file_call call) { return call == file_call::fdatasync ? EIO : 0; };
  const auto opening = segment_log::open(options, files);
  CAF_CHECK(opening.log == nullptr);
  CAF_CHECK(mentions(opening.refusal, "Input/output error"));
  CAF_REQUIRE(opening.recovered);
  CAF_CHECK_EQUAL(opening.recovered->bytes_removed, 4u);
}

CAF_TEST(a_torn_line_longer_than_one_read_is_cut_off) {
  std::filesystem::create_directory(options.dir);
  for (std::size_t torn : {65535u, 65536u, 65537u, 200000u}) {
    write_file(segment(1), "whole\n" + std::string(torn, '\0'));
    auto log = open();
    CAF_REQUIRE(recovered);
    CAF_CHECK_EQUAL(recovered->bytes_removed, torn);
    CAF_CHECK_EQUAL(content_of(segment(1)), "whole\n");
  }
}

CAF_TEST(a_segment_is_filled_to_the_byte_and_never_beyond) {
  auto log = open();
  CAF_CHECK(!log->append(line_of(60)));
  CAF_CHECK(!log->append(line_of(40)));
  CAF_CHECK(!exists(2));
  CAF_CHECK(!log->append(line_of(61)));
  CAF_CHECK(!log->append(line_of(40)));
  CAF_CHECK_EQUAL(std::filesystem::file_size(segment(1)), 100u);
  CAF_CHECK_EQUAL(std::filesystem::file_size(segment(2)), 61u);
  CAF_CHECK_EQUAL(std::filesystem::file_size(segment(3)), 40u);
  CAF_CHECK(log->appended_position() == (segment_position{3, 40}));
  CAF_CHECK_EQUAL(log->statistics().segments, 3u);
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 201u);
}

CAF_TEST(a_batch_larger_than_a_segment_stays_together_in_its_own) {
  auto log = open();
  CAF_CHECK(!log->append(line_of(10)));
  CAF_CHECK(!log->append(line_of(90) + line_of(90)));
  CAF_CHECK(!log->append(line_of(10)));
  CAF_CHECK_EQUAL(std::filesystem::file_size(segment(1)), 10u);
  CAF_CHECK_EQUAL(std::filesystem::file_size(segment(2)), 180u);
  CAF_CHECK_EQUAL(std::filesystem::file_size(segment(3)), 10u);
}

CAF_TEST(the_oldest_segments_go_when_the_limit_is_reached) {
  options.max_bytes = 400;
  auto log = open();
  for (int i = 0; i < 6; ++i) CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(!exists(1));
  CAF_CHECK(!exists(2));
  for (std::uint64_t kept : {3u, 4u, 5u, 6u}) CAF_CHECK(exists(kept));
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 400u);
  CAF_CHECK_EQUAL(log->statistics().segments, 4u);
  CAF_CHECK_EQUAL(log->statistics().segments_removed, 2u);
}

CAF_TEST(segments_still_needed_stay_and_appends_fail_until_they_are_not) {
  options.max_bytes = 400;
  auto log = open();
  log->retain_from(2);
  for (int i = 0; i < 5; ++i) CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(!exists(1));
  for (int i = 0; i < 3; ++i) {
    const auto failure = log->append(line_of(100));
    CAF_CHECK(failure == evidence_errc::limit_reached);
    CAF_CHECK(failure == std::errc::no_space_on_device);
    CAF_CHECK(mentions(failure.message(), "evidence limit reached"));
  }
  CAF_CHECK(exists(2));
  CAF_CHECK_EQUAL(log->statistics().append_errors, 3u);
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 400u);
  log->retain_from(3);
  CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(!exists(2));
  CAF_CHECK(exists(3));
}

CAF_TEST(the_limit_counts_what_earlier_processes_left) {
  for (int i = 0; i < 4; ++i) CAF_CHECK(!open()->append(line_of(100)));
  options.max_bytes = 400;
  auto log = open();
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 400u);
  CAF_CHECK_EQUAL(log->statistics().segments, 4u);
  CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(!exists(1));
}

CAF_TEST(a_segment_grows_to_a_quarter_of_the_log_at_most) {
  segment_log_settings settings;
  CAF_CHECK_EQUAL(settings.longest_segment(), 67'108'864u);
  settings.max_bytes = 1 << 20;
  CAF_CHECK_EQUAL(settings.longest_segment(), 262'144u);
  settings.segment_bytes = 1 << 20;
  CAF_CHECK_EQUAL(settings.longest_segment(), 262'144u);
  settings.segment_bytes = 4096;
  CAF_CHECK_EQUAL(settings.longest_segment(), 4096u);
}

CAF_TEST(a_log_smaller_than_one_segment_still_turns_over) {
  options.max_bytes = 100;
  options.segment_bytes = 1 << 20;
  auto log = open();
  for (int i = 0; i < 100; ++i) {
    CAF_CHECK(!log->append(line_of(10)));
    CAF_CHECK(log->statistics().bytes_on_disk <= 100u);
  }
  CAF_CHECK(log->statistics().bytes_on_disk >= 75u);
}

CAF_TEST(a_batch_that_can_never_fit_costs_nothing) {
  options.max_bytes = 400;
  auto log = open();
  for (int i = 0; i < 4; ++i) CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(log->append(line_of(401)) == evidence_errc::limit_reached);
  for (std::uint64_t kept : {1u, 2u, 3u, 4u}) CAF_CHECK(exists(kept));
  CAF_CHECK(!log->append(line_of(400)));
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, 400u);
}

CAF_TEST(a_segment_somebody_else_removed_is_no_obstacle) {
  options.max_bytes = 400;
  auto log = open();
  for (int i = 0; i < 4; ++i) CAF_CHECK(!log->append(line_of(100)));
  std::filesystem::remove(segment(1));
  CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(exists(2));
}

CAF_TEST(a_foreign_file_with_the_next_name_is_not_touched) {
  auto log = open();
  CAF_CHECK(!log->append(line_of(100)));
  write_file(segment(2), "not ours");
  CAF_CHECK(log->append("x\n") == std::errc::file_exists);
  CAF_CHECK_EQUAL(content_of(segment(2)), "not ours");
  std::filesystem::remove(segment(2));
  CAF_CHECK(!log->append("x\n"));
}

CAF_TEST(short_writes_are_continued) {
  files.longest_write = 3;
  auto log = open();
  CAF_CHECK(!log->append("0123456789\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "0123456789\n");
}

CAF_TEST(a_failed_write_leaves_the_log_as_it_was) {
  auto log = open();
  CAF_CHECK(!log->append("kept\n"));
  files.torn_writes = true;
  files.fault = [](file_call call) { return call == file_call::write ? ENOSPC : 0; };
  CAF_CHECK(log->append("one\ntwo\nthree\n") == std::errc::no_space_on_device);
  CAF_CHECK_EQUAL(content_of(segment(1)), "kept\n");
  CAF_CHECK(log->appended_position() == (segment_position{1, 5}));
  files.fault = nullptr;
  CAF_CHECK(!log->append("one\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "kept\none\n");
  CAF_CHECK_EQUAL(log->statistics().append_errors, 1u);
}

CAF_TEST(a_tail_that_could_not_be_cut_off_is_cut_off_before_the_next_append) {
  auto log = open();
  CAF_CHECK(!log->append("kept\n"));
  files.torn_writes = true;
  files.fault = [](file_call call) { return call == file_call::write || call == file_call::ftruncate ? EIO : 0; };
  CAF_CHECK(log->append("one\ntwo\nthree\n") == std::errc::io_error);
  CAF_CHECK_EQUAL(content_of(segment(1)), "kept\none\ntwo");
  files.fault = [](file_call call) { return call == file_call::ftruncate ? EIO : 0; };
  CAF_CHECK(log->append("no\n") == std::errc::io_error);
  CAF_CHECK_EQUAL(content_of(segment(1)), "kept\none\ntwo");
  files.fault = nullptr;
  CAF_CHECK(!log->append("again\n"));
  CAF_CHECK_EQUAL(content_of(segment(1)), "kept\nagain\n");
}

CAF_TEST(a_tail_that_could_not_be_cut_off_is_cut_off_at_the_end) {
  auto log = open();
  files.torn_writes = true;
  files.fault = [](file_call call) { return call == file_call::write || call == file_call::ftruncate ? EIO : 0; };
  CAF_CHECK(log->append("one\ntwo\n") == std::errc::io_error);
  files.fault = nullptr;
  CAF_CHECK(!log->close());
  CAF_CHECK_EQUAL(content_of(segment(1)), "");
}

CAF_TEST(a_closed_log_takes_nothing_and_closes_again_without_complaint) {
  auto log = open();
  CAF_CHECK(!log->append("x\n"));
  CAF_CHECK(!log->close());
  CAF_CHECK(log->append("y\n") == std::errc::bad_file_descriptor);
  CAF_CHECK(!log->commit());
  CAF_CHECK(!log->close());
  CAF_CHECK_EQUAL(content_of(segment(1)), "x\n");
}

CAF_TEST_FIXTURE_SCOPE_END()
