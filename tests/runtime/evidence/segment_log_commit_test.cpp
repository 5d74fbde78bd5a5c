#define CAF_SUITE segment_log_commit

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "caf/test/dsl.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/segments/segment_reader.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr auto test_timeout = 20s;

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  segment_log_options options{{dir / "log", fsync_policy::always, 1h, 1 << 20, 1 << 16}};

  std::unique_ptr<segment_log> open() {
    auto opening = segment_log::open(options, files);
    if (!opening.log) CAF_FAIL(opening.refusal);
    return std::move(opening.log);
  }

  std::vector<std::string> lines() const {
    segment_reader reader{{options.dir}};
    std::vector<std::string> all;
    while (auto line = reader.next()) all.emplace_back(line->text);
    return all;
  }
};

/// Holds the first fdatasync after arm() until `writes` writes have been made.
class commit_gate {
 public:
  commit_gate(int writes, int outcome) : writes_(writes), outcome_(outcome) {}

  int operator()(file_call call) {
    std::unique_lock guard{mutex_};
    if (call == file_call::write) {
      ++seen_;
      changed_.notify_all();
    }
    if (call != file_call::fdatasync || passed_) return 0;
    passed_ = true;
    changed_.wait_for(guard, test_timeout, [&] { return seen_ >= writes_; });
    return outcome_;
  }

 private:
  int writes_;
  int outcome_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int seen_ = 0;
  bool passed_ = false;
};

/// What each of `count` threads gets for its one line.
std::vector<std::error_code> append_together(segment_log& log, int count) {
  std::vector<std::error_code> outcomes(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  threads.reserve(outcomes.size());
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&log, &outcome = outcomes[static_cast<std::size_t>(i)], line = std::to_string(i) + "\n"] {
      outcome = log.append(line);
    });
  }
  for (auto& thread : threads) thread.join();
  return outcomes;
}

/// Another thread's doing, for which there is nothing to wait on.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + test_timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(segment_log_commit_tests, fixture)

CAF_TEST(an_append_with_always_is_committed_when_it_returns) {
  auto log = open();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    CAF_CHECK(!log->append("x\n"));
    CAF_CHECK(log->committed_position() == (segment_position{1, 2 * i}));
    CAF_CHECK_EQUAL(log->statistics().commits, i);
  }
}

CAF_TEST(what_an_earlier_process_did_not_commit_is_committed_at_the_start) {
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    options.dir = dir / std::to_string(static_cast<int>(policy));
    std::filesystem::create_directory(options.dir);
    write_file(options.dir / segment_file_name(1), "uncommitted\n");
    options.fsync = policy;
    const auto before = files.data_syncs.load();
    auto log = open();
    CAF_CHECK_EQUAL(files.data_syncs - before, policy == fsync_policy::never ? 0u : 1u);
    CAF_CHECK(log->committed_position() ==
              (policy == fsync_policy::never ? segment_position{} : segment_position{1, 12}));
  }
  std::filesystem::create_directory(dir / "log");
  write_file(dir / "log" / segment_file_name(1), "uncommitted\n");
  files.fault = [](file_call call) { return call == file_call::fdatasync ? EIO : 0; };
  auto opening = segment_log::open({{dir / "log", fsync_policy::always}}, files);
  CAF_CHECK(opening.log == nullptr);
  CAF_CHECK(opening.refusal.find("cannot be continued: Input/output error") != std::string::npos);
}

CAF_TEST(appends_that_come_together_share_one_commit) {
  auto log = open();
  commit_gate gate{8, 0};
  files.fault = std::ref(gate);
  files.data_syncs = 0;
  for (auto outcome : append_together(*log, 8)) CAF_CHECK(!outcome);
  // The leader's own, and one for the seven that came while it was under way.
  CAF_CHECK_EQUAL(files.data_syncs.load(), 2u);
  CAF_CHECK(log->committed_position() == (segment_position{1, 16}));
  CAF_CHECK_EQUAL(lines().size(), 8u);
}

CAF_TEST(a_failed_commit_fails_every_append_it_might_have_covered_and_takes_their_lines_back) {
  auto log = open();
  CAF_CHECK(!log->append("kept\n"));
  commit_gate gate{8, EIO};
  files.fault = std::ref(gate);
  for (auto outcome : append_together(*log, 8)) CAF_CHECK(outcome == std::errc::io_error);
  CAF_CHECK(log->appended_position() == (segment_position{1, 5}));
  CAF_CHECK(log->committed_position() == (segment_position{1, 5}));
  CAF_CHECK(lines() == std::vector<std::string>{"kept"});
  CAF_CHECK_EQUAL(log->statistics().append_errors, 8u);
  CAF_CHECK_EQUAL(log->statistics().commit_errors, 1u);
  CAF_CHECK_EQUAL(log->statistics().bytes_in_doubt, 0u);
  for (auto outcome : append_together(*log, 8)) CAF_CHECK(!outcome);
  CAF_CHECK(log->committed_position() == (segment_position{2, 16}));
  CAF_CHECK_EQUAL(lines().size(), 9u);
}

CAF_TEST(commits_that_always_fail_do_not_litter) {
  auto log = open();
  files.fault = [](file_call call) { return call == file_call::fdatasync ? EIO : 0; };
  for (int i = 0; i < 100; ++i) CAF_CHECK(log->append("x\n") == std::errc::io_error);
  CAF_CHECK_EQUAL(log->statistics().segments, 1u);
  files.fault = nullptr;
  CAF_CHECK(!log->append("x\n"));
  CAF_CHECK(lines() == std::vector<std::string>{"x"});
}

CAF_TEST(concurrent_appenders_keep_their_own_order_across_segments) {
  std::atomic<int> syncing = 0;
  std::atomic<bool> rotated_under_a_commit = false;
  files.fault = [&](file_call call) {
    if (call == file_call::open && syncing > 0) rotated_under_a_commit = true;
    if (call == file_call::fdatasync) {
      ++syncing;
      for (int i = 0; i < 3; ++i) std::this_thread::yield();
      --syncing;
    }
    return 0;
  };
  constexpr int appenders = 6;
  constexpr int each = 200;
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    options.dir = dir / std::to_string(static_cast<int>(policy));
    options.fsync = policy;
    options.fsync_interval = 1us;
    options.segment_bytes = 500;
    auto log = open();
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    threads.reserve(appenders);
    for (int appender = 0; appender < appenders; ++appender) {
      threads.emplace_back([&, appender] {
        for (int i = 0; i < each; ++i) {
          const auto line = std::to_string(appender) + " " + std::to_string(1000 + i) + "\n";
          if (log->append(line + line)) ++failures;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CAF_CHECK_EQUAL(failures.load(), 0);
    CAF_CHECK(!rotated_under_a_commit);
    CAF_CHECK(!log->close());
    const auto end = log->appended_position();
    CAF_CHECK(log->committed_position() == (policy == fsync_policy::never ? segment_position{} : end));
    auto all = lines();
    CAF_CHECK_EQUAL(all.size(), std::size_t{2 * appenders * each});
    const auto same_appender = [](const auto& a, const auto& b) { return a.front() < b.front(); };
    std::ranges::stable_sort(all, same_appender);
    CAF_CHECK(std::ranges::is_sorted(all));
  }
}

CAF_TEST(with_interval_a_thread_commits_without_being_asked) {
  options.fsync = fsync_policy::interval;
  options.fsync_interval = 1ms;
  auto log = open();
  for (int i = 0; i < 3; ++i) {
    CAF_CHECK(!log->append("x\n"));
    CAF_CHECK(eventually([&] { return log->committed_position() == log->appended_position(); }));
  }
  CAF_CHECK(log->statistics().commits >= 3u);
}

CAF_TEST(with_interval_nothing_is_committed_before_its_time) {
  options.fsync = fsync_policy::interval;
  auto log = open();
  CAF_CHECK(!log->append("x\n"));
  CAF_CHECK(log->committed_position() == (segment_position{1, 0}));
  CAF_CHECK(log->appended_position() == (segment_position{1, 2}));
  CAF_CHECK(!log->commit());
  CAF_CHECK(log->committed_position() == (segment_position{1, 2}));
  CAF_CHECK(!log->commit());
  CAF_CHECK_EQUAL(log->statistics().commits, 1u);
}

CAF_TEST(with_interval_a_failed_commit_is_reported_once_and_the_log_goes_on_in_a_new_segment) {
  options.fsync = fsync_policy::interval;
  auto log = open();
  CAF_CHECK(!log->append("certain\n"));
  CAF_CHECK(!log->commit());
  CAF_CHECK(!log->append("doubtful\n"));
  files.fault = [](file_call call) { return call == file_call::fdatasync ? EIO : 0; };
  CAF_CHECK(log->commit() == std::errc::io_error);
  files.fault = nullptr;
  CAF_CHECK_EQUAL(log->statistics().commit_errors, 1u);
  CAF_CHECK_EQUAL(log->statistics().bytes_in_doubt, 9u);
  CAF_CHECK(log->committed_position() == (segment_position{1, 8}));
  CAF_CHECK(log->append("next\n") == std::errc::io_error);
  CAF_CHECK(!log->append("next\n"));
  CAF_CHECK(log->committed_position() == (segment_position{1, 8}));
  CAF_CHECK(!log->commit());
  CAF_CHECK(log->committed_position() == (segment_position{2, 5}));
  CAF_CHECK((lines() == std::vector<std::string>{"certain", "doubtful", "next"}));
}

CAF_TEST(with_interval_the_threads_failure_reaches_the_next_append) {
  options.fsync = fsync_policy::interval;
  options.fsync_interval = 1ms;
  auto log = open();
  std::atomic<bool> broken = true;
  files.fault = [&](file_call call) { return call == file_call::fdatasync && broken ? EIO : 0; };
  CAF_CHECK(!log->append("doubtful\n"));
  CAF_CHECK(eventually([&] { return log->statistics().commit_errors == 1; }));
  broken = false;
  CAF_CHECK(log->append("next\n") == std::errc::io_error);
  CAF_CHECK(!log->append("next\n"));
  CAF_CHECK((lines() == std::vector<std::string>{"doubtful", "next"}));
}

CAF_TEST(with_interval_a_failure_at_the_end_is_reported_by_close) {
  options.fsync = fsync_policy::interval;
  auto log = open();
  CAF_CHECK(!log->append("doubtful\n"));
  files.fault = [](file_call call) { return call == file_call::fdatasync ? EIO : 0; };
  CAF_CHECK(log->close() == std::errc::io_error);
  CAF_CHECK_EQUAL(log->statistics().bytes_in_doubt, 9u);
}

CAF_TEST(with_interval_a_segment_is_committed_before_the_next_begins) {
  options.fsync = fsync_policy::interval;
  options.segment_bytes = 4;
  auto log = open();
  for (int i = 0; i < 3; ++i) CAF_CHECK(!log->append("xyz\n"));
  CAF_CHECK(log->committed_position() == (segment_position{3, 0}));
}

CAF_TEST(with_never_the_disk_is_waited_for_only_at_the_end) {
  options.fsync = fsync_policy::never;
  options.segment_bytes = 4;
  auto log = open();
  for (int i = 0; i < 3; ++i) CAF_CHECK(!log->append("xyz\n"));
  CAF_CHECK(!log->commit());
  CAF_CHECK_EQUAL(files.data_syncs.load(), 0u);
  CAF_CHECK(!log->close());
  CAF_CHECK_EQUAL(files.data_syncs.load(), 1u);
  CAF_CHECK(log->committed_position() == segment_position{});
}

CAF_TEST(statistics_do_not_wait_for_the_disk) {
  auto log = open();
  std::mutex mutex;
  std::condition_variable changed;
  bool in_commit = false;
  bool may_return = false;
  files.fault = [&](file_call call) {
    if (call != file_call::fsync) return 0;
    std::unique_lock guard{mutex};
    in_commit = true;
    changed.notify_all();
    changed.wait_for(guard, test_timeout, [&] { return may_return; });
    return 0;
  };
  CAF_CHECK(!log->append(std::string(static_cast<std::size_t>(options.segment_bytes) - 1, 'x') + "\n"));
  // Rotation syncs the directory and holds the log's own lock meanwhile.
  std::thread appender{[&] { (void)log->append("y\n"); }};
  {
    std::unique_lock guard{mutex};
    CAF_CHECK(changed.wait_for(guard, test_timeout, [&] { return in_commit; }));
  }
  CAF_CHECK_EQUAL(log->statistics().bytes_on_disk, options.segment_bytes);
  CAF_CHECK(log->committed_position() == (segment_position{1, options.segment_bytes}));
  {
    std::lock_guard guard{mutex};
    may_return = true;
    changed.notify_all();
  }
  appender.join();
  CAF_CHECK(log->committed_position() == (segment_position{2, 2}));
}

CAF_TEST_FIXTURE_SCOPE_END()
