#include "tests/support/scripted_log.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/host_event_chain.hpp"
#include "actors/sink_journal.hpp"
#include "runtime/daemon/restart_recovery.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/journal_key.hpp"
#include "tests/support/flushed_journal.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/reference_chain.hpp"

namespace cellos::test {

namespace {

using namespace std::chrono_literals;

/// What JSON, terminals and careless parsers have an opinion on.
const std::string hostile_name =
    "\"},\"cellId\":\"cell-2\",\"data\":{}\\ \b\f\n\r\t\x01\x7F caf\xC3\xA9 \xE2\x80\xA8 \xF0\x9F\x98\x80";

constexpr std::uint64_t events_per_checkpoint = 4;
constexpr std::string_view boot = "boot-1";
constexpr std::string_view version = "0.1.0";

signing_key key_of(const std::string& id, std::uint8_t seed_begin) {
  const std::array<std::uint8_t, 32> seed{seed_begin, 5, 7};
  return std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, id, seed));
}

const std::shared_ptr<const signing_key>& first_key() {
  static const auto key = std::make_shared<const signing_key>(key_of("host-2026", 1));
  return key;
}

const std::shared_ptr<const signing_key>& second_key() {
  static const auto key = std::make_shared<const signing_key>(key_of("host-2027", 2));
  return key;
}

event_sealing_ptr sealing_of(scripted_signing signing, const std::shared_ptr<const signing_key>& key,
                             const std::shared_ptr<const signing_key>& former = nullptr) {
  if (signing == scripted_signing::off) return nullptr;
  return std::make_shared<const host_sealing>(key, former,
                                              signing == scripted_signing::event ? 1 : events_per_checkpoint);
}

void demand(std::error_code refused) {
  if (refused) throw std::runtime_error{"the script is refused: " + refused.message()};
}

/// A host's lives on one log, one after another.
class scripted_host {
 public:
  explicit scripted_host(const event_sealing_ptr& sealing) : log_(statement_of(sealing)), sealing_(sealing) {
    clock_.time += 123'456'789ns;
    epochs_ = std::make_shared<chain_epochs>();
    chain_.emplace("host-a", log_, clock_, sealing_, std::nullopt, *epochs_);
    demand(chain_->record(daemon_start{std::string{version}}));
    work();
  }

  host_event_chain& chain() { return *chain_; }
  sink_journal& sink() { return *sink_; }
  const std::string& text() const { return log_.text; }
  wall_time now() const { return clock_.time; }

  void wait(std::chrono::nanoseconds time) { clock_.time += time; }

  void change_key(const event_sealing_ptr& sealing) {
    sealing_ = sealing;
    chain_->change_key(sealing);
    sink_->change_key(sealing);
    flush();
  }

  /// The process is gone, and another one finds what it left.
  std::vector<recovered_run> restart(const event_sealing_ptr& sealing, const std::string& host_id = "host-a") {
    sink_.reset();
    chain_.reset();
    sealing_ = sealing;
    wait(2s + 1ns);
    auto found = recovered_from(log_.text, {log_.journal, own_keys(sealing_), std::string{boot}, 1});
    epochs_ = std::make_shared<chain_epochs>(found.highest_epoch);
    demand(record_restart(found, {host_id, version, log_, clock_, *epochs_, sealing_}, chain_));
    work();
    return std::move(found.open_runs);
  }

  void open(const host_stamp_ptr& run, std::optional<recovered_run> left = std::nullopt) {
    sink_->open_run(run, {std::string{version}, 10s, std::move(left), nullptr});
    flush();
  }

  /// One chunk of connection 1, with one declaration of every source that is appended.
  void declare(const host_stamp_ptr& run, std::uint64_t chunk, const std::string& name,
               std::uint64_t most_declarations = 100, const batch& besides = {}) {
    static constexpr std::array sources{probe_source::process_spawned,   probe_source::process_exited,
                                        probe_source::capability_denied, probe_source::net_connect_attempted,
                                        probe_source::fs_inotify_fired,  probe_source::telemetry_dropped};
    auto received = std::make_shared<received_chunk>();
    received->sequence = chunk;
    received->connection = 1;
    received->received_at = now();
    received->frames = static_cast<std::uint32_t>(sources.size() + besides.heartbeats + besides.refused.total());
    batch made = besides;
    made.attribution = run;
    made.chunk = received;
    for (const probe_source source : sources) {
      made.declarations.push_back({source, 4242, 5'123'456'789 + chunk, name});
    }
    sink_->take(run, made, {}, most_declarations);
    flush();
  }

  /// Declarations behind a run's last event, by somebody who has no key.
  void forge(const host_stamp_ptr& run) {
    const auto left = recovered_from(log_.text, {log_.journal, {}, std::string{boot}, 1}).open_runs.at(0);
    run_ledger forger{run, left, sealing_ ? std::make_shared<const host_sealing>(nullptr, nullptr, 1u << 30) : nullptr};
    auto received = std::make_shared<received_chunk>();
    received->sequence = 1;
    received->frames = 2;
    received->received_at = now();
    batch made;
    made.attribution = run;
    made.chunk = received;
    made.declarations.resize(2);
    forger.take(log_.text, made);
  }

  void flush() {
    demand(test::flush(*sink_, *chain_));
    wait(1'000'003ns);
  }

 private:
  void work() { sink_.emplace(log_, clock_, sealing_, "SINK", epochs_); }

  manual_clock clock_;
  recorded_log log_;
  event_sealing_ptr sealing_;
  std::shared_ptr<chain_epochs> epochs_;
  std::optional<host_event_chain> chain_;
  std::optional<sink_journal> sink_;
};

host_stamp_ptr run_of(const std::string& cell, const std::string& run) {
  return std::make_shared<const host_stamp>(host_stamp{"host-a", cell, run, "sha256:9f86d081884c7d65"});
}

/// Of a guest that counts, and does not do everything right.
batch losses_of_a_guest() {
  batch lost;
  lost.heartbeats = 2;
  lost.forged_attribution = 1;
  lost.refused.add(telemetry_errc::malformed_frame, 3);
  lost.refused.add(telemetry_errc::framing_lost, 1);
  lost.losses = {true, 5, 12, 1, true, 17};
  return lost;
}

/// Of a run that retention took whole, and of one that is open and of which it took everything there was.
evidence_removal removal_by(const event_sealing_ptr& sealing) {
  const std::string digest = sealing ? sealing->digest_text(event_digest{1, 2, 3}) : std::string{};
  run_state state;
  state.attribution = run_of("cell-9", "run-1");
  state.totals.received = state.totals.appended = 11;
  state.resumed = state.silence_told = true;
  evidence_removal removal;
  removal.first_segment = 1;
  removal.last_segment = 3;
  removal.bytes = 1'234'567;
  removal.chains.push_back({"host-a/cell-0/run-0/1600000000000", 12, digest, false, {}, statement_of(sealing)});
  removal.chains.push_back({"host-a/cell-9/run-1/1600000000001", 13, digest, true, state, statement_of(sealing)});
  return removal;
}

}  // namespace

std::string scripted_log(scripted_signing signing) {
  const event_sealing_ptr first = sealing_of(signing, first_key());
  const event_sealing_ptr second = sealing_of(signing, second_key(), first_key());
  const auto one = run_of("cell-1", "run-1");
  const auto two = run_of("cell-2", "run-7");
  scripted_host host{first};
  host.open(one);
  host.open(two);
  host.declare(one, 1, "bash");
  host.declare(two, 1, hostile_name);
  host.declare(one, 2, "sh", 4, losses_of_a_guest());
  host.sink().summarise_losses({}, [](const host_stamp&, const refusal_counts&) {});
  host.flush();
  host.sink().quarantine(two, {2, 9, "cell-2-2.frames"}, {});
  host.sink().silence(one, {10s, monotonic_time{5s}, monotonic_time{15s + 1ns}});
  host.flush();
  host.sink().checkpoint();
  host.flush();
  host.declare(one, 3, "");
  demand(host.chain().record(log_blockage{"No space left on device", 1'500'000'000ns}));
  host.change_key(second);
  host.declare(two, 3, "cron");

  const auto left = host.restart(second);
  if (left.size() != 2) throw std::runtime_error{"a run is lost"};
  demand(host.chain().record(truncated_file{"evidence-00000000000000000001.jsonl", 77}));
  for (const recovered_run& each : left) host.open(each.attribution.cell_id == "cell-1" ? one : two, each);
  host.declare(two, 1, "init");
  host.sink().close_run(one, {run_end_reason::retired, 0, 3});
  host.flush();
  demand(host.chain().record(removal_by(second)));
  host.sink().close_run(two, {run_end_reason::daemon_stopped, 8, 1});
  host.flush();
  demand(host.chain().record(daemon_stop{}));
  return host.text();
}

std::string scripted_findings(scripted_signing signing) {
  const event_sealing_ptr sealing = sealing_of(signing, first_key());
  const auto one = run_of("cell-1", "run-1");
  scripted_host host{sealing};
  host.open(one);
  host.declare(one, 1, "bash");
  // Somebody without the key, who links events well.
  host.forge(one);
  const auto left = host.restart(sealing);
  if (left.size() != 1) throw std::runtime_error{"the run is lost"};
  host.open(one, left.front());

  const event_place nowhere;
  const event_place here{7, sealing ? sealing->digest_text(event_digest{4, 5, 6}) : std::string{}};
  for (const journal_trouble trouble : {journal_trouble::absent, journal_trouble::unauthentic, journal_trouble::behind,
                                        journal_trouble::former_version}) {
    demand(host.chain().record(recovery_finding{trouble}));
  }
  for (const abandon_cause cause :
       {abandon_cause::cut_back, abandon_cause::was_closed, abandon_cause::unknown_chain, abandon_cause::broken}) {
    const bool known = cause != abandon_cause::unknown_chain;
    demand(host.chain().record(recovery_finding{
        abandoned_chain{"host-a/cell-3/run-1/1600000000002", cause, known ? here : nowhere, nowhere}}));
    demand(host.chain().record(recovery_finding{
        abandoned_chain{"host-a/cell-4/run-1/1600000000003", cause, nowhere, known ? nowhere : here}}));
  }
  demand(host.chain().record(recovery_finding{adopted_range{"host-a/cell-5/run-1/1600000000004", 6, here}}));
  demand(host.chain().record(recovery_finding{lost_events{"host-a/cell-6/run-1/1600000000005", 9, 7}}));
  demand(host.chain().record(recovery_finding{unreadable_line{"evidence-00000000000000000001.jsonl", 12}}));
  demand(host.chain().record(missing_range{4, 6}));
  host.flush();
  // Under another name, with another key that nobody handed over to.
  (void)host.restart(sealing_of(signing, second_key()), "host-b");
  return host.text();
}

key_list scripted_keys() { return test::keys_of({first_key().get(), second_key().get()}); }

}  // namespace cellos::test
