#include "runtime/forwarding/evidence_source.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>

#include "runtime/evidence/segment_log.hpp"
#include "runtime/forwarding/forwarding_files.hpp"
#include "runtime/segments/segment_name.hpp"
#include "runtime/signing/sha256.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE evidence_source
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

using outcome = committed_log::outcome;

struct fixture {
  fixture() {
    std::filesystem::create_directory(dir / "log");
    write_segment(3, "one\ntwo\nthree\n");
    write_segment(4, "four\nfive\n");
  }
  void write_segment(std::uint64_t segment, const std::string& text) const {
    write_file(dir / "log" / segment_file_name(segment), text);
  }
  void remove_segment(std::uint64_t segment) const {
    std::filesystem::remove(dir / "log" / segment_file_name(segment));
  }
  std::string read(segment_position after, std::size_t most, segment_position from) {
    const auto reading = source.read(after, most);
    CAF_REQUIRE(reading.result == outcome::lines);
    CAF_CHECK(reading.batch.after == after);
    CAF_CHECK(reading.batch.from == from);
    return std::string{reading.batch.text};
  }

  temporary_directory dir;
  faulty_file_system files;
  segment_position limit{4, 10};
  evidence_source source{dir / "log", [this] { return limit; }, files};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(evidence_source_tests, fixture)

CAF_TEST(whole_lines_are_read_up_to_a_size_and_never_over_a_segments_end) {
  CAF_CHECK(source.first_kept() == (segment_position{3, 0}));
  CAF_CHECK_EQUAL(read({3, 0}, 7, {3, 0}), "one\n");
  CAF_CHECK_EQUAL(read({3, 0}, 8, {3, 0}), "one\ntwo\n");
  CAF_CHECK_EQUAL(read({3, 4}, 1000, {3, 4}), "two\nthree\n");
  CAF_CHECK_EQUAL(read({3, 14}, 1000, {4, 0}), "four\nfive\n");
  CAF_CHECK(source.read({4, 10}, 1000).result == outcome::at_end);
  // A line that is longer than asked for comes alone.
  CAF_CHECK_EQUAL(read({3, 8}, 2, {3, 8}), "three\n");
  const auto counted = source.read({3, 0}, 1000);
  CAF_CHECK_EQUAL(counted.batch.line_count, 3u);
}

CAF_TEST(a_log_is_read_from_its_beginning_where_nothing_was_read_yet) {
  CAF_CHECK_EQUAL(read({}, 1000, {3, 0}), "one\ntwo\nthree\n");
}

CAF_TEST(what_is_not_committed_is_not_there) {
  limit = {3, 8};
  CAF_CHECK_EQUAL(read({3, 0}, 1000, {3, 0}), "one\ntwo\n");
  CAF_CHECK(source.read({3, 8}, 1000).result == outcome::at_end);
  CAF_CHECK(!source.hash_before({3, 14}));
  CAF_CHECK(!source.hash_before({4, 5}));
  limit = {};
  CAF_CHECK(source.read({3, 0}, 1000).result == outcome::at_end);
}

CAF_TEST(a_hash_is_of_the_line_that_ends_there_and_of_no_other_place) {
  CAF_CHECK(source.hash_before({3, 8}) == sha256::of("two\n"));
  CAF_CHECK(source.hash_before({3, 4}) == sha256::of("one\n"));
  CAF_CHECK(source.hash_before({4, 10}) == sha256::of("five\n"));
  for (const segment_position none : {segment_position{3, 5}, {3, 0}, {3, 15}, {2, 4}, {5, 4}, {0, 0}}) {
    CAF_CHECK(!source.hash_before(none));
  }
}

CAF_TEST(lines_that_retention_took_are_gone) {
  remove_segment(3);
  CAF_CHECK(source.read({3, 4}, 1000).result == outcome::gone);
  CAF_CHECK(source.first_kept() == (segment_position{4, 0}));
  CAF_CHECK_EQUAL(read({4, 0}, 1000, {4, 0}), "four\nfive\n");
}

CAF_TEST(a_segment_that_was_removed_while_it_was_read_is_read_to_its_end) {
  CAF_CHECK_EQUAL(read({3, 0}, 5, {3, 0}), "one\n");
  remove_segment(3);
  CAF_CHECK_EQUAL(read({3, 4}, 1000, {3, 4}), "two\nthree\n");
  CAF_CHECK_EQUAL(read({3, 14}, 1000, {4, 0}), "four\nfive\n");
}

CAF_TEST(a_read_that_fails_is_a_failure_and_the_next_may_do) {
  files.fault = [](file_call call) { return call == file_call::pread ? EIO : 0; };
  CAF_CHECK(source.read({3, 0}, 1000).result == outcome::failed);
  CAF_CHECK(source.failure() == std::errc::io_error);
  files.fault = nullptr;
  CAF_CHECK_EQUAL(read({3, 0}, 1000, {3, 0}), "one\ntwo\nthree\n");
  write_segment(4, std::string(node_limits::largest_batch + 1, 'x') + "\n");
  limit = {4, node_limits::largest_batch + 2};
  CAF_CHECK(source.read({4, 0}, 1000).result == outcome::failed);
}

CAF_TEST(the_committed_part_of_a_real_log_is_all_of_it_in_order) {
  auto log = segment_log::open({{dir / "real", fsync_policy::always, std::chrono::hours{1}, 1 << 20, 100}}).log;
  CAF_REQUIRE(log);
  evidence_source reader{dir / "real", [&] { return log->committed_position(); }};
  std::string written;
  std::string read;
  segment_position at;
  for (int i = 0; i < 50; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    CAF_REQUIRE(!log->append(line));
    written += line;
    for (auto reading = reader.read(at, 64); reading.result == outcome::lines; reading = reader.read(at, 64)) {
      read += reading.batch.text;
      at = reading.batch.end();
      CAF_CHECK(reader.hash_before(at) == sha256::of(line));
    }
  }
  CAF_CHECK_EQUAL(read, written);
  CAF_CHECK(at.segment > 3);
}

CAF_TEST(a_log_has_one_id_for_good) {
  const auto first = read_or_make_log_id(dir.path());
  CAF_CHECK(!first.failure);
  CAF_CHECK(first.id != node_log_id{});
  CAF_CHECK(read_or_make_log_id(dir.path()).id == first.id);
  CAF_CHECK(read_or_make_log_id(dir / "log").id != first.id);
  for (const char* const damaged : {"", "00", "0001abff00000000000000000000000g\n"}) {
    write_file(dir / "log-id", damaged);
    CAF_CHECK(read_or_make_log_id(dir.path()).failure == std::errc::illegal_byte_sequence);
  }
}

CAF_TEST(a_log_id_that_cannot_be_made_durable_is_a_failure) {
  for (const auto failing : {file_call::write, file_call::fdatasync, file_call::rename, file_call::fsync}) {
    temporary_directory other;
    faulty_file_system faulty;
    faulty.fault = [failing](file_call call) { return call == failing ? EIO : 0; };
    CAF_CHECK(read_or_make_log_id(other.path(), faulty).failure == std::errc::io_error);
  }
}

CAF_TEST(a_mark_is_read_as_it_was_written_or_not_at_all) {
  CAF_CHECK(!read_mark(dir.path()));
  const forwarding_mark mark{{7, 4711}, "tls://collector-a:4000"};
  CAF_CHECK(!write_mark(dir.path(), mark));
  CAF_CHECK(read_mark(dir.path()) == mark);
  for (const char* const damaged : {"", "7 4711", "7 4711 ", "7 4711 \n", "7 x a\n", "7 4711 a\nb\n", "-7 4711 a\n"}) {
    write_file(dir / "forwarded-to", damaged);
    CAF_CHECK(!read_mark(dir.path()));
  }
}

CAF_TEST(bytes_between_two_places_are_those_of_the_segments_that_are_there) {
  CAF_CHECK_EQUAL(source.bytes_between({3, 4}, {3, 8}), 4u);
  CAF_CHECK_EQUAL(source.bytes_between({3, 4}, {4, 5}), 10u + 5u);
  CAF_CHECK_EQUAL(source.bytes_between({4, 5}, {3, 4}), 0u);
  write_segment(5, "six\n");
  CAF_CHECK_EQUAL(source.bytes_between({3, 0}, {5, 4}), 14u + 10u + 4u);
  remove_segment(3);
  CAF_CHECK_EQUAL(source.bytes_between({3, 4}, {5, 4}), 10u + 4u);
}

CAF_TEST_FIXTURE_SCOPE_END()
