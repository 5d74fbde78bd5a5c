// The boot list, step by step: first whatever may refuse (claims, sockets, threads), then what writes to the evidence,
// then what serves. A start that is refused leaves the evidence as it was.

#include "runtime/daemon/host_daemon.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "runtime/daemon/liveness_check.hpp"
#include "runtime/daemon/restart_recovery.hpp"
#include "runtime/daemon/settings.hpp"
#include "runtime/os/clocks.hpp"
#include "runtime/os/descriptor_plan.hpp"
#include "runtime/signing/journal_key.hpp"
#include "runtime/version.hpp"

namespace cellos {

namespace {

/// Above what the HOST SUPERVISOR itself allows a cell to end. Chosen here.
constexpr std::chrono::seconds stop_timeout{60};

/// Beside those that run actors: CAF's timer and printer, the operator's log, the committer, retention, the feed, the
/// writer of the state file, the I/O thread with its two for accepting and leaving, the watchdog, two servers of three
/// each; and some to spare.
constexpr std::size_t other_threads = 24;

std::size_t cores() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace

host_daemon::host_daemon(const configuration& settings, std::filesystem::path file)
    : settings_(settings), file_(std::move(file)) {}

host_daemon::~host_daemon() = default;

wall_time host_daemon::system_clock::now() const { return system_wall_time(); }

host_daemon::actor_configuration::actor_configuration(std::size_t threads) {
  // `sharing`: stealing spins at low rates (35 % against 0.5 % of a core).
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", threads);
}

std::vector<boot_step> host_daemon::boot_steps() {
  return {
      {"open the operator's log", [this] { return open_operator_log(); }},
      {"notify starting", [this] { return notify_starting(); }},
      {"start the threads", [this] { return check_thread_limit(); }},
      {"load the signing key", [this] { return load_signing_key(); }},
      {"open the evidence log", [this] { return claim_evidence(); }, [this] { claimed_.reset(); }},
      {"read the cells of the control API", [this] { return open_admission_store(); }, [this] { admissions_.reset(); }},
      {"serve the control API", [this] { return bind_control(); }, [this] { control_sockets_ = {}; }},
      {"start the socket service", [this] { return start_socket_service(); }, [this] { sockets_.reset(); }},
      {"start the actor system", [this] { return start_actor_system(); }, [this] { system_.reset(); }},
      {"open the evidence log", [this] { return open_evidence_log(); }, [this] { close_evidence_log(); }},
      {"recover the open runs", [this] { return read_open_runs(); }},
      {"record the start", [this] { return record_start(); }, [this] { end_orphaned_runs(); }},
      {"start the actors", [this] { return start_actors(); }, [this] { stop_actors(); }},
      {"admit the cells", [this] { return admit_cells(); }, [this] { drain_cells(); }},
      {"serve the control API", [this] { return serve_control(); }, [this] { stop_control(); }},
      {"notify ready", [this] { return notify_ready(); }, [this] { notifier_.stopping(); }},
  };
}

exit_code host_daemon::run() {
  const boot_refusal refused = run_boot_list(
      boot_steps(), [this](const boot_refusal& refusal) { refuse(refusal); }, [this] { serve_until_signal(); });
  if (!refused.cause.empty()) return exit_unavailable;
  return cells_not_drained_ > 0 ? exit_failure_found : exit_success;
}

void host_daemon::refuse(const boot_refusal& refusal) {
  const std::string sentence = std::string{"cellos-telemetryd: cannot "} + refusal.step + ": " + refusal.cause;
  if (log_lines_) return log_lines_->refuse_start(refusal.step, refusal.cause, sentence);
  operator_log::refuse_start_unqueued(settings_.log, refusal.step, refusal.cause, sentence);
}

std::string host_daemon::open_operator_log() {
  log_lines_.emplace(settings_.log);
  events().daemon_started(version, settings_.host_id, settings_.evidence.dir.native());
  return {};
}

std::string host_daemon::notify_starting() {
  notifier_.starting();
  return {};
}

/// What starts threads cannot all take it back when one is missing; so they are tried before.
std::string host_daemon::check_thread_limit() const {
  return threads_are_allowed(actor_threads(settings_.workers, cores()) + other_threads) ? "" : thread_shortage();
}

std::string host_daemon::load_signing_key() {
  sealing_outcome opened = open_sealing(settings_.signing, process_environment);
  if (!opened.refusal.empty()) return opened.refusal;
  sealing_ = std::move(opened.sealing);
  return {};
}

std::string host_daemon::claim_evidence() {
  evidence_directory::claim_result claim = evidence_directory::claim(settings_.evidence.dir, real_file_system());
  claimed_ = std::move(claim.directory);
  return claim.refusal;
}

std::string host_daemon::open_admission_store() {
  auto opened = admission_store::open(settings_.control.state_file.value_or(settings_.evidence.dir / "cells.json"));
  admissions_ = std::move(opened.cells);
  return opened.refusal;
}

std::string host_daemon::bind_control() {
  control_sockets::outcome bound = control_sockets::bind(settings_.control);
  if (bound.refusal.empty()) control_sockets_ = std::move(bound.sockets);
  return bound.refusal;
}

std::string host_daemon::start_socket_service() {
  socket_service_options options = socket_options_of(settings_.intake, settings_.signing);
  options.guest_descriptors = plan_descriptors(descriptor_limit()).guests;
  sockets_.emplace(options, events(), real_socket_calls(), service_clocks{clock_, system_monotonic_clock()});
  return {};
}

std::string host_daemon::start_actor_system() {
  actor_configuration_.emplace(actor_threads(settings_.workers, cores()));
  system_.emplace(*actor_configuration_);
  return {};
}

std::string host_daemon::open_evidence_log() {
  const journal_terms journal{{settings_.host_id, statement_of(sealing_), present_boot_id()},
                              journal_mac_of(sealing_),
                              former_journal_mac_of(sealing_)};
  segment_log::opening opened =
      segment_log::open({settings_.evidence, removal_policy::on_record, journal}, std::move(claimed_));
  if (!opened.log) return opened.refusal;
  log_ = std::move(opened.log);
  journal_left_ = std::move(opened.journal);
  if (journal_left_.header) first_segment_left_ = journal_left_.header->first_segment;
  torn_ = opened.recovered;
  if (torn_) events().evidence_recovered(torn_->file.native(), torn_->bytes_removed);
  if (!opened.other_files.empty()) events().foreign_files(settings_.evidence.dir.native(), opened.other_files);
  start_measuring();
  return {};
}

/// Everything that looks at what is appended.
void host_daemon::start_measuring() {
  metrics_.emplace(metrics::sources{std::string{version}, settings_.host_id, *log_, events(),
                                    [this] { return host_->blocked_sinks->load(); },
                                    [this] { return watchdog_->hung(); }, [this] { return log_lines_->lines_lost(); }});
  metrics_->set_per_cell(settings_.metrics.per_cell_series);
  feed_.emplace(*log_, settings_.evidence.dir, events(), event_feed::options{});
  observed_.emplace(
      *log_, open_chains_, [this](std::chrono::nanoseconds took) { metrics_->append_took(took); },
      [this] { feed_->appended(); });
}

void host_daemon::close_evidence_log() {
  feed_.reset();
  maintenance_.reset();
  if (const std::error_code failed = log_->close()) events().evidence_blocked(failed);
  events().daemon_stopped(cells_not_drained_);
}

/// Changes nothing.
std::string host_daemon::read_open_runs() {
  log_recovery read = recover_log(settings_.evidence.dir, {std::move(journal_left_), own_keys(sealing_),
                                                           present_boot_id(), log_->current_segment()});
  found_ = std::move(read.conclusions);
  return read.failure;
}

std::string host_daemon::record_start() {
  epochs_ = std::make_shared<chain_epochs>(found_.highest_epoch);
  open_chains_.announce(heads_of(found_.open_runs));
  const restart_context context{settings_.host_id, version, *observed_, clock_, *epochs_, sealing_};
  std::error_code refused = cellos::record_start(found_, context, *log_, events(), host_chain_);
  if (!refused && torn_) host_chain_->evidence_truncated(torn_->file.filename().native(), torn_->bytes_removed);
  if (!refused) begin_retention();
  if (!refused) refused = host_chain_->flush();
  return refused ? "the evidence log took no record of the restart: " + refused.message() : std::string{};
}

void host_daemon::begin_retention() {
  const retention_file noted{log_->directory()};
  const auto state = noted.read({journal_mac_of(sealing_), former_journal_mac_of(sealing_)});
  // The journal is begun anew less often; but that file alone can be taken away.
  report_missing(std::max(first_segment_left_, state ? state->first_segment : 0));
  maintenance_.emplace(retention::surroundings{*log_, *host_chain_, events(), open_chains_},
                       state.value_or(retention_state{}), journal_mac_of(sealing_));
}

/// Nothing is missing of a log of which nobody says where it begins.
void host_daemon::report_missing(std::uint64_t first_expected) {
  if (first_expected == 0) return;
  std::error_code unlisted;
  for (const segment_range& each : missing_segments(list_segments(settings_.evidence.dir, unlisted), first_expected)) {
    events().segments_missing(each.first, each.last);
    host_chain_->segments_missing(each.first, each.last);
  }
}

void host_daemon::end_orphaned_runs() {
  // Nothing follows the host's last word; and from here on the log's limit is in the way of no end.
  maintenance_.reset();
  std::error_code failed;
  if (host_) failed = end_orphans(host_->recovered.all(), clock_, host_->sealing, *host_chain_);
  // A host that stopped left nothing open; otherwise the next start goes on from here.
  if (!failed) {
    host_chain_->stopped();
    failed = host_chain_->flush();
  }
  if (failed) events().evidence_blocked(failed);
}

std::string host_daemon::start_actors() {
  quarantine_.emplace(settings_.evidence.dir / "quarantine");
  host_.emplace(host_environment{settings_.host_id, std::string{version}, *sockets_, *observed_, *quarantine_, clock_,
                                 events(), activities_, recovered_runs{std::move(found_.open_runs)}});
  host_->epochs = epochs_;
  host_->sealing = sealing_;
  host_->host_chain = &*host_chain_;
  host_->cell_share = share_of(settings_.evidence);
  watchdog_.emplace(activities_, events(), watchdog::options{});
  supervisor_ = system_->spawn(make_host_supervisor, cores(), &*host_);
  // Only a bug can end it, and nothing is served after: let whoever started us start us again.
  supervisor_->attach_functor([this](const caf::error&) {
    if (!stopping_) ::kill(::getpid(), SIGTERM);
  });
  configured_cells_.emplace(*system_, supervisor_);
  return {};
}

void host_daemon::stop_actors() {
  stopping_ = true;
  host_client_.reset();
  watchdog_.reset();
  configured_cells_.reset();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  supervisor_ = nullptr;
  system_->await_all_actors_done();
}

std::string host_daemon::admit_cells() {
  const configured_cells::result served = configured_cells_->serve(settings_.cells);
  const configured_cells::result remembered = serve_restored();
  cells_admitted_ = served.admitted + remembered.admitted;
  cells_refused_ = served.refused + remembered.refused;
  return {};
}

std::string host_daemon::notify_ready() {
  events().daemon_ready(cells_admitted_, cells_refused_);
  notifier_.ready(cells_admitted_, cells_refused_, [this](std::chrono::nanoseconds timeout) {
    return check_liveness(*system_, supervisor_, *sockets_, timeout);
  });
  return {};
}

configured_cells::result host_daemon::serve_restored() {
  std::vector<cell_specification> ours;
  std::vector<cell_specification> superseded;
  std::unique_ptr<configured_cells::admissions> asked;
  admissions_->with_all([&](const std::vector<cell_specification>& all) {
    for (const cell_specification& cell : all)
      (configured_cells_->names(cell.cell_id) ? superseded : ours).push_back(cell);
    asked = configured_cells_->ask_for(ours);
  });
  for (const cell_specification& cell : superseded) {
    const auto same = std::find(settings_.cells.begin(), settings_.cells.end(), cell);
    if (same == settings_.cells.end()) {
      events().cell_refused(cell.cell_id, "the configuration file has another cell of this id, which counts");
    }
    admissions_->forget(cell.cell_id, [](std::error_code) {});
  }
  if (!ours.empty()) events().cells_restored(ours.size());
  const std::size_t admitted = asked->wait().size();
  return {admitted, ours.size() - admitted};
}

std::string host_daemon::serve_control() {
  host_client_.emplace(*system_, supervisor_);
  auto opened = control_service::open(
      std::move(control_sockets_), settings_.control,
      {std::string{version}, settings_.host_id, *host_client_, *admissions_, *feed_, *metrics_,
       [this] { return host_->blocked_sinks->load(); }, [this] { return watchdog_->hung(); },
       [this](const std::string& id) { return configured_cells_->names(id); },
       [this] { return configured_cells_->expected(); },
       [this](reload_reply asked) {
         reloads_.add(std::move(asked));
         ::kill(::getpid(), SIGHUP);
       },
       [this] { return log_->is_displaced(); }, host_->progress,
       [this](const std::string& id, bool removed) { configured_cells_->set_removed(id, removed); }});
  if (!opened.service) return opened.refusal;
  control_ = std::move(opened.service);
  if (settings_.control.socket) events().control_listening(settings_.control.socket->native());
  if (settings_.control.http_listen) events().control_listening("http://" + control_->http_address());
  return {};
}

/// Nobody asks, then nothing is answered, then what was promised is written: in this order each still finds the next.
void host_daemon::stop_control() {
  control_->stop_serving();
  host_client_->stop();
  admissions_.reset();
}

void host_daemon::drain_cells() {
  caf::scoped_actor self{*system_};
  self->request(supervisor_, stop_timeout, stop_atom::value)
      .receive([this](std::uint64_t not_drained) { cells_not_drained_ = not_drained; },
               [this](const caf::error&) { cells_not_drained_ = settings_.cells.size(); });
}

}  // namespace cellos
