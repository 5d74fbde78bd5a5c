#pragma once

#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/host_supervisor.hpp"
#include "runtime/control/control_service.hpp"
#include "runtime/daemon/boot_list.hpp"
#include "runtime/daemon/configured_cells.hpp"
#include "runtime/daemon/open_sealing.hpp"
#include "runtime/daemon/operator_log.hpp"
#include "runtime/daemon/reload.hpp"
#include "runtime/daemon/service_notifier.hpp"
#include "runtime/daemon/watchdog.hpp"
#include "runtime/evidence/log_maintenance.hpp"
#include "runtime/evidence/observed_log.hpp"
#include "runtime/evidence/quarantine_directory.hpp"
#include "runtime/evidence/run_recovery.hpp"
#include "runtime/os/exit_code.hpp"
#include "runtime/socket_service/socket_service.hpp"

namespace cellos {

/// The parts of one running daemon, and the list of steps that makes them. A step is done once whatever it needs is;
/// nothing is written to the evidence before every step that can refuse has been done.
class host_daemon {
 public:
  host_daemon(const configuration& settings, std::filesystem::path file);
  host_daemon(const host_daemon&) = delete;
  host_daemon& operator=(const host_daemon&) = delete;
  ~host_daemon();

  exit_code run();

 private:
  class system_clock final : public wall_clock {
   public:
    wall_time now() const override;
  };
  class actor_configuration : public caf::actor_system_config {
   public:
    explicit actor_configuration(std::size_t threads);
  };

  std::vector<boot_step> boot_steps();
  void refuse(const boot_refusal& refusal);

  // Reads, claims and binds; writes nothing to the evidence.
  std::string open_operator_log();
  std::string notify_starting();
  std::string check_thread_limit() const;
  std::string load_signing_key();
  std::string claim_evidence();
  std::string open_admission_store();
  std::string bind_control();
  std::string start_socket_service();
  std::string start_actor_system();
  // Writes.
  std::string open_evidence_log();
  std::string read_open_runs();
  std::string record_start();
  std::string start_actors();
  std::string admit_cells();
  std::string serve_control();
  std::string notify_ready();

  void start_measuring();
  void begin_retention();
  void report_missing(std::uint64_t first_expected);
  void close_evidence_log();
  void end_orphaned_runs();
  void stop_actors();
  /// Cells of the control API, beside those of the file; of two with one id, the file's counts. A cell that is removed
  /// meanwhile is admitted before it is retired, or not at all.
  configured_cells::result serve_restored();
  void stop_control();
  void drain_cells();

  void serve_until_signal();
  void reload();
  reload_report refuse_reload(const std::vector<configuration_error>& errors);
  reload_report take_over(const configuration& read);
  std::string reload_key(const signing_settings& wanted);

  operator_events& events() { return log_lines_->events(); }

  configuration settings_;
  std::filesystem::path file_;
  // Used by all that follow.
  std::optional<operator_log> log_lines_;
  service_notifier notifier_;
  system_clock clock_;
  event_sealing_ptr sealing_;
  std::unique_ptr<evidence_directory> claimed_;
  std::unique_ptr<segment_log> log_;
  std::optional<segment_log::torn_tail> torn_;
  std::optional<host_event_chain> host_chain_;
  std::optional<socket_service> sockets_;
  std::optional<actor_configuration> actor_configuration_;
  std::optional<caf::actor_system> system_;
  activity_registry activities_;
  std::optional<quarantine_directory> quarantine_;
  journal_content journal_left_;
  /// As that journal says; 0: unknown.
  std::uint64_t first_segment_left_ = 0;
  recovery_conclusions found_;
  std::shared_ptr<chain_epochs> epochs_;
  std::optional<host_environment> host_;
  std::optional<watchdog> watchdog_;
  std::optional<metrics> metrics_;
  std::optional<event_feed> feed_;
  open_chains open_chains_;
  std::optional<observed_log> observed_;
  std::optional<log_maintenance> maintenance_;
  std::unique_ptr<admission_store> admissions_;
  std::optional<host_client> host_client_;
  reload_queue reloads_;
  control_sockets control_sockets_;
  std::unique_ptr<control_service> control_;
  std::size_t cells_admitted_ = 0;
  std::size_t cells_refused_ = 0;
  std::atomic<bool> stopping_{false};
  host_supervisor_actor supervisor_;
  std::optional<configured_cells> configured_cells_;
  std::uint64_t cells_not_drained_ = 0;
};

}  // namespace cellos
