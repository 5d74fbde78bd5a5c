#define CAF_SUITE segment_log_room

#include <atomic>
#include <thread>

#include "caf/test/dsl.hpp"
#include "runtime/evidence/segment_log.hpp"
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
  segment_log_options options{{dir / "log", fsync_policy::never, 1h, 800, 100}};
  std::atomic<int> woken{0};

  std::unique_ptr<segment_log> open() {
    auto opening = segment_log::open(options, files);
    if (!opening.log) CAF_FAIL(opening.refusal);
    return std::move(opening.log);
  }
  bool exists(std::uint64_t number) const { return std::filesystem::exists(options.dir / segment_file_name(number)); }
  void leave_removal(segment_log& log) {
    log.leave_removal([this] { ++woken; });
  }
};

std::string line_of(std::size_t bytes) { return std::string(bytes - 1, 'x') + "\n"; }

std::error_code append_elsewhere(segment_log& log, const std::string& lines) {
  std::error_code outcome;
  std::thread{[&] { outcome = log.append(lines); }}.join();
  return outcome;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(segment_log_room_tests, fixture)

CAF_TEST(room_is_asked_for_before_it_is_needed_and_nothing_goes_by_itself) {
  auto log = open();
  leave_removal(*log);
  // A hundred of eight are kept in reserve, and as much is the headroom.
  for (int i = 0; i < 6; ++i) CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  CAF_CHECK_EQUAL(woken.load(), 0);
  CAF_CHECK(!log->due_for_removal());
  CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  CAF_CHECK_EQUAL(woken.load(), 1);
  CAF_CHECK(exists(1));
  CAF_CHECK(log->due_for_removal() == (segment_range{1, 1}));
  // More where to say so takes more than one would give.
  CAF_CHECK(log->due_for_removal(150) == (segment_range{1, 3}));
  // Refused rather than removed, and nobody waits.
  CAF_CHECK(append_elsewhere(*log, line_of(100)) == evidence_errc::limit_reached);
  CAF_CHECK(exists(1));
  CAF_CHECK(!log->remove_up_to(1));
  CAF_CHECK(!exists(1));
  CAF_CHECK_EQUAL(log->statistics().segments_removed, 1u);
  CAF_CHECK(!append_elsewhere(*log, line_of(100)));
}

CAF_TEST(a_removal_is_put_on_record_whatever_the_limit_says) {
  auto log = open();
  leave_removal(*log);
  for (int i = 0; i < 7; ++i) CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  CAF_CHECK(append_elsewhere(*log, line_of(10)) == evidence_errc::limit_reached);
  CAF_CHECK(!log->append_from_reserve(line_of(300), {}));
  CAF_CHECK(log->due_for_removal() == (segment_range{1, 1}));
}

CAF_TEST(segments_still_needed_are_not_due) {
  auto log = open();
  leave_removal(*log);
  log->retain_from(1);
  for (int i = 0; i < 7; ++i) CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  CAF_CHECK(!log->due_for_removal());
  log->retain_from(2);
  CAF_CHECK(log->due_for_removal() == (segment_range{1, 1}));
}

CAF_TEST(who_waits_for_room_goes_on_when_there_is_some) {
  auto log = open();
  leave_removal(*log);
  for (int i = 0; i < 7; ++i) CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  const int asked = woken;
  std::error_code outcome = std::make_error_code(std::errc::interrupted);
  std::thread waiting{[&] {
    log->await_room(200);
    outcome = log->append(line_of(200));
  }};
  // As the remover's thread: it hears that there is something to do.
  while (woken == asked) std::this_thread::yield();
  while (const auto due = log->due_for_removal()) CAF_CHECK(!log->remove_up_to(due->last));
  waiting.join();
  CAF_CHECK(!exists(2));
  CAF_CHECK(!outcome);
}

CAF_TEST(nobody_waits_for_what_never_fits_or_where_nobody_removes) {
  auto log = open();
  log->await_room(1 << 20);
  leave_removal(*log);
  for (int i = 0; i < 7; ++i) CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  const auto began = std::chrono::steady_clock::now();
  std::thread{[&] { log->await_room(801); }}.join();
  CAF_CHECK(std::chrono::steady_clock::now() - began < 900ms);
  log->take_removal_back();
  CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  CAF_CHECK(!append_elsewhere(*log, line_of(100)));
  CAF_CHECK(!exists(1));
}

CAF_TEST(before_anybody_is_there_to_put_it_on_record_nothing_is_removed) {
  options.removal = removal_policy::on_record;
  auto log = open();
  for (int i = 0; i < 8; ++i) CAF_CHECK(!log->append(line_of(100)));
  // The limit does not hold, or a start over a full log could not put itself on record.
  CAF_CHECK(!log->append(line_of(1)));
  CAF_CHECK(exists(1));
  leave_removal(*log);
  CAF_CHECK(log->due_for_removal().has_value());
  CAF_CHECK(!log->remove_up_to(3));
  // Nothing goes behind its back either.
  log->take_removal_back();
  for (int i = 0; i < 4; ++i) CAF_CHECK(!log->append(line_of(100)));
  CAF_CHECK(exists(4));
}

CAF_TEST(what_one_append_may_bring_always_fits_after_a_removal) {
  auto log = open();
  leave_removal(*log);
  CAF_CHECK_EQUAL(log->largest_append(), 350u);
  for (int i = 0; i < 20; ++i) {
    const auto lines = line_of(log->largest_append());
    if (append_elsewhere(*log, lines)) {
      const auto due = log->due_for_removal();
      CAF_REQUIRE(due);
      CAF_CHECK(!log->remove_up_to(due->last));
      CAF_CHECK(!append_elsewhere(*log, lines));
    }
    CAF_CHECK(log->statistics().bytes_on_disk <= 700u);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
