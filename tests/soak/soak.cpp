#include "tests/soak/soak.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/soak/auditor.hpp"
#include "tests/soak/crash_injector.hpp"
#include "tests/soak/live_host.hpp"
#include "tests/soak/log_follower.hpp"
#include "tests/soak/steady_guest.hpp"
#include "tests/support/wait.hpp"

namespace cellos::soak {

namespace {

using namespace std::chrono_literals;

/// How long the guests may take to the next crash; a host that stands still ends the soak.
constexpr std::chrono::minutes progress_timeout{2};
constexpr std::chrono::milliseconds audit_interval{20};

live_host_options host_options_of(const soak_options& options) {
  live_host_options host;
  host.dir = options.dir;
  host.threads = options.threads;
  host.log.fsync = options.fsync;
  // What was read may go: the log of a whole soak need not fit the disk.
  host.log.max_bytes = std::uint64_t{2} << 30;
  return host;
}

/// The soak as it runs.
class soak_run {
 public:
  explicit soak_run(const soak_options& options) : options_(options), host_(host_options_of(options)) {}

  soak_report run() {
    const auto began = std::chrono::steady_clock::now();
    admit_cells();
    log_follower follower{host_.evidence_dir(), host_.log(), host_.decoding(), log_follower::order::of_each_cell};
    start_guests();
    auditor audit{host_, [this](const std::string& id) { return guests_.at(id)->begun(); }, audit_interval};
    crash();
    finish_guests();
    take_findings(audit.finish());
    close_totals();
    if (const std::error_code failed = host_.log().close()) blame("the log did not close: " + failed.message());
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    report_.segments_removed = host_.log().statistics().segments_removed;
    take_findings(follower.finish());
    check_log();
    return std::move(report_);
  }

 private:
  void blame(std::string what) { report_.faults.push_back(std::move(what)); }
  void demand(bool holds, const std::string& what) {
    if (!holds) blame(what);
  }
  template <class Value>
  void demand_equal(const char* what, Value is, Value must_be) {
    demand(is == must_be, std::string{what} + ": " + std::to_string(is) + " instead of " + std::to_string(must_be));
  }

  static std::string id_of(std::size_t index) { return "cell-" + std::to_string(index + 1); }
  /// Of `total`, this cell's part.
  std::uint64_t share(std::uint64_t total, std::size_t index) const {
    return total / options_.cells + (index < total % options_.cells ? 1 : 0);
  }

  void admit_cells() {
    for (std::size_t i = 0; i < options_.cells; ++i) {
      if (!host_.admit(host_.cell(id_of(i)))) throw std::runtime_error(id_of(i) + " was not admitted");
    }
  }

  void start_guests() {
    for (std::size_t i = 0; i < options_.cells; ++i) {
      const guest_plan plan{host_.cell(id_of(i)).socket_path(), share(options_.frames, i), options_.seed + i,
                            share(options_.poison, i)};
      guests_.emplace(id_of(i), std::make_unique<steady_guest>(plan));
    }
  }

  std::uint64_t begun() const {
    std::uint64_t sum = 0;
    for (const auto& [id, guest] : guests_) sum += guest->begun();
    return sum;
  }

  /// Evenly over the frames, so that the load lasts as long as the crashes do.
  void crash() {
    crash_injector injector{host_, options_.seed};
    while (report_.crashes < options_.crashes) {
      const std::uint64_t due = options_.frames / (options_.crashes + 1) * (report_.crashes + 1);
      if (!test::holds_within(progress_timeout, [&] { return begun() >= due; })) {
        blame("the guests came to a halt at " + std::to_string(begun()) + " frames");
        break;
      }
      if (injector.strike()) {
        ++report_.crashes;
        misses_ = 0;
      } else if (++misses_ == most_misses) {
        blame("no actor died any more");
        break;
      }
      if (options_.progress && report_.crashes % 50 == 0) {
        std::fprintf(stderr, "%llu frames, %llu crashes\n", static_cast<unsigned long long>(begun()),
                     static_cast<unsigned long long>(report_.crashes));
      }
    }
    report_.deaths = injector.deaths();
  }

  void finish_guests() {
    for (auto& [id, guest] : guests_) sent_[id] = guest->finish();
  }

  void close_totals() {
    for (const auto& [id, guest] : guests_) {
      auto totals = host_.retire(id);
      if (!totals) {
        blame(id + " did not end cleanly");
        continue;
      }
      demand_equal((id + ", in flight at the end").c_str(), totals->in_flight(), std::uint64_t{0});
      demand_equal((id + ", received").c_str(), totals->received, sent_[id].frames);
      totals_.emplace(id, *totals);
    }
  }

  template <class Findings>
  void take_faults(const Findings& found) {
    report_.faults.insert(report_.faults.end(), found.faults.begin(), found.faults.end());
  }

  void take_findings(const auditor::findings& found) {
    report_.audits = found.audits;
    report_.most_in_flight = found.most_in_flight;
    take_faults(found);
  }

  void take_findings(const log_follower::findings& found) {
    report_.log_lines = found.lines;
    report_.log_bytes = found.bytes;
    report_.lost = found.lost;
    report_.duplicated = found.duplicated;
    logged_ = found.declarations_of;
    take_faults(found);
  }

  /// Everything that was sent is in the log, or refused, or in a chunk that was poisoned on purpose.
  void check_log() {
    guest_sim::tally sent;
    for (const auto& [id, totals] : totals_) {
      report_.received += totals.received;
      report_.appended += totals.appended;
      report_.heartbeats += totals.heartbeats;
      report_.refused += totals.refused.total();
      report_.quarantined_frames += totals.quarantined;
      demand_equal((id + ", declarations in the log").c_str(), logged_[id], totals.appended);
    }
    for (const auto& [id, tally] : sent_) {
      sent.frames += tally.frames;
      sent.accepted += tally.accepted;
      sent.heartbeats += tally.heartbeats;
    }
    const faulty_decoding::poisoned met = host_.decoding().met();
    report_.sent = sent.frames;
    report_.planted_poison = options_.poison;
    report_.quarantined_chunks = host_.reported().count("chunk_quarantined");
    demand_equal("poison met", met.doses, options_.poison);
    demand_equal("chunks quarantined", report_.quarantined_chunks, met.chunks);
    demand_equal("frames quarantined", report_.quarantined_frames, met.frames);
    demand_equal("declarations appended", report_.appended, sent.declarations() - met.declarations);
    // What shared a chunk with poison, and was no declaration, was a heartbeat or to be refused.
    demand_equal("heartbeats and refusals", report_.heartbeats + report_.refused,
                 sent.frames - sent.declarations() - (met.frames - met.declarations));
    demand_equal("crashes", report_.crashes, options_.crashes);
  }

  static constexpr std::uint64_t most_misses = 20;

  const soak_options options_;
  live_host host_;
  std::map<std::string, std::unique_ptr<steady_guest>> guests_;
  std::map<std::string, guest_sim::tally> sent_;
  std::map<std::string, run_totals> totals_;
  std::map<std::string, std::uint64_t, std::less<>> logged_;
  std::uint64_t misses_ = 0;
  soak_report report_;
};

}  // namespace

soak_report run_soak(const soak_options& options) { return soak_run{options}.run(); }

std::string to_text(const soak_report& report) {
  const auto line = [](const char* what, std::uint64_t count) {
    return std::string{what} + ": " + std::to_string(count) + "\n";
  };
  std::string text = line("frames sent", report.sent) + line("received", report.received) +
                     line("appended", report.appended) + line("heartbeats", report.heartbeats) +
                     line("refused", report.refused) + line("poisoned declarations planted", report.planted_poison) +
                     line("chunks quarantined", report.quarantined_chunks) +
                     line("frames quarantined", report.quarantined_frames) + line("lost", report.lost) +
                     line("duplicated", report.duplicated) + line("lines in the log", report.log_lines) +
                     line("bytes of log", report.log_bytes) + line("segments let go", report.segments_removed) +
                     line("crashes", report.crashes);
  for (const auto& [what, count] : report.deaths) text += "  " + what + ": " + std::to_string(count) + "\n";
  text += line("totals audited", report.audits) + line("most in flight of a cell", report.most_in_flight) +
          "seconds: " + std::to_string(report.seconds) + "\n";
  for (const std::string& fault : report.faults) text += "FAULT: " + fault + "\n";
  return text;
}

}  // namespace cellos::soak
