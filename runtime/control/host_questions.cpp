#include "runtime/control/host_questions.hpp"

#include <chrono>
#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

/// The HOST SUPERVISOR bounds each step itself; this only catches one that hangs. Ours.
constexpr std::chrono::seconds host_patience{60};
/// What costs it nothing but its turn; the service manager's watchdog waits about as long. Ours.
constexpr std::chrono::seconds alive_timeout{5};

host_questions::asking_actor::behavior_type make_asker(host_questions::asking_actor::pointer self,
                                                       const host_supervisor_actor& host) {
  die_of_exceptions(self);
  return {[self, host](const host_questions::question& question) { question.ask(self, host); }};
}

}  // namespace

host_questions::host_questions(caf::actor_system& system, host_supervisor_actor host)
    : system_(system), asker_(system.spawn(make_asker, std::move(host))) {}

host_questions::~host_questions() { stop(); }

void host_questions::stop() {
  if (std::exchange(stopped_, true)) return;
  caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
  caf::scoped_actor self{system_};
  self->wait_for(asker_);
}

template <class Answer, class... Words>
void host_questions::ask(std::chrono::seconds timeout, heard<Answer> answer, Words... words) const {
  caf::anon_send(asker_, question{[timeout, answer = std::move(answer), words...](asking_actor::pointer self,
                                                                                  const host_supervisor_actor& host) {
                   self->request(host, timeout, words...)
                       .then([answer](const Answer& given) { answer(given); },
                             [answer](const caf::error& cause) { answer(cause); });
                 }});
}

void host_questions::admit(const cell_specification& cell, heard<cell_status> answer) const {
  ask(host_patience, std::move(answer), admit_atom::value, cell);
}

void host_questions::retire(const std::string& cell_id, heard<run_totals> answer) const {
  ask(host_patience, std::move(answer), retire_atom::value, cell_id);
}

void host_questions::status(const std::string& cell_id, heard<cell_status> answer) const {
  ask(host_patience, std::move(answer), status_atom::value, cell_id);
}

void host_questions::accounts(heard<host_accounts> answer) const {
  ask(host_patience, std::move(answer), accounts_atom::value);
}

void host_questions::alive(heard<std::uint64_t> answer) const {
  ask(alive_timeout, std::move(answer), alive_atom::value);
}

}  // namespace cellos
