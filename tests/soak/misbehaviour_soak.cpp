#include "tests/soak/misbehaviour_soak.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/soak/auditor.hpp"
#include "tests/soak/crash_injector.hpp"
#include "tests/soak/live_host.hpp"
#include "tests/soak/log_follower.hpp"
#include "tests/soak/misbehaving_guest.hpp"
#include "tests/support/wait.hpp"

namespace cellos::soak {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto step = 100ms;
constexpr std::size_t most_visitors = 4;
/// Memory of the last third of the day over that of the second; the first warms up. Chosen here.
constexpr double most_growth = 1.05;
constexpr double growth_allowance_mb = 2;

double resident_mb() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    // Segments are the log's and its reader's, who opens them when it likes.
    const auto target = std::filesystem::read_symlink(each, gone);
    if (!gone && target.extension() != ".jsonl") ++count;
  }
  return count;
}

live_host_options host_options_of(const misbehaviour_options& options) {
  live_host_options host;
  host.dir = options.dir;
  host.threads = options.threads;
  // Small enough that what is in flight does not hide what leaks, and that segments come and go all day.
  host.sockets.byte_budget = 4u << 20;
  host.sockets.half_frame_timeout = 500ms;
  host.log.max_bytes = std::uint64_t{256} << 20;
  return host;
}

class misbehaviour_run {
 public:
  explicit misbehaviour_run(const misbehaviour_options& options)
      : options_(options), host_(host_options_of(options)), random_(options.seed), injector_(host_, options.seed) {}

  misbehaviour_report run() {
    report_.descriptors_before = open_descriptors();
    log_follower follower{host_.evidence_dir(), host_.log(), host_.decoding(), log_follower::order::of_nobody};
    auditor audit{host_, {}, 50ms};
    for (std::size_t i = 1; i <= options_.cells; ++i) begin_cell("cell-" + std::to_string(i));
    pass_the_day();
    host_.log_front().be_full(false);
    while (!guests_.empty()) end_cell();
    // The I/O thread closes what was let go of in its next turn.
    (void)test::holds_within(test::test_timeout, [&] {
      report_.descriptors_after = open_descriptors();
      return report_.descriptors_after <= report_.descriptors_before;
    });
    report_.deaths = injector_.deaths();
    report_.quarantined_chunks = host_.reported().count("chunk_quarantined");
    const auto audited = audit.finish();
    report_.audits = audited.audits;
    take_faults(audited.faults);
    if (const std::error_code failed = host_.log().close()) blame("the log did not close: " + failed.message());
    const auto logged = follower.finish();
    report_.log_lines = logged.lines;
    report_.log_bytes = logged.bytes;
    take_faults(logged.faults);
    check();
    return std::move(report_);
  }

 private:
  struct living_cell {
    std::string id;
    std::unique_ptr<misbehaving_guest> guest;
  };

  void blame(std::string what) { report_.faults.push_back(std::move(what)); }
  void take_faults(const std::vector<std::string>& found) {
    report_.faults.insert(report_.faults.end(), found.begin(), found.end());
  }

  void begin_cell(const std::string& id) {
    cell_specification cell = host_.cell(id);
    cell.keepalive_window = 1s;
    if (!host_.admit(cell)) return blame(id + " was not admitted");
    guests_.push_back({id, std::make_unique<misbehaving_guest>(cell.socket_path(), random_.next())});
  }

  /// The visitor that has been here longest; those that stay are in front of it, and go when the day is over.
  void end_cell() {
    const std::size_t leaving = guests_.size() > options_.cells ? options_.cells : 0;
    living_cell cell = std::move(guests_[leaving]);
    guests_.erase(guests_.begin() + static_cast<std::ptrdiff_t>(leaving));
    // Every other one is retired while its guest goes on.
    const bool abruptly = random_.one_in(2);
    if (!abruptly) take_actions(*cell.guest);
    const auto totals = host_.retire(cell.id);
    if (abruptly) take_actions(*cell.guest);
    ++retired_;
    if (!totals) return blame(cell.id + " did not end cleanly");
    report_.received += totals->received;
    if (totals->in_flight() != 0) blame(cell.id + " ended with frames in flight: " + to_text(*totals));
  }

  void take_actions(misbehaving_guest& guest) {
    for (const auto& [name, count] : guest.finish()) report_.actions[name] += count;
  }

  void pass_the_day() {
    const auto began = steady::now();
    const auto row_length = options_.length / static_cast<double>(options_.rows);
    for (std::size_t row = 1; row <= options_.rows; ++row) {
      const auto until = began + std::chrono::duration_cast<steady::duration>(row_length * static_cast<double>(row));
      soak_hour hour;
      std::size_t samples = 0;
      for (; steady::now() < until; ++samples) {
        act();
        const double resident = resident_mb();
        hour.mean_resident_mb += resident;
        hour.most_resident_mb = std::max(hour.most_resident_mb, resident);
        hour.most_descriptors = std::max(hour.most_descriptors, open_descriptors());
        test::holds_within(step, [] { return false; });
      }
      hour.mean_resident_mb /= static_cast<double>(std::max<std::size_t>(samples, 1));
      close_row(hour, began);
    }
  }

  void close_row(soak_hour& hour, steady::time_point began) {
    hour.until = std::chrono::duration_cast<std::chrono::seconds>(steady::now() - began);
    hour.frames = report_.received;
    for (const cell_status& status : host_.status()) hour.frames += status.totals.received;
    hour.cells_retired = retired_;
    for (const auto& [what, count] : injector_.deaths()) hour.crashes += count;
    report_.hours.push_back(hour);
    if (!options_.progress) return;
    std::fprintf(stderr, "%lld s: %llu frames, %.1f MB, %zu descriptors\n", static_cast<long long>(hour.until.count()),
                 static_cast<unsigned long long>(hour.frames), hour.mean_resident_mb, hour.most_descriptors);
  }

  /// What befalls the host itself, a tenth of a second's worth of it.
  void act() {
    if (full_until_ != steady::time_point{} && steady::now() >= full_until_) {
      host_.log_front().be_full(false);
      full_until_ = {};
    }
    if (random_.one_in(5)) injector_.strike();
    if (random_.one_in(10)) {
      begin_cell("visitor-" + std::to_string(++visitors_));
      if (guests_.size() > options_.cells + most_visitors) end_cell();
    }
    if (full_until_ == steady::time_point{} && random_.one_in(100)) {
      host_.log_front().be_full(true);
      full_until_ = steady::now() + 500ms;
      ++report_.full_logs;
    }
  }

  void check() {
    if (report_.descriptors_after > report_.descriptors_before) blame("descriptors leaked");
    if (!options_.checks_memory) return;
    if (auto grown = memory_growth(report_.hours)) blame(std::move(*grown));
  }

  const misbehaviour_options options_;
  live_host host_;
  guest_sim::splitmix random_;
  crash_injector injector_;
  std::vector<living_cell> guests_;
  std::uint64_t visitors_ = 0;
  std::uint64_t retired_ = 0;
  steady::time_point full_until_{};
  misbehaviour_report report_;
};

}  // namespace

std::optional<std::string> memory_growth(const std::vector<soak_hour>& hours) {
  const std::size_t third = hours.size() / 3;
  if (third == 0) return fmt::format("{} rows are too few to know of memory", hours.size());
  const auto mean = [&](std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < from + third; ++i) sum += hours[i].mean_resident_mb;
    return sum / static_cast<double>(third);
  };
  const double second = mean(third);
  const double last = mean(hours.size() - third);
  if (last <= second * most_growth + growth_allowance_mb) return std::nullopt;
  return fmt::format("resident memory grew from {:.1f} MB to {:.1f} MB", second, last);
}

misbehaviour_report run_misbehaviour_soak(const misbehaviour_options& options) {
  return misbehaviour_run{options}.run();
}

std::string to_text(const misbehaviour_report& report) {
  std::string text =
      "| until, s | frames received | cells retired | actors ended | resident, MB: mean | most | descriptors, most |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const soak_hour& hour : report.hours) {
    text += fmt::format("| {} | {} | {} | {} | {:.1f} | {:.1f} | {} |\n", hour.until.count(), hour.frames,
                        hour.cells_retired, hour.crashes, hour.mean_resident_mb, hour.most_resident_mb,
                        hour.most_descriptors);
  }
  text += fmt::format("\nDescriptors before the first cell and after the last: {}, {}.\n", report.descriptors_before,
                      report.descriptors_after);
  text += fmt::format(
      "{} frames received, {} lines ({} bytes) read back, totals looked at {} times, the log full {} "
      "times, {} chunks quarantined.\n",
      report.received, report.log_lines, report.log_bytes, report.audits, report.full_logs, report.quarantined_chunks);
  const auto list = [&](const char* title, const std::map<std::string, std::uint64_t>& counts) {
    text += title;
    const char* before = " ";
    for (const auto& [what, count] : counts) text += std::exchange(before, ", ") + fmt::format("{} {}", what, count);
    text += ".\n";
  };
  list("Guests:", report.actions);
  list("Actors:", report.deaths);
  for (const std::string& fault : report.faults) text += "FAULT: " + fault + "\n";
  return text;
}

}  // namespace cellos::soak
