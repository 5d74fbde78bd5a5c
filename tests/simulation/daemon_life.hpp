#pragma once

#include <spdlog/sinks/null_sink.h>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "actors/host_supervisor.hpp"
#include "runtime/daemon/restart_recovery.hpp"
#include "tests/simulation/frame_trace.hpp"
#include "tests/simulation/world.hpp"
#include "tests/support/recorded_log.hpp"

namespace cellos::simulation {

using namespace std::chrono_literals;

class test_configuration : public caf::actor_system_config {
 public:
  test_configuration() { set("scheduler.policy", caf::atom("testing")); }
};

/// What a daemon reads of its cells for itself. Whatever is not there is not read, and not compared.
struct simulated_eyes {
  host_probes* probes = nullptr;
  make_run_witness witness_of = nullptr;
};

/// One life of the daemon: from recovery to a stop, or to its sudden death.
class daemon_life {
 public:
  daemon_life(simulated_log& log, simulated_sockets& sockets, simulated_clock& clock, const simulated_decoder& decoder,
              event_sealing_ptr sealing, const simulated_eyes& eyes = {})
      : quarantine_(sockets),
        events_(std::make_shared<spdlog::logger>("simulation", std::make_shared<spdlog::sinks::null_sink_st>()),
                log_format::text),
        environment_{"host-a", "simulated", sockets, log, quarantine_, clock, events_, activities_},
        system_(std::make_unique<caf::actor_system>(configuration_)) {
    recovery_conclusions found = test::recovered_from(log.text, log.left(sealing));
    resources_.epochs = std::make_shared<chain_epochs>(found.highest_epoch);
    record_restart(found, {"host-a", "simulated", log, clock, *resources_.epochs, sealing}, host_chain_);
    resources_.recovered = recovered_runs{std::move(found.open_runs)};
    resources_.sealing = std::move(sealing);
    resources_.host_chain = &*host_chain_;
    environment_.decode = decoder;
    environment_.probes = eyes.probes;
    environment_.witness_of = eyes.witness_of;
    environment_.limits = {50, 10s, 5s};
    host_ = system_->spawn(make_host_supervisor, 2, &resources_, std::cref(environment_));
    self_ = std::make_unique<caf::scoped_actor>(*system_, true);
  }

  ~daemon_life() {
    for (const auto& present : activities_.present()) kill(*present, caf::exit_reason::kill);
    caf::anon_send_exit(host_, caf::exit_reason::kill);
    while (scheduler().try_run_once()) {}
    host_ = nullptr;
    self_.reset();
    clock().cancel_all();
    system_.reset();
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  caf::detail::test_actor_clock& clock() { return scheduler().clock(); }

  /// The next message of an actor the seed chooses. False if nobody has any.
  bool run_one(randomness& random, frame_trace* trace) {
    auto& jobs = scheduler().jobs;
    if (jobs.empty()) return false;
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(below(random, jobs.size()));
    auto* job = *chosen;
    jobs.erase(chosen);
    jobs.push_front(job);
    auto* actor = dynamic_cast<caf::scheduled_actor*>(job);
    if (trace != nullptr && actor != nullptr) trace->takes(*actor, activities_.present());
    return scheduler().try_run_once();
  }

  /// Ends an actor the seed chooses; the HOST SUPERVISOR is the daemon itself. Returns its role.
  std::string kill_one(randomness& random) {
    auto present = activities_.present();
    std::erase_if(present,
                  [](const activity_ptr& actor) { return std::string_view{actor->role()} == "HOST SUPERVISOR"; });
    if (present.empty()) return "nobody";
    const activity& chosen = *present[below(random, present.size())];
    kill(chosen, chance(random, 500) ? caf::exit_reason::kill : caf::exit_reason::unhandled_exception);
    return chosen.cell_id().empty() ? chosen.role() : chosen.role() + (" " + chosen.cell_id());
  }

  /// Whoever has this role.
  void kill_role(std::string_view role) {
    for (const auto& each : activities_.present()) {
      if (each->role() == role) kill(*each, caf::exit_reason::kill);
    }
  }

  template <class... Words>
  auto ask(Words&&... words) {
    return (*self_)->request(host_, caf::infinite, std::forward<Words>(words)...);
  }
  caf::scoped_actor& self() { return *self_; }
  host_supervisor_actor host() const { return host_; }

 private:
  static void kill(const activity& actor, caf::exit_reason reason) {
    if (const auto handle = caf::actor_cast<caf::strong_actor_ptr>(actor.actor())) {
      caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), reason);
    }
  }

  activity_registry activities_;
  simulated_quarantine quarantine_;
  operator_events events_;
  std::optional<host_event_chain> host_chain_;
  host_resources resources_;
  host_environment environment_;
  test_configuration configuration_;
  std::unique_ptr<caf::actor_system> system_;
  host_supervisor_actor host_;
  std::unique_ptr<caf::scoped_actor> self_;
};

}  // namespace cellos::simulation
