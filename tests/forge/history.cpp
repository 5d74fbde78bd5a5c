#include "tests/forge/history.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>
#include <variant>

#include "runtime/verification/report_text.hpp"
#include "tests/forge/daemon_life.hpp"
#include "tests/forge/random.hpp"

namespace cellos::forge {

namespace {

constexpr std::uint64_t most_lives = 3;
constexpr std::uint64_t most_steps = 4;
/// Little enough that a few hundred events fill it: the log has to forget.
constexpr std::uint64_t small_log = 64u << 10;

class historian {
 public:
  historian(forge_home& home, std::uint64_t seed, const std::string& host_id) : home_(home), random_(seed) {
    made_.seed = seed;
    made_.plan.host_id = host_id;
    std::filesystem::remove_all(home.evidence_dir());
    made_.states.emplace_back();
    decide_settings();
  }

  history make() {
    const std::uint64_t lives = between(random_, 1, most_lives);
    for (std::uint64_t life = 0; life < lives && made_.problems.empty(); ++life) live(life);
    if (made_.problems.empty()) report();
    return std::move(made_);
  }

 private:
  void decide_settings() {
    host_plan& plan = made_.plan;
    plan.sign_every_event = one_in(random_, 2);
    const std::uint64_t kind = below(random_, 8);
    if (kind == 0) plan.algorithm = signing_algorithm::hmac_sha256;
    if (kind == 1) plan.algorithm = signing_algorithm::ecdsa_p256_sha256;
    plan.checkpoint_events = between(random_, 2, 6);
    plan.fsync = any_of<std::string>(random_, {"never", "1ms", "100ms", "always"});
    if (one_in(random_, 4)) plan.segment_bytes = between(random_, 4, 12) << 10;
    forgetful_ = made_.forgetful = one_in(random_, 12);
    if (forgetful_) {
      plan.max_bytes = small_log;
      plan.segment_bytes = between(random_, 4, 16) << 10;
    }
    for (const char* id : {"c1", "c2", "c3"}) {
      if (!one_in(random_, 4)) plan.cells.push_back({id});
    }
    if (one_in(random_, 4)) plan.cells.push_back({"quiet", 1, true});
    narrate(std::string{to_string(plan.algorithm)} +
            (plan.sign_every_event ? ", every event signed" : ", checkpoints") + ", segments of " +
            std::to_string(plan.segment_bytes) + (forgetful_ ? ", forgetful" : "") + ", fsync " + plan.fsync);
  }

  void live(std::uint64_t number) {
    if (number > 0 && one_in(random_, 4)) next_key();
    if (number > 0 && one_in(random_, 3)) toggle_cell();
    home_.configure(made_.plan);
    daemon_life daemon{home_.configuration(), home_.operator_log()};
    if (!daemon.wait_ready()) return fail("the daemon did not get ready:\n" + daemon.operator_log());
    narrate("a daemon begins with" + cells());
    key_changed_ = false;
    await_silence();
    snapshot();
    const std::uint64_t steps = between(random_, 1, most_steps) * (forgetful_ ? 3 : 1);
    for (std::uint64_t i = 0; i < steps && made_.problems.empty(); ++i) step(daemon);
    if (!made_.problems.empty()) return;
    made_.stopped = !one_in(random_, 3);
    if (made_.stopped) {
      if (const int code = daemon.stop(); code != 0) fail("the daemon ended with " + std::to_string(code));
    } else {
      daemon.kill();
    }
    narrate(made_.stopped ? "it is stopped" : "it is killed");
    snapshot();
  }

  void step(daemon_life& daemon) {
    switch (below(random_, 8)) {
      case 0:
      case 1: toggle_cell(); break;
      case 2: next_key(); break;
      default: return declare_somewhere();
    }
    home_.configure(made_.plan);
    if (!daemon.reload()) return fail("the daemon did not reload:\n" + daemon.operator_log());
    await_silence();
    await_key();
    narrate("reloaded with" + cells() + " and " + made_.plan.key_id(made_.plan.key));
    snapshot();
  }

  void declare_somewhere() {
    std::vector<cell_plan> speaking;
    for (const cell_plan& cell : made_.plan.cells) {
      if (!cell.silent) speaking.push_back(cell);
    }
    if (speaking.empty()) return;
    const cell_plan& cell = any_of(random_, speaking);
    const std::uint64_t frames = forgetful_ ? between(random_, 8, 20) : between(random_, 1, 6);
    if (!home_.declare(cell, frames)) return fail("declarations of " + cell.id + " did not get into the log");
    narrate(cell.id + " declares " + std::to_string(frames));
    snapshot();
  }

  /// Takes a cell away, or gives it a run that it did not have yet.
  void toggle_cell() {
    auto& now = made_.plan.cells;
    const auto id = any_of<std::string>(random_, {"c1", "c2", "c3"});
    const auto found = std::find_if(now.begin(), now.end(), [&](const cell_plan& cell) { return cell.id == id; });
    if (found == now.end()) {
      now.push_back({id, next_run_++});
    } else if (one_in(random_, 2)) {
      found->run = next_run_++;
    } else {
      now.erase(found);
    }
  }

  /// Once: a daemon knows one former key, and one over an older state would have to know two.
  void next_key() {
    if (made_.plan.former_key > 0) return;
    made_.plan.former_key = made_.plan.key++;
    key_changed_ = true;
  }

  void await_silence() {
    for (const cell_plan& cell : made_.plan.cells) {
      const std::string chain = R"("chain":")" + made_.plan.host_id + '/' + cell.id + '/';
      if (cell.silent && !wait_until([&] {
            return home_.log_count(chain, "agent_silenced") >= home_.log_count(chain, "run.v1.started");
          })) {
        return fail(cell.id + " was not declared silent");
      }
    }
  }

  /// Every open run says so by itself.
  void await_key() {
    if (!std::exchange(key_changed_, false)) return;
    const std::string id = R"("keyId":")" + made_.plan.key_id(made_.plan.key) + '"';
    const auto holds = [&] { return home_.log_count("run.v1.key_changed", id) >= made_.plan.cells.size(); };
    // Where the log forgets, some of these lines may be gone before the last one comes.
    if (!wait_until(holds) && !forgetful_) fail("not every run went over to " + made_.plan.key_id(made_.plan.key));
  }

  void report() {
    try {
      const auto verified = home_.verify(made_.stopped, made_.plan.host_id);
      for (const std::string& each : sentences_of(verified)) fail("the untouched log: " + each);
      made_.report = std::get<0>(verification::read_earlier_ends(verification::json_of(verified)));
    } catch (const std::exception& error) {
      fail(std::string{"the untouched log cannot be verified: "} + error.what());
    }
  }

  std::string cells() const {
    std::string names;
    for (const cell_plan& cell : made_.plan.cells) names += ' ' + cell.id + '/' + cell.run_id();
    return names.empty() ? " no cell" : names;
  }

  void snapshot() { made_.states.push_back(home_.image()); }
  void narrate(std::string what) { made_.story.push_back(std::move(what)); }
  void fail(std::string what) { made_.problems.push_back(std::move(what)); }

  forge_home& home_;
  randomness random_;
  history made_;
  std::uint64_t next_run_ = 2;
  bool forgetful_ = false;
  bool key_changed_ = false;
};

}  // namespace

history make_history(forge_home& home, std::uint64_t seed, const std::string& host_id) {
  return historian{home, seed, host_id}.make();
}

std::vector<std::string> sentences_of(const verification::verification_report& report) {
  std::vector<std::string> all;
  for (const verification::finding& each : report.findings) {
    all.push_back(std::string{to_string(each.cause)} + ' ' + each.chain + ' ' + std::to_string(each.sequence) + ": " +
                  each.words);
  }
  return all;
}

}  // namespace cellos::forge
