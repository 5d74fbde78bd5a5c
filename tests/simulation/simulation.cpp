#include "tests/simulation/simulation.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "tests/simulation/daemon_life.hpp"
#include "tests/simulation/frame_trace.hpp"
#include "tests/simulation/log_checker.hpp"
#include "tests/simulation/simulated_forwarding.hpp"
#include "tests/simulation/simulated_key.hpp"
#include "tests/simulation/world.hpp"

namespace cellos::simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t trace_length = 200;
constexpr std::uint64_t max_quiet_steps = 50'000;

event_sealing_ptr a_sealing(randomness& random) {
  if (chance(random, 300)) return nullptr;
  constexpr std::array<std::uint64_t, 3> rates{1, 7, 1000};
  return a_sealing_of(rates[below(random, rates.size())]);
}

class simulation_run {
 public:
  simulation_run(std::uint64_t seed, planted_bug bug, frame_trace* trace)
      : random_(seed), log_(random_, bug), sockets_(bug), decoder_{&random_, &decode_throws_}, trace_(trace) {
    kills_ = static_cast<std::uint32_t>(below(random_, 4)) * 5;
    faulty_log_ = chance(random_, 500);
    full_at_the_end_ = faulty_log_ && chance(random_, 300);
    poison_ = chance(random_, 300);
    cells_ = 1 + below(random_, 4);
    sealing_ = a_sealing(random_);
    if (forwards(seed)) {
      forwarding_.emplace(seed, log_, bug, [this](std::string what) { note(std::move(what)); });
    }
  }

  outcome run() {
    begin_life();
    const std::uint64_t steps = 500 + below(random_, 2500);
    const bool dies = chance(random_, 300);
    for (std::uint64_t i = 0; i < steps; ++i) {
      if (dies && i == steps / 2) die_and_begin_again();
      step();
    }
    settle();
    for (const simulated_run& run : sockets_.runs) {
      for (const std::string& each : run.socket->violations) violated(run.cell_id + ": " + each);
    }
    const auto broken = broken_promises(log_.text, sockets_.runs, power_lost_);
    result_.violations.insert(result_.violations.end(), broken.begin(), broken.end());
    if (sealing_) {
      const auto unproven = broken_seals(log_.text, the_public_key());
      result_.violations.insert(result_.violations.end(), unproven.begin(), unproven.end());
    }
    deliver();
    for (const char character : log_.text) mix(static_cast<unsigned char>(character));
    for (const simulated_run& run : sockets_.runs)
      result_.declarations += run.socket->next_number - run.socket->first_number;
    life_.reset();
    return std::move(result_);
  }

 private:
  std::string cell_name(std::uint64_t index) const { return "cell-" + std::to_string(index); }

  cell_specification specification(const std::string& id) const {
    cell_specification cell;
    cell.cell_id = id;
    cell.run_id = "run-" + std::to_string(run_numbers_.at(id));
    cell.vsock_uds_base = "/" + id;
    cell.spec_signature_hash = "sha256:" + id;
    cell.keepalive_window = 2s;
    return cell;
  }

  void begin_life() {
    life_ = std::make_unique<daemon_life>(log_, sockets_, clock_, decoder_, sealing_);
    for (std::uint64_t i = 0; i < cells_; ++i) {
      run_numbers_.try_emplace(cell_name(i), 1);
      caf::anon_send(life_->host(), admit_atom::value, specification(cell_name(i)));
    }
    run_quietly();
    sync();
    if (forwarding_) forwarding_->begin_life();
  }

  /// SIGKILL or a loss of power, now or in the middle of an append, and a restart: what was read and not acknowledged
  /// may be gone, after a loss of power what was not synced, and nothing else.
  void die_and_begin_again() {
    const death how = chance(random_, 500) ? death::killed : death::power_lost;
    strike(how == death::killed ? "the daemon is killed" : "the power is lost");
    // The log takes the restart's record; a full disk would refuse the start.
    log_.heal();
    if (chance(random_, 500)) {
      log_.die_in_next_append();
      for (int i = 0; i < 200 && !log_.died(); ++i) run_one();
      note(log_.died() ? "in an append" : "between appends");
    }
    for (simulated_run& run : sockets_.runs) {
      if (!run.socket->accepting) continue;
      run.cut_short = true;
      run.safe = how == death::killed ? run.socket->acknowledged : run.socket->durable;
    }
    power_lost_ = power_lost_ || how == death::power_lost;
    if (forwarding_) forwarding_->die();
    log_.crash(how);
    log_.full = true;  // whatever dying actors still do reaches nothing
    life_.reset();
    log_.heal();
    clock_.time += 3s;
    elapsed_ += 3s;
    look();
    begin_life();
  }

  void deliver() {
    if (!forwarding_) return;
    sync();
    for (std::string& broken : forwarding_->finish()) violated(std::move(broken));
    result_.lines_forwarded = forwarding_->lines_sent();
    result_.faults += forwarding_->faults();
    mix(result_.lines_forwarded);
  }

  void sync() {
    log_.sync();
    for (const simulated_run& run : sockets_.runs) run.socket->durable = run.socket->acknowledged;
  }

  void step() {
    ++result_.steps;
    look();
    if (chance(random_, 10)) sync();
    if (forwarding_) forwarding_->pass(5ms);
    decode_throws_ = kills_;
    log_.throw_per_mille = faulty_log_ ? 10 : 0;
    const std::uint64_t what = below(random_, 100);
    const std::string id = cell_name(below(random_, cells_));
    simulated_socket* socket = sockets_.of(id);
    if (what < 25 && socket != nullptr) {
      socket->guest_writes(random_, poison_);
    } else if (what < 50 && socket != nullptr) {
      socket->fault_per_mille = kills_;
      if (socket->read_some(random_, now())) note("read " + id);
      socket->look_after(now());
    } else if (what < 90) {
      run_one();
    } else if (what < 93) {
      pass(std::chrono::milliseconds{below(random_, 100)});
    } else {
      misfortune(id, socket);
    }
    look();
  }

  bool run_one() {
    look();
    const bool ran = life_->run_one(random_, trace_);
    look();
    return ran;
  }

  /// Whoever follows a frame sees what has changed.
  void look() {
    if (trace_ == nullptr) return;
    trace_->look(sockets_.runs, log_.text);
    trace_->at(result_.steps, elapsed_);
  }

  void strike(const std::string& what) {
    ++result_.faults;
    suffer(what);
  }

  void suffer(const std::string& what) {
    if (trace_ != nullptr) trace_->suffers(what);
    note(what);
  }

  void misfortune(const std::string& id, simulated_socket* socket) {
    const std::uint64_t what = below(random_, 100);
    if (chance(random_, kills_ * 20)) {
      strike("kill " + life_->kill_one(random_));
    } else if (what < 20 && socket != nullptr) {
      note("guest of " + id + " closes");
      socket->guest_closes();
    } else if (what < 35 && faulty_log_) {
      log_.full = !log_.full;
      strike(log_.full ? "disk full" : "disk has room");
    } else if (what < 45) {
      pass(std::chrono::milliseconds{below(random_, 4000)});
    } else if (what < 50) {
      clock_.time += std::chrono::seconds{below(random_, 100)} - 50s;
      strike("wall clock jumps");
    }
  }

  read_time now() const { return {clock_.time, life_->clock().now()}; }

  void pass(std::chrono::milliseconds duration) {
    note("time passes: " + std::to_string(duration.count()) + " ms");
    clock_.time += duration;
    elapsed_ += duration;
    life_->clock().advance_time(duration);
    if (forwarding_) forwarding_->pass(duration);
  }

  /// Without faults until nobody has anything to do; time passes where only timers are left.
  void run_quietly(std::chrono::milliseconds at_least = 0ms) {
    decode_throws_ = 0;
    log_.heal();
    std::chrono::milliseconds passed{0};
    for (std::uint64_t i = 0; i < max_quiet_steps; ++i) {
      bool active = run_one();
      for (const simulated_run& run : sockets_.runs) {
        run.socket->fault_per_mille = 0;
        active = run.socket->read_some(random_, now()) || active;
        run.socket->look_after(now());
      }
      if (active) continue;
      if (passed >= at_least) return;
      passed += 50ms;
      clock_.time += 50ms;
      elapsed_ += 50ms;
      life_->clock().advance_time(50ms);
    }
    violated("the host does not come to rest");
  }

  /// Faults stop: fresh frames must flow, silence must be reported, and every run must end with its totals.
  void settle() {
    note("faults stop");
    run_quietly(12s);
    for (const simulated_run& run : sockets_.runs) {
      if (run.socket->accepting && run.socket->waits_inside_frame()) {
        violated(run.cell_id + ": a frame that does not become whole is waited for");
      }
    }
    for (std::uint64_t i = 0; i < cells_; ++i) {
      simulated_socket* socket = sockets_.of(cell_name(i));
      if (socket == nullptr) continue;
      const std::uint64_t before = socket->next_number;
      while (socket->accepting && socket->next_number == before) socket->guest_writes(random_, false);
    }
    run_quietly(5s);
    for (const simulated_run& run : sockets_.runs) {
      if (run.socket->accepting && run.socket->chunks.unacknowledged() != 0) {
        violated(run.cell_id + ": credit does not come back");
      }
      if (run.socket->accepting && run.socket->has_unread()) violated(run.cell_id + ": is not read any more");
    }
    if (full_at_the_end_) write_more_than_credit();
    auto pending = life_->ask(stop_atom::value);
    if (full_at_the_end_) stay_full_past_the_deadline();
    if (kills_ > 0) die_while_stopping();
    run_quietly(70s);
    if (!life_->self()->has_next_message()) {
      violated("the host did not stop");
      return;
    }
    pending.receive(
        [this](std::uint64_t not_drained) {
          if (not_drained != 0) violated(std::to_string(not_drained) + " cells were not drained");
        },
        [this](const caf::error&) { violated("the host did not stop"); });
  }

  void write_more_than_credit() {
    note("disk full");
    ++result_.faults;
    log_.full = true;
    for (const simulated_run& run : sockets_.runs) {
      for (int i = 0; i < 200 && run.socket->accepting; ++i) run.socket->guest_writes(random_, false);
    }
  }

  /// Longer than a cell that ends may wait for credit, and not as long as its supervisor waits for it.
  void stay_full_past_the_deadline() {
    for (std::chrono::milliseconds passed{0}; passed < 17s;) {
      bool active = life_->run_one(random_, trace_);
      for (const simulated_run& run : sockets_.runs) {
        active = run.socket->read_some(random_, now()) || active;
        run.socket->look_after(now());
      }
      if (active) continue;
      pass(50ms);
      passed += 50ms;
    }
    for (const simulated_run& run : sockets_.runs) {
      if (!run.socket->drained()) violated(run.cell_id + ": is not drained by its deadline");
    }
    log_.heal();
    note("disk has room");
  }

  /// Actors go on dying while their cells are drained and ended.
  void die_while_stopping() {
    for (std::uint64_t i = below(random_, 150); i > 0; --i) {
      ++result_.steps;
      if (chance(random_, kills_ * 2)) suffer("kill " + life_->kill_one(random_));
      for (const simulated_run& run : sockets_.runs) {
        run.socket->read_some(random_, now());
        run.socket->look_after(now());
      }
      run_one();
      if (chance(random_, 50)) pass(std::chrono::milliseconds{below(random_, 30)});
    }
  }

  void violated(std::string sentence) { result_.violations.push_back(std::move(sentence)); }

  void mix(std::uint64_t value) { result_.digest = (result_.digest ^ value) * 0x100000001B3ULL; }

  void note(std::string decision) {
    for (const char character : decision) mix(static_cast<unsigned char>(character));
    if (result_.trace.size() >= trace_length) result_.trace.erase(result_.trace.begin());
    result_.trace.push_back(std::to_string(result_.steps) + " " + std::move(decision));
  }

  randomness random_;
  simulated_clock clock_;
  simulated_log log_;
  simulated_sockets sockets_;
  std::uint32_t decode_throws_ = 0;
  simulated_decoder decoder_;
  std::uint32_t kills_ = 0;
  bool faulty_log_ = false;
  bool full_at_the_end_ = false;
  bool poison_ = false;
  std::uint64_t cells_ = 1;
  bool power_lost_ = false;
  event_sealing_ptr sealing_;
  frame_trace* trace_;
  std::chrono::milliseconds elapsed_{0};
  std::map<std::string, std::uint64_t> run_numbers_;
  std::unique_ptr<daemon_life> life_;
  outcome result_;
  std::optional<simulated_forwarding> forwarding_;
};

}  // namespace

std::string_view to_string(planted_bug bug) {
  switch (bug) {
    case planted_bug::none: return "none";
    case planted_bug::acknowledge_before_append: return "acknowledge-before-append";
    case planted_bug::replay_renumbered: return "replay-renumbered";
    case planted_bug::credit_leak: return "credit-leak";
    case planted_bug::silence_reported_twice: return "silence-reported-twice";
    case planted_bug::commit_before_sync: return "commit-before-sync";
    case planted_bug::half_append_kept: return "half-append-kept";
    case planted_bug::forward_before_commit: return "forward-before-commit";
    case planted_bug::answer_before_sync: return "answer-before-sync";
    case planted_bug::contradiction_doubled: return "contradiction-doubled";
    case planted_bug::contradiction_misplaced: return "contradiction-misplaced";
  }
  return "none";
}

outcome simulate(std::uint64_t seed, planted_bug bug, frame_trace* trace) {
  return simulation_run{seed, bug, trace}.run();
}

}  // namespace cellos::simulation
