// The process's own steps. Its roles' steps stand between them, in the order of `role_list`: what may refuse, then
// what writes and serves, and at last the service manager hears that all is ready.

#include "runtime/daemon/daemon_process.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "runtime/daemon/settings.hpp"
#include "runtime/daemon/shared_queue.hpp"
#include "runtime/os/clocks.hpp"
#include "runtime/version.hpp"

namespace cellos {

namespace {

/// Beside those that run actors and those of the roles: CAF's timer and printer, the operator's log, the watchdog, the
/// notifier's; and some to spare.
constexpr std::size_t own_threads = 8;

}  // namespace

daemon_process::daemon_process(const configuration& settings, std::filesystem::path file)
    : settings_(settings), file_(std::move(file)) {}

daemon_process::~daemon_process() = default;

wall_time daemon_process::system_clock::now() const { return system_wall_time(); }

daemon_process::actor_configuration::actor_configuration(std::size_t threads) { use_shared_queue(*this, threads); }

std::size_t daemon_process::cores() { return std::max(1u, std::thread::hardware_concurrency()); }

process_steps daemon_process::steps() {
  process_steps own;
  own.before_claims = {
      {"open the operator's log", [this] { return open_operator_log(); }},
      {"notify starting", [this] { return notify_starting(); }},
      {"start the threads", [this] { return check_thread_limit(); }},
  };
  own.before_serving = {
      {"bind the control socket", [this] { return bind_control(); }, [this] { control_sockets_ = {}; }},
      {"start the actor system", [this] { return start_actor_system(); }, [this] { system_.reset(); }},
      {"start the watchdog", [this] { return start_watchdog(); }, [this] { watchdog_.reset(); }},
  };
  own.last = {
      {"notify ready", [this] { return notify_ready(); }, [this] { notifier_.stopping(); }},
  };
  own.stopped = [this] { report_stopped(); };
  return own;
}

exit_code daemon_process::run(role_list roles) {
  roles_ = std::move(roles);
  const boot_refusal refused = run_boot_list(
      roles_.boot_steps(steps()), [this](const boot_refusal& refusal) { refuse(refusal); },
      [this] { serve_until_signal(); });
  if (!refused.cause.empty()) return exit_unavailable;
  return roles_.cells_not_drained() > 0 ? exit_failure_found : exit_success;
}

void daemon_process::refuse(const boot_refusal& refusal) {
  const std::string sentence = std::string{"cellos-telemetryd: cannot "} + refusal.step + ": " + refusal.cause;
  if (log_lines_) return log_lines_->refuse_start(refusal.step, refusal.cause, sentence);
  operator_log::refuse_start_unqueued(settings_.log, refusal.step, refusal.cause, sentence);
}

std::string daemon_process::open_operator_log() {
  log_lines_.emplace(settings_.log);
  events().daemon_started(version, settings_.host_id, settings_.evidence.dir.native());
  return {};
}

std::string daemon_process::notify_starting() {
  notifier_.starting();
  return {};
}

/// What starts threads cannot all take it back when one is missing; so they are tried before.
std::string daemon_process::check_thread_limit() const {
  const std::size_t threads = actor_threads(settings_.workers, cores()) + own_threads + roles_.threads();
  return threads_are_allowed(threads) ? "" : thread_shortage();
}

std::string daemon_process::bind_control() {
  control_sockets::outcome bound = control_sockets::bind(settings_.control);
  if (bound.refusal.empty()) control_sockets_ = std::move(bound.sockets);
  return bound.refusal;
}

std::string daemon_process::start_actor_system() {
  actor_configuration_.emplace(actor_threads(settings_.workers, cores()));
  system_.emplace(*actor_configuration_);
  return {};
}

std::string daemon_process::start_watchdog() {
  watchdog_.emplace(activities_, events(), watchdog::options{});
  return {};
}

std::string daemon_process::notify_ready() {
  const served_cells served = roles_.cells();
  events().daemon_ready(served.admitted, served.refused);
  notifier_.ready(served.admitted, served.refused,
                  [this](std::chrono::nanoseconds timeout) { return roles_.check_liveness(timeout); });
  return {};
}

void daemon_process::report_stopped() { events().daemon_stopped(roles_.cells_not_drained()); }

std::vector<std::string> daemon_process::unready_reasons() const {
  std::vector<std::string> reasons = roles_.unready_reasons();
  if (const std::size_t count = hung(); count > 0) {
    reasons.push_back(std::to_string(count) + " actors are hung; see actor_hung");
  }
  return reasons;
}

void daemon_process::ask_for_reload(reload_reply asked) {
  reloads_.add(std::move(asked));
  ::kill(::getpid(), SIGHUP);
}

void daemon_process::give_up() { ::kill(::getpid(), SIGTERM); }

}  // namespace cellos
