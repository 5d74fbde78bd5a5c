#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "actors/activity.hpp"
#include "actors/ports.hpp"
#include "runtime/control/control_sockets.hpp"
#include "runtime/control/node_board.hpp"
#include "runtime/daemon/boot_list.hpp"
#include "runtime/daemon/operator_log.hpp"
#include "runtime/daemon/reload.hpp"
#include "runtime/daemon/role_list.hpp"
#include "runtime/daemon/service_notifier.hpp"
#include "runtime/daemon/watchdog.hpp"
#include "runtime/os/exit_code.hpp"

namespace cellos {

/// What a process has once, whatever its roles are: the operator's log, the service manager's notifications, the
/// signals, the sockets of the control API, the actor system and the watchdog over its actors. Its roles are given it
/// when they are made, and use it from their first step on.
class daemon_process {
 public:
  /// `settings` outlives it; `file` is where they were read.
  daemon_process(const configuration& settings, std::filesystem::path file);
  daemon_process(const daemon_process&) = delete;
  daemon_process& operator=(const daemon_process&) = delete;
  ~daemon_process();

  /// Starts all roles in their order, serves until a signal says to drain, and stops them in reverse. Once.
  exit_code run(role_list roles);

  // For roles. What has no remark may be used from the first step on, by any thread.

  /// As of the start.
  const configuration& settings() const { return settings_; }
  const std::filesystem::path& file() const { return file_; }
  const wall_clock& clock() const { return clock_; }
  operator_events& events() { return log_lines_->events(); }
  std::uint64_t log_lines_lost() const { return log_lines_->lines_lost(); }
  /// Actors that are registered here are watched.
  activity_registry& activities() { return activities_; }
  /// For what `serve_steps` do.
  caf::actor_system& actors() { return *system_; }
  /// Cores, or what stands for them.
  static std::size_t cores();
  /// Handlers that have not come back. While actors run.
  std::size_t hung() const { return watchdog_->hung(); }
  /// Where roles show what they are to other nodes; whoever has shown something hides it before it goes.
  node_board& nodes() { return nodes_; }
  /// Bound; for the one role that answers on them.
  control_sockets take_control_sockets() { return std::move(control_sockets_); }
  /// Why the daemon does not do all of its work. For what `answer_steps` do.
  std::vector<std::string> unready_reasons() const;
  /// Reads the file again, some time later, and answers then.
  void ask_for_reload(reload_reply asked);
  /// A role cannot go on: drains all and ends, to be started again.
  static void give_up();

 private:
  class system_clock final : public wall_clock {
   public:
    wall_time now() const override;
  };
  class actor_configuration : public caf::actor_system_config {
   public:
    explicit actor_configuration(std::size_t threads);
  };

  process_steps steps();
  void refuse(const boot_refusal& refusal);

  std::string open_operator_log();
  std::string notify_starting();
  std::string check_thread_limit() const;
  std::string bind_control();
  std::string start_actor_system();
  std::string start_watchdog();
  std::string notify_ready();
  void report_stopped();

  void serve_until_signal();
  void reload();
  reload_report refuse_reload(const std::vector<configuration_error>& errors);
  reload_report take_over(const configuration& read);

  const configuration& settings_;
  std::filesystem::path file_;
  role_list roles_;
  // Used by all that follow.
  std::optional<operator_log> log_lines_;
  service_notifier notifier_;
  system_clock clock_;
  control_sockets control_sockets_;
  activity_registry activities_;
  node_board nodes_;
  std::optional<actor_configuration> actor_configuration_;
  std::optional<caf::actor_system> system_;
  std::optional<watchdog> watchdog_;
  reload_queue reloads_;
};

}  // namespace cellos
