#include "runtime/control/host_client.hpp"

#include <chrono>
#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

/// The HOST SUPERVISOR bounds each step itself; this only catches one that hangs. Chosen here.
constexpr std::chrono::seconds host_timeout{60};
/// What costs it nothing but its turn; the service manager's watchdog waits about as long. Chosen here.
constexpr std::chrono::seconds alive_timeout{5};

host_client::asking_actor::behavior_type make_asker(host_client::asking_actor::pointer self,
                                                    const host_supervisor_actor& host) {
  die_of_exceptions(self);
  return {[self, host](const host_client::question& question) { question.ask(self, host); }};
}

}  // namespace

host_client::host_client(caf::actor_system& system, host_supervisor_actor host)
    : system_(system), asker_(system.spawn(make_asker, std::move(host))) {}

host_client::~host_client() { stop(); }

void host_client::stop() {
  if (std::exchange(stopped_, true)) return;
  caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
  caf::scoped_actor self{system_};
  self->wait_for(asker_);
}

template <class Answer, class... Words>
void host_client::ask(std::chrono::seconds timeout, heard<Answer> answer, Words... words) const {
  caf::anon_send(asker_, question{[timeout, answer = std::move(answer), words...](asking_actor::pointer self,
                                                                                  const host_supervisor_actor& host) {
                   self->request(host, timeout, words...)
                       .then([answer](const Answer& given) { answer(given); },
                             [answer](const caf::error& cause) { answer(cause); });
                 }});
}

void host_client::admit(const cell_specification& cell, heard<cell_status> answer) const {
  ask(host_timeout, std::move(answer), admit_atom::value, cell);
}

void host_client::retire(const std::string& cell_id, heard<run_totals> answer) const {
  ask(host_timeout, std::move(answer), retire_atom::value, cell_id);
}

void host_client::status(const std::string& cell_id, heard<cell_status> answer) const {
  ask(host_timeout, std::move(answer), status_atom::value, cell_id);
}

void host_client::accounts(heard<host_accounts> answer) const {
  ask(host_timeout, std::move(answer), accounts_atom::value);
}

void host_client::alive(heard<std::uint64_t> answer) const { ask(alive_timeout, std::move(answer), alive_atom::value); }

}  // namespace cellos
