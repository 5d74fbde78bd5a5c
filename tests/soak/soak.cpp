#include "tests/soak/soak.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/soak/host_in_process.hpp"
#include "tests/soak/log_follower.hpp"
#include "tests/soak/numbered_frames.hpp"

namespace cellos::soak {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_violations = 10;

bool is_poisoned(const received_chunk& chunk) {
  const std::string_view bytes{reinterpret_cast<const char*>(chunk.bytes.data()), chunk.bytes.size()};
  return bytes.find(numbered_frames::poison_comm) != std::string_view::npos;
}

host_in_process::options host_options(const soak_options& wanted) {
  host_in_process::options host;
  host.log.dir = wanted.dir / "evidence";
  // The follower lets old segments go; a follower that lags is felt as back-pressure.
  host.log.max_bytes = std::uint64_t{2} << 30;
  // The faults are ours: they are not to be taken for a cell that cannot be helped.
  host.limits = {100'000, 10s, 100ms};
  host.decode = [](chunk_ptr chunk, host_stamp_ptr run) -> batch {
    if (is_poisoned(*chunk)) throw std::runtime_error("poison");
    return decode_chunk(std::move(chunk), std::move(run));
  };
  return host;
}

cell_specification specification(const soak_options& wanted, std::size_t index) {
  cell_specification cell;
  cell.cell_id = "cell-" + std::to_string(index);
  cell.run_id = "run-1";
  cell.vsock_uds_base = wanted.dir / cell.cell_id;
  cell.spec_signature_hash = "sha256:" + cell.cell_id;
  cell.keepalive_window = 1h;
  return cell;
}

class soak_run {
 public:
  soak_run(const soak_options& options, const std::function<void(std::uint64_t)>& tell)
      : options_(options), tell_(tell), random_(options.seed), host_(host_options(options)) {}

  soak_outcome run() {
    const auto began = std::chrono::steady_clock::now();
    log_follower follower{options_.dir / "evidence",
                          [this](std::uint64_t segment) { host_.log().retain_from(segment); }};
    start_guests();
    std::thread bookkeeper{[this] {
      while (!stopping_) look_at_books();
    }};
    crash_until_all_is_sent();
    for (const auto& guest : guests_) guest->join();
    if (const std::uint64_t dirty = host_.stop(); dirty != 0) {
      violated(std::to_string(dirty) + " cells did not end with all their frames in the log");
    }
    outcome_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    stopping_ = true;
    bookkeeper.join();
    if (host_.log().close()) violated("the log was not closed");
    reckon(follower.finish());
    return std::move(outcome_);
  }

 private:
  void start_guests() {
    const std::uint64_t frames_each = options_.frames / options_.cells;
    for (std::size_t i = 0; i < options_.cells; ++i) {
      const auto cell = specification(options_, i);
      if (const auto admitted = host_.admit(cell); !admitted) throw std::runtime_error("a cell was not admitted");
      numbered_guest::plan plan{cell.socket_path(), frames_each, 0, 0};
      if (options_.poison_per_cell != 0) plan.poison_every = frames_each / (options_.poison_per_cell + 1);
      guests_.push_back(std::make_unique<numbered_guest>(plan));
    }
  }

  std::uint64_t sent() const {
    std::uint64_t sum = 0;
    for (const auto& guest : guests_) sum += guest->sent();
    return sum;
  }

  void crash_until_all_is_sent() {
    const std::uint64_t frames = options_.frames / options_.cells * options_.cells;
    for (std::uint64_t crash = 1; crash <= options_.crashes; ++crash) {
      const std::uint64_t due = frames / (options_.crashes + 1) * crash;
      while (sent() < due && !broken()) std::this_thread::sleep_for(200us);
      if (tell_) tell_(sent());
      while (!kill_one()) {}
      ++outcome_.crashes;
    }
  }

  bool broken() {
    const std::lock_guard lock{mutex_};
    return !outcome_.violations.empty();
  }

  bool kill_one() {
    auto present = host_.census().present();
    std::erase_if(present, [](const auto& each) { return std::string_view{each->role()} == "HOST SUPERVISOR"; });
    if (present.empty()) return false;
    const activity& chosen = *present[random_() % present.size()];
    host_in_process::kill(chosen, random_() % 2 == 0 ? caf::exit_reason::kill : caf::exit_reason::unhandled_exception);
    return true;
  }

  /// At every moment: no more is settled than was received, and nothing is ever taken back.
  void look_at_books() {
    for (const cell_status& cell : host_.status()) {
      const run_totals& now = cell.totals;
      run_totals& before = books_[cell.cell_id];
      if (now.settled() > now.received) violated(cell.cell_id + ": more settled than received");
      const bool shrank = now.received < before.received || now.appended < before.appended ||
                          now.quarantined < before.quarantined || now.refused.total() < before.refused.total();
      if (shrank) violated(cell.cell_id + ": the books went back");
      before = now;
      const std::lock_guard lock{mutex_};
      ++outcome_.books_held;
    }
    std::this_thread::sleep_for(5ms);
  }

  void reckon(const log_follower::cells& logged) {
    for (std::size_t i = 0; i < options_.cells; ++i) {
      const std::string id = specification(options_, i).cell_id;
      const numbered_guest& guest = *guests_[i];
      if (!guest.failure().empty()) violated(id + ": its guest says " + guest.failure());
      const auto found = logged.find(id);
      if (found == logged.end()) {
        violated(id + ": nothing in the log");
        continue;
      }
      reckon_cell(id, guest, found->second);
    }
  }

  void reckon_cell(const std::string& id, const numbered_guest& guest, const followed_cell& cell) {
    const std::uint64_t tail = guest.sent() - cell.last_number;
    const std::uint64_t lost = cell.missing + tail - std::min(cell.missing + tail, cell.quarantined_frames);
    outcome_.sent += guest.sent();
    outcome_.logged += cell.declarations;
    outcome_.lost += lost;
    outcome_.repeated += cell.repeated;
    outcome_.quarantined_frames += cell.quarantined_frames;
    outcome_.quarantined_chunks += cell.quarantined_chunks;
    outcome_.planted += guest.poisoned();
    if (lost != 0) violated(id + ": " + std::to_string(lost) + " frames lost");
    if (cell.missing + tail < cell.quarantined_frames) violated(id + ": frames set aside and logged as well");
    if (cell.repeated != 0) violated(id + ": " + std::to_string(cell.repeated) + " frames told again");
    if (cell.sequence_faults != 0) violated(id + ": its sequence has gaps or repetitions");
    if (cell.quarantined_chunks != guest.poisoned()) {
      violated(id + ": " + std::to_string(cell.quarantined_chunks) + " chunks set aside, " +
               std::to_string(guest.poisoned()) + " planted");
    }
    if (!cell.ended) violated(id + ": its run has no end");
  }

  void violated(std::string sentence) {
    const std::lock_guard lock{mutex_};
    if (outcome_.violations.size() < most_violations) outcome_.violations.push_back(std::move(sentence));
  }

  const soak_options options_;
  const std::function<void(std::uint64_t)>& tell_;
  std::mt19937_64 random_;
  std::mutex mutex_;
  soak_outcome outcome_;
  std::atomic<bool> stopping_{false};
  std::map<std::string, run_totals> books_;
  host_in_process host_;
  std::vector<std::unique_ptr<numbered_guest>> guests_;
};

}  // namespace

soak_outcome run_soak(const soak_options& options, const std::function<void(std::uint64_t)>& tell) {
  return soak_run{options, tell}.run();
}

}  // namespace cellos::soak
