#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/host_resources.hpp"
#include "actors/host_supervisor.hpp"
#include "runtime/control/control_service.hpp"
#include "runtime/daemon/committed_end.hpp"
#include "runtime/daemon/configured_cells.hpp"
#include "runtime/daemon/daemon_process.hpp"
#include "runtime/daemon/daemon_role.hpp"
#include "runtime/daemon/node_chain.hpp"
#include "runtime/daemon/probe_privileges.hpp"
#include "runtime/evidence/log_maintenance.hpp"
#include "runtime/evidence/observed_log.hpp"
#include "runtime/evidence/quarantine_directory.hpp"
#include "runtime/evidence/run_recovery.hpp"
#include "runtime/probes/host_probe_service.hpp"
#include "runtime/socket_service/socket_service.hpp"

namespace cellos {

/// A host of cells: receives what they declare, keeps it as evidence, and answers for them on the control API. A step
/// is done once whatever it needs is.
class host_role final : public daemon_role {
 public:
  /// Writes down in `committed` how far the log is, and appends what other roles say in `chain`; both outlive this.
  /// `privileges` too.
  host_role(daemon_process& process, committed_end& committed, node_chain& chain, const probe_privileges& privileges);
  ~host_role() override;

  std::size_t threads() const override;
  std::vector<boot_step> claim_steps() override;
  std::vector<boot_step> serve_steps() override;
  std::vector<boot_step> answer_steps() override;
  served_cells cells() const override { return cells_; }
  sign_of_life check_liveness(std::chrono::nanoseconds timeout) override;
  std::vector<std::string> unready_reasons() const override;
  std::vector<configuration_error> prepare_reload(const configuration& read) override;
  void take_over(const configuration& read, reload_report& report) override;
  std::uint64_t cells_not_drained() const override { return cells_not_drained_; }

 private:
  std::string load_signing_key();
  std::string claim_evidence();
  std::string open_admission_store();
  std::string start_socket_service();
  void stop_socket_service();

  std::string open_evidence_log();
  std::string read_open_runs();
  std::string record_start();
  std::string start_actors();
  std::string begin_retention();
  std::string admit_cells();
  std::string serve_control();

  run_witness_ptr witness_of(const cell_specification& cell);
  void start_measuring();
  std::error_code record_missing();
  void close_evidence_log();
  void end_orphaned_runs();
  void stop_actors();
  served_cells serve_cells();
  /// Cells of the control API, beside those of the file; of two with one id, the file's counts. A cell that is removed
  /// meanwhile is admitted before it is retired, or not at all.
  configured_cells::result serve_restored();
  void stop_control();
  void drain_cells();
  void change_key(event_sealing_ptr key);

  operator_events& events() { return process_.events(); }

  daemon_process& process_;
  committed_end& committed_;
  node_chain& node_chain_;
  const probe_privileges& privileges_;
  const configuration& settings_;
  /// Those of the file that was read last.
  std::vector<cell_specification> file_cells_;
  event_sealing_ptr sealing_;
  /// What a reload that was prepared goes over to.
  event_sealing_ptr next_sealing_;
  std::unique_ptr<evidence_directory> claimed_;
  std::unique_ptr<segment_log> log_;
  std::optional<segment_log::torn_tail> torn_;
  std::optional<host_event_chain> host_chain_;
  /// Outlive the sockets, whose connections they hear of.
  std::optional<host_probe_service> probes_;
  std::unique_ptr<connection_observer> connections_;
  std::optional<socket_service> sockets_;
  std::optional<quarantine_directory> quarantine_;
  journal_content journal_left_;
  /// As that journal says; 0: unknown.
  std::uint64_t first_segment_left_ = 0;
  recovery_conclusions found_;
  std::shared_ptr<chain_epochs> epochs_;
  /// Until the actors have gone, theirs.
  host_resources resources_;
  std::optional<host_environment> host_;
  std::optional<metrics> metrics_;
  std::optional<event_feed> feed_;
  open_chains open_chains_;
  std::optional<observed_log> observed_;
  /// Of the process before.
  std::optional<retention_state> retention_left_;
  std::optional<log_maintenance> maintenance_;
  std::unique_ptr<admission_store> admissions_;
  std::optional<host_client> host_client_;
  std::unique_ptr<control_service> control_;
  served_cells cells_;
  std::atomic<bool> stopping_{false};
  host_supervisor_actor supervisor_;
  std::optional<configured_cells> configured_cells_;
  std::uint64_t cells_not_drained_ = 0;
};

}  // namespace cellos
