// The daemon as two lists: boot steps in order, each of which may refuse with a sentence, and teardown steps in reverse
// order of what was booted, which always run.

#include "runtime/daemon/daemon.hpp"

#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <caf/all.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/host_chronicle.hpp"
#include "actors/host_supervisor.hpp"
#include "runtime/configuration/load.hpp"
#include "runtime/control/control_service.hpp"
#include "runtime/daemon/cell_roster.hpp"
#include "runtime/daemon/look_for_life.hpp"
#include "runtime/daemon/predecessor.hpp"
#include "runtime/daemon/reload.hpp"
#include "runtime/daemon/service_notifier.hpp"
#include "runtime/daemon/settings.hpp"
#include "runtime/daemon/watchdog.hpp"
#include "runtime/evidence/observed_log.hpp"
#include "runtime/evidence/quarantine_directory.hpp"
#include "runtime/evidence/run_recovery.hpp"
#include "runtime/signing/open_sealing.hpp"
#include "runtime/version.hpp"

namespace cellos {

namespace {

/// Above what the HOST SUPERVISOR itself allows a cell to end. Ours.
constexpr std::chrono::seconds stop_patience{60};

class system_clock final : public wall_clock {
 public:
  wall_time now() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  }
};

sigset_t daemon_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  return signals;
}

class actor_configuration : public caf::actor_system_config {
 public:
  explicit actor_configuration(std::uint32_t threads) {
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    // `sharing`: stealing spins at low rates (35 % against 0.5 % of a core).
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", actor_threads(threads, cores));
  }
};

class daemon {
 public:
  daemon(const configuration& settings, std::filesystem::path file) : settings_(settings), file_(std::move(file)) {}

  exit_code run() {
    const std::vector<step> steps{
        {"block signals", [this] { return block_signals(); }, [] {}},
        {"greet the service manager", [this] { return greet_service_manager(); }, [] {}},
        {"open the operator's log", [this] { return open_operator_log(); }, [this] { logger_->flush(); }},
        {"take up the signing key", [this] { return take_up_signing_key(); }, [] {}},
        {"open the evidence log", [this] { return open_evidence_log(); }, [this] { close_evidence_log(); }},
        {"recover the open runs", [this] { return recover_open_runs(); }, [this] { end_orphaned_runs(); }},
        {"remember the cells of the control API", [this] { return open_memory(); }, [this] { memory_.reset(); }},
        {"start the socket service", [this] { return start_socket_service(); }, [this] { sockets_.reset(); }},
        {"start the actors", [this] { return start_actors(); }, [this] { stop_actors(); }},
        {"admit the cells", [this] { return admit_cells(); }, [this] { drain_cells(); }},
        {"serve the control API", [this] { return serve_control(); }, [this] { stop_control(); }},
        {"report for duty", [this] { return report_for_duty(); }, [this] { notifier_.stopping(); }},
    };
    std::size_t booted = 0;
    exit_code outcome = exit_success;
    for (; booted < steps.size(); ++booted) {
      const std::string refusal = steps[booted].boot();
      if (refusal.empty()) continue;
      std::fprintf(stderr, "cellos-telemetryd: cannot %s: %s\n", steps[booted].name, refusal.c_str());
      outcome = exit_unavailable;
      break;
    }
    if (outcome == exit_success) serve_until_signal();
    while (booted-- > 0) steps[booted].teardown();
    if (outcome == exit_success && cells_not_drained_ > 0) outcome = exit_failure_found;
    return outcome;
  }

 private:
  struct step {
    const char* name;
    /// Empty, or why the daemon cannot start.
    std::function<std::string()> boot;
    std::function<void()> teardown;
  };

  /// Every thread inherits this, so that only `serve_until_signal` sees them; writes to a closed peer are errors.
  std::string block_signals() {
    const sigset_t signals = daemon_signals();
    ::signal(SIGPIPE, SIG_IGN);
    return ::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0 ? "" : "the kernel refuses";
  }

  std::string greet_service_manager() {
    notifier_.starting();
    return {};
  }

  std::string open_operator_log() {
    logger_ = std::make_shared<spdlog::logger>("telemetryd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger_->set_level(level_of(settings_.log));
    events_.emplace(logger_, format_of(settings_.log));
    events_->daemon_started(version, settings_.host_id, settings_.evidence.dir.native());
    return {};
  }

  std::string take_up_signing_key() {
    sealing_outcome opened = open_sealing(settings_.signing, process_environment);
    if (!opened.refusal.empty()) return opened.refusal;
    sealing_ = std::move(opened.sealing);
    checkpoint_interval_ = opened.checkpoint_interval;
    return {};
  }

  std::string open_evidence_log() {
    segment_log::opening opened = segment_log::open(log_options_of(settings_.evidence));
    if (!opened.log) return opened.refusal;
    log_ = std::move(opened.log);
    torn_ = opened.recovered;
    if (torn_) events_->evidence_recovered(torn_->file.native(), torn_->bytes_removed);
    start_measuring();
    return {};
  }

  /// Everything that looks at what is appended.
  void start_measuring() {
    metrics_.emplace(metrics::sources{std::string{version}, settings_.host_id, *log_, *events_,
                                      [this] { return host_->blocked_sinks->load(); },
                                      [this] { return watchdog_->hung(); }});
    metrics_->set_per_cell(settings_.metrics.per_cell_series);
    event_feed::options feeding;
    feeding.fsync = log_options_of(settings_.evidence).fsync;
    feed_.emplace(*log_, settings_.evidence.dir, *events_, feeding);
    observed_.emplace(
        *log_, [this](std::chrono::nanoseconds took) { metrics_->append_took(took); }, [this] { feed_->appended(); });
  }

  void close_evidence_log() {
    feed_.reset();
    if (const std::error_code failed = log_->close()) events_->evidence_blocked(failed);
    events_->daemon_stopped(cells_not_drained_);
  }

  std::string open_memory() {
    auto opened = remembered_cells::open(settings_.control.state_file.value_or(settings_.evidence.dir / "cells.json"));
    memory_ = std::move(opened.cells);
    return opened.refusal;
  }

  std::string start_socket_service() {
    sockets_.emplace(socket_options_of(settings_.intake, settings_.signing), *events_);
    return {};
  }

  std::string recover_open_runs() {
    recovered_log left = recover_runs(settings_.evidence.dir);
    if (!left.failure.empty()) return left.failure;
    chronicle_.emplace(settings_.host_id, *observed_, clock_, sealing_, left.host_chain);
    if (torn_) chronicle_->evidence_truncated(torn_->file.filename().native(), torn_->bytes_removed);
    chronicle_->started(version);
    for (const run_end_mark& end : left.untold_ends) chronicle_->run_closed(end);
    std::error_code refused = chronicle_->flush();
    if (!refused) refused = record_restart(left.open_runs, *observed_, clock_, sealing_, &*chronicle_);
    if (refused) return "the evidence log took no record of the restart: " + refused.message();
    if (!left.open_runs.empty()) events_->runs_recovered(left.open_runs.size());
    open_runs_ = std::move(left.open_runs);
    return {};
  }

  void end_orphaned_runs() {
    std::error_code failed;
    if (host_) failed = end_orphans(host_->recovered, *observed_, clock_, host_->sealing, &*chronicle_);
    chronicle_->stopped();
    if (!failed) failed = chronicle_->flush();
    if (failed) events_->evidence_blocked(failed);
  }

  std::string start_actors() {
    actor_configuration_.emplace(settings_.workers);
    system_.emplace(*actor_configuration_);
    quarantine_.emplace(settings_.evidence.dir / "quarantine");
    host_.emplace(host_environment{settings_.host_id, std::string{version}, *sockets_, *observed_, *quarantine_, clock_,
                                   *events_, census_, std::move(open_runs_)});
    host_->sealing = sealing_;
    host_->checkpoint_interval = checkpoint_interval_;
    host_->chronicle = &*chronicle_;
    host_->cell_share = share_of(settings_.evidence);
    supervisor_ = system_->spawn(make_host_supervisor, std::max(1u, std::thread::hardware_concurrency()), &*host_);
    // Only a bug can end it, and nothing is served after: let whoever started us start us again.
    supervisor_->attach_functor([this](const caf::error&) {
      if (!stopping_) ::kill(::getpid(), SIGTERM);
    });
    watchdog_.emplace(census_, *events_, watchdog::options{});
    roster_.emplace(*system_, supervisor_);
    return {};
  }

  void stop_actors() {
    stopping_ = true;
    questions_.reset();
    watchdog_.reset();
    roster_.reset();
    caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
    supervisor_ = nullptr;
    system_.reset();  // waits for every actor
  }

  std::string admit_cells() {
    const cell_roster::result served = roster_->serve(settings_.cells);
    const cell_roster::result remembered = serve_remembered();
    cells_admitted_ = served.admitted + remembered.admitted;
    cells_refused_ = served.refused + remembered.refused;
    return {};
  }

  std::string report_for_duty() {
    events_->daemon_ready(cells_admitted_, cells_refused_);
    notifier_.ready(cells_admitted_, cells_refused_, [this](std::chrono::nanoseconds patience) {
      return look_for_life(*system_, supervisor_, *sockets_, patience);
    });
    return {};
  }

  /// Cells of the control API, beside those of the file; of two with one id, the file's counts. A cell that is removed
  /// meanwhile is admitted before it is retired, or not at all.
  cell_roster::result serve_remembered() {
    std::vector<cell_configuration> ours;
    std::vector<cell_configuration> superseded;
    std::unique_ptr<cell_roster::admissions> asked;
    memory_->with_all([&](const std::vector<cell_configuration>& all) {
      for (const cell_configuration& cell : all) (roster_->names(cell.id) ? superseded : ours).push_back(cell);
      asked = roster_->ask_for(ours);
    });
    for (const cell_configuration& cell : superseded) {
      const auto same = std::find(settings_.cells.begin(), settings_.cells.end(), cell);
      if (same == settings_.cells.end()) {
        events_->cell_refused(cell.id, "the configuration file has another cell of this id, which counts");
      }
      memory_->forget(cell.id, [](std::error_code) {});
    }
    if (!ours.empty()) events_->cells_remembered(ours.size());
    const std::size_t admitted = asked->wait().size();
    return {admitted, ours.size() - admitted};
  }

  std::string serve_control() {
    questions_.emplace(*system_, supervisor_);
    auto opened = control_service::open(
        settings_.control,
        {std::string{version}, settings_.host_id, *questions_, *memory_, *feed_, *metrics_,
         [this] { return host_->blocked_sinks->load(); }, [this] { return watchdog_->hung(); },
         [this](const std::string& id) { return roster_->names(id); }, [this] { return roster_->named(); },
         [this](reload_reply asked) {
           reloads_.add(std::move(asked));
           ::kill(::getpid(), SIGHUP);
         }});
    if (!opened.service) return opened.refusal;
    control_ = std::move(opened.service);
    if (settings_.control.socket) events_->control_listening(settings_.control.socket->native());
    if (settings_.control.http_listen) events_->control_listening("http://" + control_->http_address());
    return {};
  }

  /// Nobody asks, then nothing is answered, then what was promised is written: in this order each still finds the next.
  void stop_control() {
    control_->stop_serving();
    questions_->stop();
    memory_.reset();
  }

  void drain_cells() {
    caf::scoped_actor self{*system_};
    self->request(supervisor_, stop_patience, stop_atom::value)
        .receive([this](std::uint64_t not_drained) { cells_not_drained_ = not_drained; },
                 [this](const caf::error&) { cells_not_drained_ = settings_.cells.size(); });
  }

  void serve_until_signal() {
    const sigset_t signals = daemon_signals();
    int signal = 0;
    while (::sigwait(&signals, &signal) == 0 && signal == SIGHUP) reload();
    events_->daemon_draining(signal == SIGINT ? "SIGINT" : "SIGTERM");
  }

  /// For whoever asked until now: those who ask meanwhile are answered by the next one.
  void reload() {
    notifier_.reloading();
    const std::vector<reload_reply> asked = reloads_.take();
    const configuration_outcome read = load_configuration(file_);
    const auto* errors = std::get_if<std::vector<configuration_error>>(&read);
    const reload_report report = errors != nullptr ? refuse(*errors) : take_over(std::get<configuration>(read));
    for (const reload_reply& each : asked) each(report);
    notifier_.reloaded(report.errors.empty() ? std::optional<std::uint64_t>{report.refused} : std::nullopt);
  }

  /// A bad file changes nothing.
  reload_report refuse(const std::vector<configuration_error>& errors) {
    std::vector<std::string> problems;
    for (const configuration_error& error : errors) problems.push_back(to_string(error));
    events_->reload_refused(problems);
    return {errors, 0, 0, {}};
  }

  /// Whatever of a changed file can count at once. The key first: it alone can still be refused.
  reload_report take_over(const configuration& read) {
    if (std::string why = reload_key(read.signing); !why.empty()) {
      return refuse({{file_.native(), 1, 1, "signing", std::move(why), "mend [signing]; nothing was changed"}});
    }
    reload_report report;
    report.restart_needed = restart_needed_for(settings_, read);
    if (!report.restart_needed.empty()) events_->restart_needed(joined(report.restart_needed));
    events_->set_level(level_of(read.log));
    sockets_->set_limits(socket_options_of(read.intake, read.signing));
    metrics_->set_per_cell(read.metrics.per_cell_series);
    settings_.cells = read.cells;
    const cell_roster::result served = roster_->serve(read.cells);
    const cell_roster::result remembered = serve_remembered();
    report.cells = served.admitted + remembered.admitted;
    report.refused = served.refused + remembered.refused;
    events_->reloaded(report.cells, report.refused);
    return report;
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
    return out;
  }

  /// Takes over a changed key, also one in a file whose name is the same. Otherwise says why it cannot be used, and
  /// nothing is changed.
  std::string reload_key(const signing_configuration& wanted) {
    sealing_outcome opened = reopen_sealing(sealing_, wanted, process_environment);
    if (!opened.refusal.empty() || opened.sealing == sealing_) return opened.refusal;
    sealing_ = std::move(opened.sealing);
    caf::anon_send(supervisor_, rekey_atom::value, sealing_);
    return {};
  }

  configuration settings_;
  std::filesystem::path file_;
  service_notifier notifier_;
  system_clock clock_;
  std::shared_ptr<spdlog::logger> logger_;
  std::optional<operator_events> events_;
  event_sealing_ptr sealing_;
  std::chrono::nanoseconds checkpoint_interval_{};
  std::unique_ptr<segment_log> log_;
  std::optional<segment_log::torn_tail> torn_;
  std::optional<host_chronicle> chronicle_;
  std::optional<socket_service> sockets_;
  std::optional<actor_configuration> actor_configuration_;
  std::optional<caf::actor_system> system_;
  activity_census census_;
  std::optional<quarantine_directory> quarantine_;
  std::vector<recovered_run> open_runs_;
  std::optional<host_environment> host_;
  std::optional<watchdog> watchdog_;
  std::optional<metrics> metrics_;
  std::optional<event_feed> feed_;
  std::optional<observed_log> observed_;
  std::unique_ptr<remembered_cells> memory_;
  std::optional<host_questions> questions_;
  reload_queue reloads_;
  std::unique_ptr<control_service> control_;
  std::size_t cells_admitted_ = 0;
  std::size_t cells_refused_ = 0;
  std::atomic<bool> stopping_{false};
  host_supervisor_actor supervisor_;
  std::optional<cell_roster> roster_;
  std::uint64_t cells_not_drained_ = 0;
};

}  // namespace

exit_code run_daemon(const configuration& settings, const std::filesystem::path& file) {
  return daemon{settings, file}.run();
}

}  // namespace cellos
