#include "tests/simulation/scripted_cells.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/timestamp.hpp"
#include "runtime/cross_witness/line_witness.hpp"
#include "tests/simulation/daemon_life.hpp"
#include "tests/simulation/script.hpp"
#include "tests/simulation/simulated_key.hpp"
#include "tests/simulation/simulated_probes.hpp"
#include "tests/simulation/witness_checker.hpp"

namespace cellos::simulation {

namespace {

using json = nlohmann::json;

constexpr std::chrono::milliseconds length = 6min;
constexpr std::chrono::seconds silence_window{10};

/// One that finds everything twice, or puts it in the window before.
class flawed_witness final : public run_witness {
 public:
  flawed_witness(run_witness_ptr real, planted_bug bug) : real_(std::move(real)), bug_(bug) {}

  std::chrono::nanoseconds window() const override { return real_->window(); }
  witness_terms terms() const override { return real_->terms(); }
  found declared(std::uint64_t sequence, wall_time at, probe_source source, std::uint32_t guest_pid) override {
    return flawed(real_->declared(sequence, at, source, guest_pid));
  }
  found read(std::uint64_t sequence, wall_time at, const probe_reading& reading) override {
    return flawed(real_->read(sequence, at, reading));
  }
  found silenced(std::uint64_t sequence, wall_time at, std::chrono::nanoseconds silent_for) override {
    return flawed(real_->silenced(sequence, at, silent_for));
  }
  found resumed(std::uint64_t sequence, wall_time at) override { return flawed(real_->resumed(sequence, at)); }
  found lost(std::uint64_t sequence, wall_time at) override { return flawed(real_->lost(sequence, at)); }
  found restarted(std::uint64_t sequence, wall_time at) override { return flawed(real_->restarted(sequence, at)); }

 private:
  found flawed(found all) const {
    if (all.empty()) return all;
    if (bug_ == planted_bug::contradiction_doubled) all.push_back(all.back());
    if (bug_ == planted_bug::contradiction_misplaced) --all.back().window;
    return all;
  }

  run_witness_ptr real_;
  planted_bug bug_;
};

/// What the log has of one run, as far as this is about it.
struct reported_run {
  std::map<std::int64_t, wall_time> first_reading;
  std::map<std::int64_t, wall_time> first_group;
  wall_time last_line{};
  /// By kind and window.
  std::map<std::pair<std::string, std::int64_t>, std::uint64_t> contradictions;
  std::vector<json> silences;
};

/// What contradicts a script, by kind and window.
struct truth {
  std::set<std::pair<std::string, std::int64_t>> due;
  /// Of a first window that began late: there may be too little.
  std::set<std::pair<std::string, std::int64_t>> maybe;
};
constexpr std::chrono::seconds shortest_interval{18};

class scripted_world {
 public:
  scripted_world(std::uint64_t seed, planted_bug bug, bool sealed)
      : random_(seed ^ 0x5C81'97ED), bug_(bug), log_(random_, bug), sockets_(bug), probes_(seed) {
    clock_.time += std::chrono::milliseconds{below(random_, 30'000)};
    began_ = clock_.time;
    decoder_.random = &random_;
    decoder_.throw_per_mille = &never_;
    if (sealed) sealing_ = a_sealing_of(7);
    killing_ = chance(random_, 300);
    for (const cell_script script : cell_scripts) cells_.push_back(make_script(script, length, random_));
  }

  scripted_outcome run() {
    const simulated_eyes eyes{&probes_, [this](const cell_specification& cell) { return witness_of(cell); }};
    life_ = std::make_unique<daemon_life>(log_, sockets_, clock_, decoder_, sealing_, eyes);
    for (const scripted_cell& cell : cells_) {
      probes_.kernel[cell.id].packets_an_attempt = cell.packets_an_attempt;
      caf::anon_send(life_->host(), admit_atom::value, specification(cell));
    }
    come_to_rest();
    while (elapsed_ < length) step();
    end_all();
    check();
    life_.reset();
    out_.log = log_.text;
    out_.readings = probes_.readings;
    return std::move(out_);
  }

 private:
  run_witness_ptr witness_of(const cell_specification& cell) const {
    cross_witness_settings settings;
    settings.silence_window = cell.keepalive_window;
    run_witness_ptr real = std::make_shared<line_witness>(settings);
    const bool flawed = bug_ == planted_bug::contradiction_doubled || bug_ == planted_bug::contradiction_misplaced;
    return flawed ? std::make_shared<flawed_witness>(std::move(real), bug_) : real;
  }

  static cell_specification specification(const scripted_cell& cell) {
    cell_specification out;
    out.cell_id = cell.id;
    out.run_id = "run-1";
    out.vsock_uds_base = "/" + cell.id;
    out.spec_signature_hash = "sha256:" + cell.id;
    out.keepalive_window = silence_window;
    out.probes.recorded = std::set{host_probe::process, host_probe::cgroup};
    if (cell.by_tap()) {
      out.probes.tap = "tap0";
    } else {
      out.probes.nft_table = "inet cell";
      out.probes.connection_counter = "syn";
    }
    return out;
  }

  read_time now() const { return {clock_.time, life_->clock().now()}; }

  void step() {
    const std::chrono::milliseconds time{20 + below(random_, 200)};
    clock_.time += time;
    elapsed_ += time;
    life_->clock().advance_time(time);
    for (scripted_cell& cell : cells_) {
      for (; !cell.acts.empty() && cell.acts.front().at <= elapsed_; cell.acts.pop_front()) {
        act(cell, cell.acts.front().what);
      }
    }
    probes_.pass(now().wall, now().mono);
    if (killing_ && chance(random_, 2)) life_->kill_role(chance(random_, 500) ? "SINK" : "PROBE SCHEDULER");
    come_to_rest();
  }

  void act(scripted_cell& cell, scripted_act what) {
    simulated_socket& socket = *sockets_.of(cell.id);
    kernel_objects& kernel = probes_.kernel[cell.id];
    switch (what) {
      case scripted_act::connects:
        ++kernel.attempts;
        cell.connected_at.push_back(clock_.time);
        break;
      case scripted_act::works: kernel.cpu_us += 1000; break;
      case scripted_act::is_refused_forks:
        kernel.refused_forks += 3;
        cell.refused_at.push_back(clock_.time);
        break;
      case scripted_act::declares_connection: return write(cell, socket, "net.connect_attempted");
      case scripted_act::declares_process: return write(cell, socket, "process.spawned");
      case scripted_act::vmm_is_killed:
        kernel.signal = 9;
        socket.guest_closes();
        probes_.disconnected(cell.id, now().mono);
        break;
    }
  }

  void write(scripted_cell& cell, simulated_socket& socket, std::string_view source) {
    if (socket.connections.empty()) {
      socket.connections.push_back(
          std::make_unique<simulated_connection>(++socket.counts.connections_accepted, socket.reading));
      probes_.connected(cell.id, now().mono);
    }
    simulated_connection& to = *socket.connections.front();
    const auto bytes = declared_frame(source, "sh", socket.next_number);
    to.frames.push_back({expected::declaration, socket.next_number++, bytes.size()});
    to.unread.insert(to.unread.end(), bytes.begin(), bytes.end());
    cell.declared_at.push_back(clock_.time);
  }

  /// Everybody does what there is to be done, in an order of the seed's.
  void come_to_rest() {
    for (bool active = true; active;) {
      active = life_->run_one(random_, nullptr);
      for (const simulated_run& run : sockets_.runs) {
        active = run.socket->read_some(random_, now()) || active;
        run.socket->look_after(now());
      }
    }
  }

  void end_all() {
    auto pending = life_->ask(stop_atom::value);
    for (std::chrono::milliseconds passed{0}; passed < 20s && !life_->self()->has_next_message(); passed += 50ms) {
      come_to_rest();
      clock_.time += 50ms;
      life_->clock().advance_time(50ms);
    }
    if (!life_->self()->has_next_message()) return violated("the host did not stop");
    pending.receive([](std::uint64_t) {}, [this](const caf::error&) { violated("the host did not stop"); });
  }

  void check() {
    std::map<std::string, reported_run> runs;
    for (std::string_view rest = log_.text; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      take(runs, json::parse(line, nullptr, false));
    }
    for (const scripted_cell& cell : cells_) {
      check_contradictions(cell, runs[cell.id]);
      check_silence(cell, runs[cell.id]);
    }
    for (std::string& each : broken_comparisons(log_.text, false)) violated(std::move(each));
  }

  static std::int64_t window_of(wall_time at) { return at.time_since_epoch() / cross_witness_settings{}.window; }

  static void take(std::map<std::string, reported_run>& runs, const json& event) {
    if (!event.is_object() || !event["data"].contains("cellId")) return;
    reported_run& run = runs[event["data"]["cellId"]];
    const std::string type = event["type"];
    const wall_time at = parse_timestamp(event["time"].get<std::string>()).value_or(wall_time{});
    if (type.ends_with("run.v1.ended")) return;
    if (type.ends_with("probe.v1.tap_link") || type.ends_with("probe.v1.nftables")) {
      run.first_reading.try_emplace(window_of(at), at);
    }
    if (type.ends_with("probe.v1.cgroup")) run.first_group.try_emplace(window_of(at), at);
    if (type.ends_with("agent_silenced")) run.silences.push_back(event["data"]);
    if (event["data"].contains("window") && event["data"].contains("kind")) {
      const std::string window = event["data"]["window"];
      ++run.contradictions[{event["data"]["kind"], std::stoll(window)}];
      // Found by the line before.
      return;
    }
    run.last_line = std::max(run.last_line, at);
  }

  /// For each that is due there is one, and there is no other.
  truth truth_of(const scripted_cell& cell, const reported_run& run) const {
    truth found;
    const auto of_windows = [&](const char* kind, const std::map<std::int64_t, wall_time>& readings, auto&& differs) {
      for (const auto& [window, from] : readings) {
        const auto next = readings.find(window + 1);
        if (next == readings.end() || !was_compared(next->second, run)) continue;
        if (!differs(from, next->second)) continue;
        const bool is_short = next->second - from < shortest_interval;
        (is_short ? found.maybe : found.due).emplace(kind, window);
      }
    };
    const auto between = [](const std::vector<wall_time>& times, wall_time from, wall_time to) {
      return std::ranges::count_if(times, [&](wall_time at) { return at > from && at <= to; });
    };
    if (cell.script == cell_script::declares_without_traffic) {
      of_windows("declaration_unwitnessed", run.first_reading, [](wall_time, wall_time) { return true; });
    }
    if (cell.script == cell_script::traffic_without_declarations) {
      of_windows("undeclared_network", run.first_reading,
                 [&](wall_time from, wall_time to) { return between(cell.connected_at, from, to) > 0; });
    }
    if (!cell.refused_at.empty()) {
      of_windows("undeclared_refused_forks", run.first_group,
                 [&](wall_time from, wall_time to) { return between(cell.refused_at, from, to) > 0; });
    }
    return found;
  }

  static bool was_compared(wall_time next_reading, const reported_run& run) {
    return run.last_line > next_reading + cross_witness_settings{}.agent_lag + silence_window;
  }

  void check_contradictions(const scripted_cell& cell, const reported_run& run) {
    auto [due, maybe] = truth_of(cell, run);
    out_.contradictions += due.size();
    if (cell.script == cell_script::silent_with_dead_vmm) return check_exit(cell, run);
    if (run.first_reading.size() < 8) violated(cell.id + ": was read in few windows");
    if (cell.is_to_contradict() && due.size() < 4) violated(cell.id + ": has little to contradict it");
    for (const auto& [found, times] : run.contradictions) {
      const std::string what = cell.id + ": " + found.first + " of window " + std::to_string(found.second);
      if (times != 1) violated(what + " is on record " + std::to_string(times) + " times");
      if (due.erase(found) == 0 && maybe.erase(found) == 0) violated(what + " is on record and not so");
    }
    for (const auto& [kind, window] : due) {
      violated(cell.id + ": " + kind + " of window " + std::to_string(window) + " is not on record");
    }
  }

  void check_exit(const scripted_cell& cell, const reported_run& run) {
    ++out_.contradictions;
    const bool once = run.contradictions.size() == 1 && run.contradictions.begin()->second == 1 &&
                      run.contradictions.begin()->first.first == "undeclared_exit";
    const std::int64_t window = once ? run.contradictions.begin()->first.second : 0;
    const wall_time ended = began_ + cell.ends_at;
    if (!once) violated(cell.id + ": its VMM's end is not on record, or not alone");
    if (once && window != window_of(ended) && window != window_of(ended + 11s)) {
      violated(cell.id + ": its VMM ended in another window");
    }
  }

  void check_silence(const scripted_cell& cell, const reported_run& run) {
    if (run.silences.size() != (cell.falls_silent() ? 1 : 0)) {
      return violated(cell.id + ": silence is on record " + std::to_string(run.silences.size()) + " times");
    }
    if (!cell.falls_silent()) return;
    const json seen = run.silences.front().value("hostSaw", json::object());
    const bool dead = cell.script == cell_script::silent_with_dead_vmm;
    const bool right = dead ? seen.value("vmm", "") == "signalled" && seen.value("vmmSignal", 0) == 9 &&
                                  !seen.value("connected", true) && !seen.contains("cpuMoving")
                            : seen.value("vmm", "") == "alive" && seen.value("connected", false) &&
                                  seen.value("cpuMoving", false) && seen.value("trafficMoving", false);
    if (!right) violated(cell.id + ": the host saw " + seen.dump());
  }

  void violated(std::string sentence) {
    if (out_.violations.size() < 20) out_.violations.push_back(std::move(sentence));
  }

  randomness random_;
  planted_bug bug_;
  simulated_clock clock_;
  wall_time began_{};
  simulated_log log_;
  simulated_sockets sockets_;
  simulated_probes probes_;
  std::uint32_t never_ = 0;
  simulated_decoder decoder_;
  event_sealing_ptr sealing_;
  bool killing_ = false;
  std::vector<scripted_cell> cells_;
  std::chrono::milliseconds elapsed_{0};
  std::unique_ptr<daemon_life> life_;
  scripted_outcome out_;
};

}  // namespace

scripted_outcome simulate_scripted_cells(std::uint64_t seed, planted_bug bug, bool sealed) {
  return scripted_world{seed, bug, sealed}.run();
}

}  // namespace cellos::simulation
