#define CAF_SUITE segment_log_faults

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "caf/test/dsl.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using line_list = std::vector<std::string>;

line_list lines_in(const std::filesystem::path& dir) {
  std::error_code failure;
  line_list all;
  for (const auto& segment : list_segments(dir, failure)) {
    std::ifstream file{dir / segment_file_name(segment.segment)};
    for (std::string line; std::getline(file, line);) all.push_back(line + (file.eof() ? " without newline" : ""));
  }
  if (failure) CAF_FAIL("cannot list " << dir.string());
  return all;
}

/// The n-th batch of the workload: one to four lines of different lengths.
line_list batch_of(std::size_t n) {
  line_list batch;
  for (std::size_t i = 0; i <= n % 4; ++i) {
    batch.push_back("{\"batch\":" + std::to_string(n) + ",\"line\":" + std::to_string(i) + "}" +
                    std::string(n * 7 % 23, '.'));
  }
  return batch;
}

std::string joined(const line_list& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

bool is_prefix(const line_list& part, const line_list& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

bool is_suffix(const line_list& part, const line_list& whole) {
  return part.size() <= whole.size() && std::equal(part.rbegin(), part.rend(), whole.rbegin());
}

/// Of the workload.
constexpr std::size_t batches = 12;

constexpr std::uint64_t keep_all = 1 << 20;

struct fault_style {
  fsync_policy policy;
  int calls_in_a_row;
  bool torn_writes;
  std::uint64_t max_bytes;
};

/// One run of the workload in which the calls from `first` on fail, as many as the style says.
class fault_run {
 public:
  fault_run(const fault_style& style, int first) : style_(style), first_(first) {
    files_.torn_writes = style.torn_writes;
    files_.fault = [this](file_call) {
      ++calls_;
      const bool strikes = calls_ >= first_ && calls_ < first_ + style_.calls_in_a_row;
      struck_ |= strikes;
      return strikes ? EIO : 0;
    };
  }

  /// False if the fault came too late to strike.
  bool passes_the_fault() {
    auto log = open();
    for (std::size_t n = 0; n < batches; ++n) {
      append(*log, batch_of(n));
      if (n % 5 == 4) (void)log->commit();
    }
    (void)log->close();
    log.reset();
    check_content();
    files_.fault = nullptr;
    log = open();
    append(*log, {"after the faults"});
    if (log->close()) CAF_FAIL("close fails after the faults");
    check_content();
    return struck_;
  }

 private:
  std::unique_ptr<segment_log> open() {
    for (int attempt = 0; attempt <= style_.calls_in_a_row; ++attempt) {
      auto opening = segment_log::open({{dir_ / "log", style_.policy, 1h, style_.max_bytes, 200}}, files_);
      if ((opening.log == nullptr) != !opening.refusal.empty()) CAF_FAIL("neither a log nor a refusal");
      if (opening.recovered) CAF_FAIL("something torn was left behind");
      if (opening.log) return std::move(opening.log);
    }
    CAF_FAIL("the log cannot be opened after the fault");
    return nullptr;
  }

  void append(segment_log& log, const line_list& batch) {
    for (int attempt = 0; attempt <= style_.calls_in_a_row; ++attempt) {
      if (!log.append(joined(batch))) {
        expected_.insert(expected_.end(), batch.begin(), batch.end());
        check_content();
        return;
      }
      if (!struck_) CAF_FAIL("an append fails without a fault");
      // A second fault may keep the log from cleaning up after the first; it does so before the next append.
      if (style_.calls_in_a_row == 1) check_content();
    }
    CAF_FAIL("the log takes no lines after the fault");
  }

  void check_content() {
    const auto found = lines_in(dir_ / "log");
    const auto bytes = joined(found).size();
    // What was removed had to be: with the oldest segment left there was no room for a batch.
    const bool holds = style_.max_bytes == keep_all ? found == expected_
                                                    : is_suffix(found, expected_) && bytes <= style_.max_bytes &&
                                                          (found == expected_ || bytes + 400 > style_.max_bytes);
    if (holds) return;
    CAF_FAIL("policy " << static_cast<int>(style_.policy) << ", call " << first_ << " and " << style_.calls_in_a_row - 1
                       << " more fail, torn " << style_.torn_writes << ": found\n"
                       << joined(found) << "expected\n"
                       << joined(expected_));
  }

  fault_style style_;
  int first_;
  memory_directory dir_;
  faulty_file_system files_;
  int calls_ = 0;
  bool struck_ = false;
  line_list expected_;
};

int sweep(const fault_style& style) {
  int first = 1;
  while (fault_run{style, first}.passes_the_fault()) ++first;
  return first - 1;
}

/// A disk that loses what was not synced: files from the last fdatasync on, directory entries from the last fsync on.
class forgetful_file_system final : public faulty_file_system {
 public:
  int open(const char* path, int flags, mode_t mode) override {
    const int fd = faulty_file_system::open(path, flags, mode);
    if (fd >= 0 && segment_of(std::filesystem::path{path}.filename().native())) {
      paths_[fd] = path;
      states_.try_emplace(path);
    }
    return fd;
  }
  int fdatasync(int fd) override {
    const int result = faulty_file_system::fdatasync(fd);
    if (result == 0) states_[paths_[fd]].durable_bytes = real_.file_size(fd);
    return result;
  }
  int fsync(int fd) override {
    const int result = faulty_file_system::fsync(fd);
    if (result == 0) {
      for (auto& [path, state] : states_) state.entry_durable = true;
    }
    return result;
  }

  void lose_power(std::mt19937& random) const {
    for (const auto& [path, state] : states_) {
      if (!state.entry_durable) {
        std::filesystem::remove(path);
        continue;
      }
      const auto bytes = static_cast<off_t>(std::filesystem::file_size(path));
      std::uniform_int_distribution<off_t> left{std::min(state.durable_bytes, bytes), bytes};
      std::filesystem::resize_file(path, static_cast<std::uintmax_t>(left(random)));
    }
  }

 private:
  struct durability {
    off_t durable_bytes = 0;
    bool entry_durable = false;
  };

  std::map<int, std::string> paths_;
  std::map<std::string, durability> states_;
};

/// Runs the workload until power is lost at call `last`, and again on what is left. False if it ended before.
bool power_is_lost_at(int last, fsync_policy policy) {
  memory_directory dir;
  forgetful_file_system files;
  int calls = 0;
  files.fault = [&](file_call) { return ++calls >= last ? EIO : 0; };
  files.torn_writes = true;
  const segment_log_options options{{dir / "log", policy, 1h, 1 << 20, 200}};
  line_list tried;
  line_list durable;
  if (auto opening = segment_log::open(options, files); opening.log) {
    for (std::size_t n = 0; n < batches; ++n) {
      const auto batch = batch_of(n);
      tried.insert(tried.end(), batch.begin(), batch.end());
      if (opening.log->append(joined(batch))) break;
      if (policy == fsync_policy::always || (n % 3 == 2 && !opening.log->commit())) durable = tried;
    }
  }
  const bool lost = calls >= last;
  std::mt19937 random{static_cast<unsigned>(last)};
  files.lose_power(random);

  auto opening = segment_log::open(options);
  CAF_REQUIRE(opening.log);
  const auto found = lines_in(options.dir);
  CAF_CHECK(is_prefix(durable, found));
  CAF_CHECK(is_prefix(found, tried));
  CAF_CHECK(!opening.log->append("after\n"));
  opening.log.reset();
  CAF_CHECK_EQUAL(lines_in(options.dir).size(), found.size() + 1);
  return lost;
}

/// A file system of its own, so small that it is soon full.
class small_tmpfs {
 public:
  explicit small_tmpfs(std::filesystem::path at) : at_(std::move(at)) {
    std::filesystem::create_directory(at_);
    mounted_ = ::geteuid() == 0 && ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  small_tmpfs(const small_tmpfs&) = delete;
  small_tmpfs& operator=(const small_tmpfs&) = delete;
  ~small_tmpfs() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }

  explicit operator bool() const { return mounted_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

}  // namespace

CAF_TEST(whichever_call_fails_the_log_holds_what_was_appended_and_goes_on) {
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    for (int in_a_row : {1, 2}) {
      for (bool torn : {false, true}) CAF_CHECK(sweep({policy, in_a_row, torn, keep_all}) > 30);
    }
  }
}

CAF_TEST(whichever_call_fails_retention_removes_no_more_than_it_must) {
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    for (int in_a_row : {1, 3}) CAF_CHECK(sweep({policy, in_a_row, true, 800}) > 30);
  }
}

CAF_TEST(no_signal_that_interrupts_a_call_is_noticed) {
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    int last = 0;
    bool interrupted = true;
    for (int first = 1; interrupted; ++first) {
      memory_directory dir;
      faulty_file_system files;
      int calls = 0;
      files.fault = [&](file_call) { return ++calls == first ? EINTR : 0; };
      line_list expected;
      {
        auto opening = segment_log::open({{dir / "log", policy, 1h, 800, 200}}, files);
        CAF_REQUIRE(opening.log);
        for (std::size_t n = 0; n < batches; ++n) {
          const auto batch = batch_of(n);
          expected.insert(expected.end(), batch.begin(), batch.end());
          if (opening.log->append(joined(batch))) CAF_FAIL("call " << first << " was interrupted");
        }
        CAF_CHECK(!opening.log->close());
      }
      CAF_CHECK(is_suffix(lines_in(dir / "log"), expected));
      interrupted = calls >= first;
      last = first;
    }
    CAF_CHECK(last > 30);
  }
}

CAF_TEST(whenever_power_is_lost_committed_lines_survive) {
  for (auto policy : {fsync_policy::always, fsync_policy::interval}) {
    int last = 1;
    while (power_is_lost_at(last, policy)) ++last;
    CAF_CHECK(last > 30);
  }
}

CAF_TEST(a_full_disk_refuses_batches_whole_and_takes_them_again_when_there_is_space) {
  memory_directory dir;
  const small_tmpfs disk{dir / "disk"};
  if (!disk) {
    CAF_MESSAGE("skipped: mounting a small tmpfs takes root and CAP_SYS_ADMIN");
    return;
  }
  const auto ballast = dir.path() / "disk" / "ballast";
  write_file(ballast, std::string(std::size_t{600} << 10, 'b'));
  for (auto policy : {fsync_policy::always, fsync_policy::interval, fsync_policy::never}) {
    const segment_log_options options{{dir.path() / "disk" / "log", policy, 1ms, 1 << 30, 100'000}};
    auto opening = segment_log::open(options);
    CAF_REQUIRE(opening.log);
    auto& log = *opening.log;
    line_list expected;
    const auto append = [&] {
      const line_list batch{std::to_string(expected.size()) + std::string(700, '.'), std::string(900, ':')};
      const auto failure = log.append(joined(batch));
      if (!failure) expected.insert(expected.end(), batch.begin(), batch.end());
      return failure;
    };
    std::error_code failure;
    for (int i = 0; i < 1000 && !failure; ++i) failure = append();
    CAF_CHECK(failure == std::errc::no_space_on_device);
    CAF_CHECK(expected.size() > 300);
    for (int i = 0; i < 3; ++i) CAF_CHECK(append() == std::errc::no_space_on_device);
    CAF_CHECK(lines_in(options.dir) == expected);
    std::filesystem::remove(ballast);
    for (int i = 0; i < 100; ++i) CAF_CHECK(!append());
    CAF_CHECK(!log.close());
    CAF_CHECK(lines_in(options.dir) == expected);
    opening.log.reset();
    std::filesystem::remove_all(options.dir);
    write_file(ballast, std::string(std::size_t{600} << 10, 'b'));
  }
}
