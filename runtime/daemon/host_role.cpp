// A host's steps: first whatever may refuse (claims, sockets, threads), then what writes to the evidence, then what
// serves. A start that is refused leaves the evidence as it was.

#include "runtime/daemon/host_role.hpp"

#include <algorithm>
#include <utility>

#include "runtime/cross_witness/line_witness.hpp"
#include "runtime/daemon/liveness_check.hpp"
#include "runtime/daemon/open_sealing.hpp"
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

/// The HOST CHAIN, the committer, retention, the feed, the writer of the state file, the I/O thread with its two for
/// accepting and leaving, two servers of three each, what reads probes with as many again that may hang; and some to
/// spare.
constexpr std::size_t threads_at_most = 21;

/// An append takes as long as the disk does; asked again, nothing is appended twice. Chosen here.
constexpr std::chrono::seconds append_timeout{30};

cell_figures figures_of(const host_counts& counts) {
  cell_figures figures;
  for (const cell_on_board& cell : counts.cells) {
    if (!cell.counts.bound) continue;
    ++figures.cells;
    if (cell.counts.silenced) ++figures.silenced;
  }
  return figures;
}

/// Who connects a cell's telemetry socket is its VMM.
class probed_connections final : public connection_observer {
 public:
  explicit probed_connections(host_probe_service& probes) : probes_(probes) {}
  void connected(const cell_specification& cell, int connection) override { probes_.connected(cell, connection); }
  void disconnected(const cell_specification& cell) override { probes_.disconnected(cell); }

 private:
  host_probe_service& probes_;
};

/// For a thread that is no actor; waits for the outcome.
std::error_code ask_to_append(caf::actor_system& system, const host_supervisor_actor& host,
                              const joint_append_ptr& what) {
  std::error_code refused;
  caf::scoped_actor self{system};
  self->request(host, append_timeout, append_atom::value, what)
      .receive([&](const append_outcome& outcome) { refused = outcome.refused; },
               [&](const caf::error&) { refused = std::make_error_code(std::errc::resource_unavailable_try_again); });
  return refused;
}

}  // namespace

host_role::host_role(daemon_process& process, committed_end& committed, node_chain& chain,
                     const probe_privileges& privileges)
    : process_(process),
      committed_(committed),
      node_chain_(chain),
      privileges_(privileges),
      settings_(process.settings()),
      file_cells_(settings_.cells) {}

host_role::~host_role() = default;

std::size_t host_role::threads() const { return threads_at_most; }

std::vector<boot_step> host_role::claim_steps() {
  return {
      {"give up the probes' capabilities", [this] { return report_to(events(), privileges_); },
       [this] { report_to_nobody(privileges_); }},
      {"load the signing key", [this] { return load_signing_key(); }},
      {"claim the evidence directory", [this] { return claim_evidence(); }, [this] { claimed_.reset(); }},
      {"read the cells of the control API", [this] { return open_admission_store(); }, [this] { admissions_.reset(); }},
      {"start the socket service", [this] { return start_socket_service(); }, [this] { stop_socket_service(); }},
  };
}

std::vector<boot_step> host_role::serve_steps() {
  return {
      {"open the evidence log", [this] { return open_evidence_log(); }, [this] { close_evidence_log(); }},
      {"recover the open runs", [this] { return read_open_runs(); }},
      {"record the start", [this] { return record_start(); }, [this] { end_orphaned_runs(); }},
      {"start the actors", [this] { return start_actors(); }, [this] { stop_actors(); }},
      {"keep the log within its limits", [this] { return begin_retention(); }, [this] { maintenance_.reset(); }},
      {"admit the cells", [this] { return admit_cells(); }, [this] { drain_cells(); }},
  };
}

std::vector<boot_step> host_role::answer_steps() {
  return {{"serve the control API", [this] { return serve_control(); }, [this] { stop_control(); }}};
}

std::string host_role::load_signing_key() {
  sealing_outcome opened = open_sealing(settings_.signing, process_environment);
  if (!opened.refusal.empty()) return opened.refusal;
  sealing_ = std::move(opened.sealing);
  return {};
}

std::string host_role::claim_evidence() {
  evidence_directory::claim_result claim = evidence_directory::claim(settings_.evidence.dir, real_file_system());
  claimed_ = std::move(claim.directory);
  return claim.refusal;
}

std::string host_role::open_admission_store() {
  auto opened = admission_store::open(settings_.control.state_file.value_or(settings_.evidence.dir / "cells.json"));
  admissions_ = std::move(opened.cells);
  return opened.refusal;
}

std::string host_role::start_socket_service() {
  socket_service_options options = socket_options_of(settings_.intake, settings_.signing);
  options.guest_descriptors = plan_descriptors(descriptor_limit()).guests;
  probes_.emplace(settings_.probes, process_.clock(), events(), privileges_.reads);
  connections_ = std::make_unique<probed_connections>(*probes_);
  sockets_.emplace(options, events(), real_socket_calls(), service_clocks{process_.clock(), system_monotonic_clock()},
                   connections_.get());
  return {};
}

void host_role::stop_socket_service() {
  sockets_.reset();
  connections_.reset();
  probes_.reset();
}

/// Null where nothing is put on record that could be compared.
run_witness_ptr host_role::witness_of(const cell_specification& cell) {
  std::set<host_probe> recorded = probes_->recorded(cell);
  recorded.erase(host_probe::fc_metrics);
  recorded.erase(host_probe::exec);
  if (recorded.empty()) return nullptr;
  cross_witness_settings settings;
  settings.window = settings_.probes.witness_window;
  settings.silence_window = cell.keepalive_window;
  const auto show = [this, id = cell.cell_id, run = cell.run_id](const recorded_contradiction& found) {
    if (probes_) probes_->contradiction_found(id, run, found);
  };
  return std::make_shared<line_witness>(settings, terms_of(cell.probes.terms, settings_.probes.terms), show);
}

std::string host_role::open_evidence_log() {
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
  committed_.opened(*log_);
  return {};
}

/// Everything that looks at what is appended.
void host_role::start_measuring() {
  metrics_.emplace(metrics::sources{std::string{version}, settings_.host_id, *log_, events(),
                                    [this] { return host_->progress->blocked_sinks.load(); },
                                    [this] { return process_.hung(); }, [this] { return process_.log_lines_lost(); },
                                    &process_.nodes(), [this] { return probes_->counted(); }});
  metrics_->set_per_cell(settings_.metrics.per_cell_series);
  metrics_->set_per_host(settings_.metrics.per_host_series);
  feed_.emplace(*log_, settings_.evidence.dir, events(), event_feed::options{});
  observed_.emplace(
      *log_, open_chains_, [this](std::chrono::nanoseconds took) { metrics_->append_took(took); },
      [this] { feed_->appended(); });
}

void host_role::close_evidence_log() {
  feed_.reset();
  if (const std::error_code failed = log_->close()) events().evidence_blocked(failed);
  committed_.closed();
}

/// Changes nothing.
std::string host_role::read_open_runs() {
  log_recovery read = recover_log(settings_.evidence.dir, {std::move(journal_left_), own_keys(sealing_),
                                                           present_boot_id(), log_->current_segment()});
  found_ = std::move(read.conclusions);
  return read.failure;
}

std::string host_role::record_start() {
  epochs_ = std::make_shared<chain_epochs>(found_.highest_epoch);
  open_chains_.announce(heads_of(found_.open_runs));
  const restart_context context{settings_.host_id, version, *observed_, process_.clock(), *epochs_, sealing_};
  std::error_code refused = cellos::record_start(found_, context, *log_, events(), host_chain_);
  if (!refused && torn_) {
    refused = host_chain_->record(truncated_file{torn_->file.filename().native(), torn_->bytes_removed});
  }
  if (!refused) refused = record_missing();
  return refused ? "the evidence log took no record of the restart: " + refused.message() : std::string{};
}

std::error_code host_role::record_missing() {
  retention_left_ = retention_file{log_->directory()}.read({journal_mac_of(sealing_), former_journal_mac_of(sealing_)});
  // The journal is begun anew less often; but that file alone can be taken away.
  const std::uint64_t first = std::max(first_segment_left_, retention_left_ ? retention_left_->first_segment : 0);
  // Nothing is missing of a log of which nobody says where it begins.
  if (first == 0) return {};
  std::error_code unlisted;
  for (const segment_range& each : missing_segments(list_segments(settings_.evidence.dir, unlisted), first)) {
    events().segments_missing(each.first, each.last);
    if (const auto refused = host_chain_->record(missing_range{each.first, each.last})) return refused;
  }
  return {};
}

std::string host_role::begin_retention() {
  const auto record = [this](const joint_append_ptr& what) {
    return ask_to_append(process_.actors(), supervisor_, what);
  };
  maintenance_.emplace(retention::surroundings{*log_, record, events(), open_chains_},
                       retention_left_.value_or(retention_state{}), journal_mac_of(sealing_));
  return {};
}

void host_role::end_orphaned_runs() {
  std::error_code failed;
  if (host_) failed = end_orphans(resources_.recovered.all(), process_.clock(), resources_.sealing, *host_chain_);
  // A host that stopped left nothing open; otherwise the next start goes on from here.
  if (!failed) failed = host_chain_->record(daemon_stop{});
  if (failed) events().evidence_blocked(failed);
}

std::string host_role::start_actors() {
  quarantine_.emplace(settings_.evidence.dir / "quarantine");
  host_.emplace(host_environment{settings_.host_id, std::string{version}, *sockets_, *observed_, *quarantine_,
                                 process_.clock(), events(), process_.activities()});
  host_->cell_share = share_of(settings_.evidence);
  host_->host_chain_has_thread = true;
  host_->probes = &*probes_;
  host_->witness_of = [this](const cell_specification& cell) { return witness_of(cell); };
  resources_ = {recovered_runs{std::move(found_.open_runs)}, sealing_, &*host_chain_, epochs_};
  supervisor_ = process_.actors().spawn(make_host_supervisor, daemon_process::cores(), &resources_, std::cref(*host_));
  // Only a bug can end it, and nothing is served after: let whoever started us start us again.
  supervisor_->attach_functor([this](const caf::error&) {
    if (!stopping_) daemon_process::give_up();
  });
  configured_cells_.emplace(process_.actors(), supervisor_);
  node_chain_.opened(
      [this](const joint_append_ptr& what) { return ask_to_append(process_.actors(), supervisor_, what); },
      [this](std::error_code refused) { events().evidence_blocked(refused); });
  process_.nodes().show(this, {.cells = [this] { return figures_of(host_->board->read()); }});
  return {};
}

void host_role::stop_actors() {
  node_chain_.closed();
  stopping_ = true;
  process_.nodes().hide(this);
  host_client_.reset();
  configured_cells_.reset();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  supervisor_ = nullptr;
  process_.actors().await_all_actors_done();
}

std::string host_role::admit_cells() {
  cells_ = serve_cells();
  return {};
}

/// Those of the file, and those of the control API.
served_cells host_role::serve_cells() {
  const configured_cells::result served = configured_cells_->serve(file_cells_);
  const configured_cells::result restored = serve_restored();
  return {served.admitted + restored.admitted, served.refused + restored.refused};
}

configured_cells::result host_role::serve_restored() {
  std::vector<cell_specification> ours;
  std::vector<cell_specification> superseded;
  std::unique_ptr<configured_cells::admissions> asked;
  admissions_->with_all([&](const std::vector<cell_specification>& all) {
    for (const cell_specification& cell : all)
      (configured_cells_->names(cell.cell_id) ? superseded : ours).push_back(cell);
    asked = configured_cells_->ask_for(ours);
  });
  for (const cell_specification& cell : superseded) {
    const auto same = std::find(file_cells_.begin(), file_cells_.end(), cell);
    if (same == file_cells_.end()) {
      events().cell_refused(cell.cell_id, "the configuration file has another cell of this id, which counts");
    }
    admissions_->forget(cell.cell_id, [](std::error_code) {});
  }
  if (!ours.empty()) events().cells_restored(ours.size());
  const std::size_t admitted = asked->wait().size();
  return {admitted, ours.size() - admitted};
}

std::string host_role::serve_control() {
  host_client_.emplace(process_.actors(), supervisor_);
  auto opened = control_service::open(
      process_.take_control_sockets(), settings_.control,
      {std::string{version}, settings_.host_id, *host_client_, *admissions_, *feed_, *metrics_,
       [this] { return process_.unready_reasons(); }, [this] { return process_.hung(); },
       [this](const std::string& id) { return configured_cells_->names(id); },
       [this] { return configured_cells_->expected(); },
       [this](reload_reply asked) { process_.ask_for_reload(std::move(asked)); }, host_->board,
       [this](const std::string& id, bool removed) { configured_cells_->set_removed(id, removed); }, &process_.nodes(),
       [this](const std::string& id) { return probes_->look_of(id); }});
  if (!opened.service) return opened.refusal;
  control_ = std::move(opened.service);
  if (settings_.control.socket) events().control_listening(settings_.control.socket->native());
  if (settings_.control.http_listen) events().control_listening("http://" + control_->http_address());
  return {};
}

/// Nobody asks, then nothing is answered, then what was promised is written: in this order each still finds the next.
void host_role::stop_control() {
  control_->stop_serving();
  host_client_->stop();
  admissions_.reset();
}

void host_role::drain_cells() {
  caf::scoped_actor self{process_.actors()};
  self->request(supervisor_, stop_timeout, stop_atom::value)
      .receive([this](std::uint64_t not_drained) { cells_not_drained_ = not_drained; },
               [this](const caf::error&) { cells_not_drained_ = std::max<std::uint64_t>(1, cells_.admitted); });
}

sign_of_life host_role::check_liveness(std::chrono::nanoseconds timeout) {
  return cellos::check_liveness(process_.actors(), supervisor_, *sockets_, timeout);
}

std::vector<std::string> host_role::unready_reasons() const {
  std::vector<std::string> reasons;
  if (host_->progress->blocked_sinks.load() > 0)
    reasons.emplace_back("the evidence log takes nothing; see evidence_blocked");
  if (log_->is_displaced()) {
    reasons.emplace_back("the evidence directory was moved, removed or replaced; see evidence_disturbed");
  }
  return reasons;
}

/// The key alone can be refused: a changed one, also in a file whose name is the same.
std::vector<configuration_error> host_role::prepare_reload(const configuration& read) {
  sealing_outcome opened = reopen_sealing(sealing_, read.signing, process_environment);
  if (!opened.refusal.empty()) {
    return {
        {process_.file().native(), 1, 1, "signing", std::move(opened.refusal), "mend [signing]; nothing was changed"}};
  }
  next_sealing_ = std::move(opened.sealing);
  return {};
}

void host_role::take_over(const configuration& read, reload_report& report) {
  change_key(std::exchange(next_sealing_, nullptr));
  sockets_->set_limits(socket_options_of(read.intake, read.signing));
  metrics_->set_per_cell(read.metrics.per_cell_series);
  metrics_->set_per_host(read.metrics.per_host_series);
  file_cells_ = read.cells;
  const served_cells served = serve_cells();
  report.cells += served.admitted;
  report.refused += served.refused;
}

void host_role::change_key(event_sealing_ptr key) {
  if (key == sealing_) return;
  sealing_ = std::move(key);
  if (const std::error_code failed = log_->change_journal_key(journal_mac_of(sealing_))) {
    events().evidence_blocked(failed);
  }
  maintenance_->set_mac(journal_mac_of(sealing_));
  caf::anon_send(supervisor_, rekey_atom::value, sealing_);
}

}  // namespace cellos
