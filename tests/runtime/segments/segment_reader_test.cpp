#define CAF_SUITE segment_reader

#include "runtime/segments/segment_reader.hpp"

#include <sys/stat.h>

#include <atomic>
#include <random>
#include <thread>

#include "caf/test/dsl.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using line_list = std::vector<std::string>;

struct fixture {
  memory_directory dir;

  std::filesystem::path segment(std::uint64_t number) const { return dir / segment_file_name(number); }

  static line_list rest_of(segment_reader& reader) {
    line_list lines;
    while (auto line = reader.next()) lines.emplace_back(line->text);
    return lines;
  }
};

bool mentions(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  CAF_MESSAGE("not in: " << text);
  return false;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(segment_reader_tests, fixture)

CAF_TEST(lines_come_with_their_file_number_and_place) {
  write_file(segment(1), "a\n\nccc\n");
  write_file(segment(2), "d\n");
  segment_reader reader{{dir.path()}};
  struct expectation {
    std::string text;
    std::uint64_t segment, number, offset, end;
  };
  for (const auto& expected : {expectation{"a", 1, 1, 0, 2}, expectation{"", 1, 2, 2, 3},
                               expectation{"ccc", 1, 3, 3, 7}, expectation{"d", 2, 1, 0, 2}}) {
    const auto line = reader.next();
    CAF_REQUIRE(line);
    CAF_CHECK_EQUAL(std::string{line->text}, expected.text);
    CAF_CHECK_EQUAL(std::string{line->file}, segment(expected.segment).string());
    CAF_CHECK_EQUAL(line->number, expected.number);
    CAF_CHECK(line->begin == (segment_position{expected.segment, expected.offset}));
    CAF_CHECK(line->end() == (segment_position{expected.segment, expected.end}));
  }
  CAF_CHECK(!reader.next());
  CAF_CHECK(!reader.failure());
}

CAF_TEST(only_segments_of_a_directory_are_read_and_other_logs_are_named) {
  write_file(dir / "b.jsonl", "b\n");
  write_file(dir / "a.jsonl", "a\n");
  write_file(dir / "evidence-1.jsonl", "short\n");
  write_file(dir / "evidence-00000000000000000001.jsonl.bak", "backup\n");
  write_file(segment(1), "segment\n");
  write_file(dir / "evidence.json", "no\n");
  write_file(dir / ".lock", "4711\n");
  std::filesystem::create_directory(dir / "c.jsonl");
  std::filesystem::create_symlink(dir / "a.jsonl", segment(2));
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"segment"}));
  CAF_CHECK(
      (reader.other_files() == line_list{"a.jsonl", "b.jsonl", "c.jsonl", segment_file_name(2), "evidence-1.jsonl"}));
}

CAF_TEST(a_file_that_is_no_segment_does_not_end_what_a_follower_sees) {
  write_file(segment(1), "one\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"one"}));
  write_file(dir / "export.jsonl", "");
  write_file(dir / "zzz.jsonl", "");
  CAF_CHECK((rest_of(reader) == line_list{}));
  write_file(segment(2), "two\n");
  CAF_CHECK((rest_of(reader) == line_list{"two"}));
  add_to_file(segment(2), "three\n");
  CAF_CHECK((rest_of(reader) == line_list{"three"}));
}

CAF_TEST(segments_removed_before_they_were_read_are_named_where_they_are_missing) {
  write_file(segment(1), "one\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"one"}));
  // What lies in the open file is read although the file is gone.
  add_to_file(segment(1), "last of one\n");
  write_file(segment(5), "five\n");
  std::filesystem::remove(segment(1));
  auto line = reader.next();
  CAF_REQUIRE(line);
  CAF_CHECK_EQUAL(std::string{line->text}, "last of one");
  CAF_CHECK(!reader.take_skipped());
  line = reader.next();
  CAF_REQUIRE(line);
  CAF_CHECK_EQUAL(std::string{line->text}, "five");
  const auto skipped = reader.take_skipped();
  CAF_REQUIRE(skipped);
  CAF_CHECK_EQUAL(skipped->first, 2u);
  CAF_CHECK_EQUAL(skipped->last, 4u);
  CAF_CHECK(!reader.take_skipped());
  write_file(segment(6), "six\n");
  CAF_CHECK((rest_of(reader) == line_list{"six"}));
  CAF_CHECK(!reader.take_skipped());
}

CAF_TEST(a_log_that_begins_after_its_first_segment_has_nothing_missing_unless_it_was_asked_for) {
  write_file(segment(5), "five\n");
  segment_reader from_the_beginning{{dir.path()}};
  CAF_CHECK((rest_of(from_the_beginning) == line_list{"five"}));
  CAF_CHECK(!from_the_beginning.take_skipped());
  segment_reader from_a_place{dir.path(), {3, 17}};
  CAF_CHECK((rest_of(from_a_place) == line_list{"five"}));
  const auto skipped = from_a_place.take_skipped();
  CAF_REQUIRE(skipped);
  CAF_CHECK_EQUAL(skipped->first, 3u);
  CAF_CHECK_EQUAL(skipped->last, 4u);
}

CAF_TEST(sources_are_read_in_order_of_their_paths_and_once) {
  std::filesystem::create_directory(dir / "m");
  write_file(dir / "m" / segment_file_name(2), "m2\n");
  write_file(dir / "m" / segment_file_name(1), "m1\n");
  write_file(dir / "a.jsonl", "a\n");
  write_file(dir / "z", "z\n");
  segment_reader reader{{dir / "z", dir / "m", dir / "a.jsonl", dir / "z"}};
  CAF_CHECK((rest_of(reader) == line_list{"a", "m1", "m2", "z"}));
  add_to_file(dir / "z", "more\n");
  CAF_CHECK((rest_of(reader) == line_list{"more"}));
}

CAF_TEST(nothing_to_read_is_no_failure) {
  segment_reader none{std::vector<std::filesystem::path>{}};
  CAF_CHECK(!none.next());
  CAF_CHECK(!none.failure());
  segment_reader empty{{dir.path()}};
  CAF_CHECK(!empty.next());
  CAF_CHECK(!empty.failure());
  write_file(segment(1), "first\n");
  CAF_CHECK((rest_of(empty) == line_list{"first"}));
}

CAF_TEST(lines_are_whole_wherever_the_buffer_ends) {
  std::mt19937 random{7};
  std::uniform_int_distribution<std::size_t> length{0, 3000};
  for (std::size_t lead = 0; lead < 40; ++lead) {
    line_list expected{std::string(lead, 'l')};
    std::string content = expected.front() + "\n";
    while (content.size() < 800'000) {
      expected.emplace_back(length(random), static_cast<char>('a' + expected.size() % 26));
      content += expected.back() + "\n";
    }
    write_file(segment(1), content);
    segment_reader reader{{segment(1)}};
    CAF_CHECK(rest_of(reader) == expected);
  }
}

CAF_TEST(lines_that_exactly_fill_the_buffer_are_whole) {
  for (std::size_t length = (256 << 10) - 4; length < (256 << 10) + 4; ++length) {
    const std::string line(length, 'x');
    write_file(segment(1), line + "\n");
    add_to_file(segment(1), line + "\nend\n");
    segment_reader reader{{segment(1)}};
    CAF_CHECK((rest_of(reader) == line_list{line, line, "end"}));
  }
}

CAF_TEST(a_line_without_newline_waits_until_it_has_one) {
  write_file(segment(1), "whole\nbeing wri");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"whole"}));
  const auto tails = reader.unterminated_tails();
  CAF_REQUIRE_EQUAL(tails.size(), 1u);
  CAF_CHECK_EQUAL(tails[0].file, segment(1).string());
  CAF_CHECK_EQUAL(tails[0].number, 2u);
  CAF_CHECK_EQUAL(tails[0].offset, 6u);
  CAF_CHECK_EQUAL(tails[0].bytes, 9u);
  add_to_file(segment(1), "tten");
  CAF_CHECK(!reader.next());
  add_to_file(segment(1), "\nnext\n");
  CAF_CHECK((rest_of(reader) == line_list{"being written", "next"}));
  CAF_CHECK(reader.unterminated_tails().empty());
}

CAF_TEST(a_followed_directory_gives_new_lines_and_new_segments) {
  write_file(segment(1), "1\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"1"}));
  CAF_CHECK(!reader.next());
  add_to_file(segment(1), "2\n");
  CAF_CHECK((rest_of(reader) == line_list{"2"}));
  add_to_file(segment(1), "3\n");
  write_file(segment(2), "4\n");
  write_file(segment(3), "5\n");
  CAF_CHECK((rest_of(reader) == line_list{"3", "4", "5"}));
  write_file(segment(4), "");
  CAF_CHECK(!reader.next());
  add_to_file(segment(4), "6\n");
  CAF_CHECK((rest_of(reader) == line_list{"6"}));
}

CAF_TEST(a_torn_segment_left_behind_is_remembered) {
  write_file(segment(1), "1\ntorn");
  write_file(segment(2), "2\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"1", "2"}));
  const auto tails = reader.unterminated_tails();
  CAF_REQUIRE_EQUAL(tails.size(), 1u);
  CAF_CHECK_EQUAL(tails[0].file, segment(1).string());
  CAF_CHECK_EQUAL(tails[0].bytes, 4u);
}

CAF_TEST(segments_removed_before_they_were_read_are_passed_over) {
  for (std::uint64_t i = 1; i <= 4; ++i) write_file(segment(i), std::to_string(i) + "\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK(reader.next()->text == "1");
  for (std::uint64_t i = 1; i <= 3; ++i) std::filesystem::remove(segment(i));
  CAF_CHECK((rest_of(reader) == line_list{"4"}));
  CAF_CHECK(!reader.failure());
}

CAF_TEST(reading_begins_where_it_is_asked_to) {
  write_file(segment(1), "1\n");
  write_file(segment(2), "2a\n2b\n");
  write_file(segment(4), "4\n");
  const auto from = [&](segment_position start) {
    segment_reader reader{dir.path(), start};
    return rest_of(reader);
  };
  CAF_CHECK((from({}) == line_list{"1", "2a", "2b", "4"}));
  CAF_CHECK((from({1, 2}) == line_list{"2a", "2b", "4"}));
  CAF_CHECK((from({2, 0}) == line_list{"2a", "2b", "4"}));
  CAF_CHECK((from({2, 3}) == line_list{"2b", "4"}));
  CAF_CHECK((from({2, 6}) == line_list{"4"}));
  // The segment is gone: on to the next.
  CAF_CHECK((from({3, 5}) == line_list{"4"}));
  // No line begins there, so the file is another one: from its beginning.
  CAF_CHECK((from({2, 4}) == line_list{"2a", "2b", "4"}));
  CAF_CHECK((from({2, 70}) == line_list{"2a", "2b", "4"}));
  CAF_CHECK(from({5, 0}).empty());
}

CAF_TEST(lines_beyond_the_limit_are_left_for_later) {
  write_file(segment(1), "1\n2\n");
  write_file(segment(2), "3\n4\n");
  segment_reader reader{{dir.path()}};
  const auto up_to = [&](segment_position limit) {
    reader.stop_at(limit);
    return rest_of(reader);
  };
  CAF_CHECK(up_to({}).empty());
  CAF_CHECK((up_to({1, 2}) == line_list{"1"}));
  CAF_CHECK(up_to({1, 3}).empty());
  CAF_CHECK((up_to({1, 4}) == line_list{"2"}));
  CAF_CHECK(up_to({2, 0}).empty());
  CAF_CHECK((up_to({2, 2}) == line_list{"3"}));
  CAF_CHECK((up_to({9, 0}) == line_list{"4"}));
}

CAF_TEST(lines_the_log_took_back_never_make_half_a_line) {
  write_file(segment(1), "kept\ntaken back\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"kept", "taken back"}));
  std::filesystem::resize_file(segment(1), 5);
  CAF_CHECK(!reader.next());
  add_to_file(segment(1), "new\n");
  CAF_CHECK((rest_of(reader) == line_list{"new"}));
  // Shorter and longer again before we look.
  std::filesystem::resize_file(segment(1), 5);
  add_to_file(segment(1), "another one\n");
  CAF_CHECK((rest_of(reader) == line_list{"another one"}));
  std::filesystem::resize_file(segment(1), 0);
  CAF_CHECK(!reader.next());
  add_to_file(segment(1), "x\n");
  write_file(segment(2), "y\n");
  CAF_CHECK((rest_of(reader) == line_list{"x", "y"}));
}

CAF_TEST(a_half_written_line_that_was_taken_back_is_not_mixed_with_the_next) {
  write_file(segment(1), "kept\nhalf of a li");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"kept"}));
  std::filesystem::resize_file(segment(1), 5);
  add_to_file(segment(1), "something else altogether\n");
  CAF_CHECK((rest_of(reader) == line_list{"something else altogether"}));
}

CAF_TEST(a_line_may_be_as_long_as_promised_and_not_longer) {
  const std::string longest(segment_reader::longest_line, 'x');
  write_file(segment(1), "first\n" + longest + "\nlast\n");
  segment_reader reader{{dir.path()}};
  CAF_CHECK((rest_of(reader) == line_list{"first", longest, "last"}));
  for (std::string_view lead : {"", "first\n"}) {
    write_file(segment(1), std::string{lead} + longest + "x\nlast\n");
    segment_reader other{{dir.path()}};
    (void)rest_of(other);
    CAF_REQUIRE(other.failure());
    CAF_CHECK(other.failure()->code == std::errc::message_size);
    CAF_CHECK(mentions(other.failure()->explanation, segment(1).string()));
    CAF_CHECK(mentions(other.failure()->explanation, "is longer than 16777216 bytes"));
    CAF_CHECK(!other.next());
  }
}

CAF_TEST(what_cannot_be_read_is_a_failure_with_its_name) {
  segment_reader missing{{dir / "missing.jsonl"}};
  CAF_CHECK(!missing.next());
  CAF_REQUIRE(missing.failure());
  CAF_CHECK(missing.failure()->code == std::errc::no_such_file_or_directory);
  CAF_CHECK(mentions(missing.failure()->explanation, "missing.jsonl\" cannot be opened: No such file"));

  CAF_REQUIRE_EQUAL(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  segment_reader fifo{{dir / "fifo"}};
  CAF_CHECK(!fifo.next());
  CAF_REQUIRE(fifo.failure());
  CAF_CHECK(mentions(fifo.failure()->explanation, "fifo\" is not a regular file"));
}

CAF_TEST(a_follower_gets_every_line_once_while_the_log_is_written_rotated_and_removed) {
  enum class limit { committed, appended, none };
  for (auto limit_at : {limit::committed, limit::appended, limit::none}) {
    const auto policy = limit_at == limit::committed ? fsync_policy::interval : fsync_policy::never;
    const segment_log_options options{{dir / std::to_string(static_cast<int>(limit_at)), policy, 1ms, 100'000, 3000}};
    auto opening = segment_log::open(options);
    CAF_REQUIRE(opening.log);
    auto& log = *opening.log;
    log.retain_from(0);
    constexpr int count = 20'000;
    std::atomic<bool> give_up = false;
    std::thread writer{[&] {
      for (int i = 0; i < count && !give_up;) {
        // Refused while the reader is so far behind that the limit is reached.
        log.append("line " + std::to_string(i) + "\n") ? std::this_thread::yield() : void(++i);
      }
    }};
    segment_reader reader{options.dir, {}};
    const auto deadline = std::chrono::steady_clock::now() + 25s;
    int next = 0;
    int out_of_order = 0;
    while (next < count && out_of_order == 0 && std::chrono::steady_clock::now() < deadline) {
      if (limit_at == limit::committed) reader.stop_at(log.committed_position());
      if (limit_at == limit::appended) reader.stop_at(log.appended_position());
      while (auto line = reader.next()) {
        if (line->text != "line " + std::to_string(next)) ++out_of_order;
        ++next;
        log.retain_from(line->begin.segment);
      }
    }
    give_up = true;
    writer.join();
    CAF_CHECK_EQUAL(next, count);
    CAF_CHECK_EQUAL(out_of_order, 0);
    CAF_CHECK(!reader.failure());
    CAF_CHECK(log.statistics().segments_removed > 0);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
