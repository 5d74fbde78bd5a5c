#include "tests/soak/host_in_process.hpp"

#include <stdexcept>
#include <utility>

namespace cellos::soak {

host_in_process::host_in_process(options settings) {
  auto opened =
      settings.files != nullptr ? segment_log::open(settings.log, *settings.files) : segment_log::open(settings.log);
  if (!opened.log) throw std::runtime_error(opened.refusal);
  log_ = std::move(opened.log);
  overheard_.emplace(*log_, std::move(settings.appended));
  quarantine_.emplace(settings.log.dir / "quarantine");
  sockets_.emplace(settings.sockets, events_);
  environment_.emplace(
      host_environment{"host-soak", "soak", *sockets_, *overheard_, *quarantine_, clock_, events_, census_, {}});
  environment_->limits = settings.limits;
  if (settings.decode) environment_->decode = std::move(settings.decode);
  configuration_.set("scheduler.policy", caf::atom("sharing"));
  configuration_.set("scheduler.max-threads", settings.scheduler_threads);
  system_.emplace(configuration_);
  supervisor_ = system_->spawn(make_host_supervisor, settings.sinks, &*environment_);
  watchdog_.emplace(census_, events_, settings.watching);
}

host_in_process::~host_in_process() {
  watchdog_.reset();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  supervisor_ = nullptr;
  system_.reset();
}

std::vector<cell_status> host_in_process::status() {
  auto answer = ask<std::vector<cell_status>>(status_atom::value);
  return answer ? std::move(*answer) : std::vector<cell_status>{};
}

std::uint64_t host_in_process::stop() {
  const auto answer = ask<std::uint64_t>(stop_atom::value);
  if (!answer) throw std::runtime_error("the host did not stop");
  return *answer;
}

void host_in_process::kill(const activity& actor, caf::exit_reason reason) {
  if (const auto handle = caf::actor_cast<caf::strong_actor_ptr>(actor.actor())) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), reason);
  }
}

}  // namespace cellos::soak
