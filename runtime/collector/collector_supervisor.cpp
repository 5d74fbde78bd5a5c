// COLLECTOR SUPERVISOR: a session that has been greeted asks it whether it may speak for its host. The same process of
// the host that connects again replaces its former session. Where another process speaks for the host already, that one
// is pinged: if it answers the newcomer is refused, or else replaces it. A host that nobody hears is reported once, by
// a timer that looks at what sessions noted; no message a batch comes here. What was reported before this process began
// is recalled, and reported no second time.

#include "runtime/collector/collector_supervisor.hpp"

#include <algorithm>
#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

using supervisor_pointer = collector_actor::stateful_pointer<collector_supervisor_state>;
using host_of = collector_supervisor_state::host;

/// Looks in a window; silence is noticed an eighth of it late at most. Chosen here.
constexpr int looks_per_window = 8;
/// A timer that fires so late was stopped with the whole process: hosts may have spoken meanwhile. Chosen here.
constexpr std::chrono::milliseconds late_wake_up{250};

host_of& find_host(supervisor_pointer self, const std::string& host_id) {
  auto& state = self->state;
  auto& host = state.hosts[host_id];
  if (!host.account) {
    host.account = std::make_shared<host_account>(state.settings.host_bytes_per_second, self->clock().now());
    state.settings.board->add(host_id, host.account);
  }
  return host;
}

session_admission admit(supervisor_pointer self, const session_entry& entry) {
  auto& host = find_host(self, entry.host.host_id);
  const auto former = std::exchange(host.live, {entry.session, entry.forwarder, entry.boot_nonce});
  // The same session may greet as often as it likes.
  if (former.session != entry.session) {
    self->state.events->host_connected(entry.host);
    self->monitor(entry.session);
    if (former.session) {
      self->demonitor(caf::actor_cast<caf::actor_addr>(former.session));
      caf::anon_send_exit(caf::actor_cast<caf::actor>(former.session), caf::exit_reason::user_shutdown);
    }
  }
  host.account->is_connected = true;
  host.account->last_heard = self->clock().now();
  host.was_admitted = true;
  return {host.account, node_refusal::none};
}

session_admission refuse_double(supervisor_pointer self, const session_entry& entry) {
  self->state.events->host_doubled(entry.host);
  return {nullptr, node_refusal::host_doubled};
}

caf::result<session_admission> on_enter(supervisor_pointer self, const session_entry& entry) {
  const auto& live = find_host(self, entry.host.host_id).live;
  const bool is_known = !live.session || live.session == entry.session || live.boot_nonce == entry.boot_nonce;
  if (is_known) return admit(self, entry);
  auto promise = self->make_response_promise<session_admission>();
  const auto asked = live.session;
  self->request(caf::actor_cast<pinged_actor>(live.forwarder), self->state.settings.ping_timeout, ping_atom::value)
      .then([self, entry, promise](ping_atom) mutable { promise.deliver(refuse_double(self, entry)); },
            [self, entry, promise, asked](const caf::error&) mutable {
              const auto& now_live = find_host(self, entry.host.host_id).live.session;
              const bool is_free = !now_live || now_live == asked;
              promise.deliver(is_free ? admit(self, entry) : refuse_double(self, entry));
            });
  return promise;
}

void on_session_down(supervisor_pointer self, const caf::down_msg& down) {
  for (auto& [host_id, host] : self->state.hosts) {
    if (host.live.session != down.source) continue;
    host.live = {};
    host.account->is_connected = false;
  }
}

void arm(supervisor_pointer self) {
  const auto pause = self->state.settings.silence_window / looks_per_window;
  self->state.due = self->clock().now() + pause;
  self->delayed_send(self, pause, tick_atom::value);
}

void on_tick(supervisor_pointer self) {
  auto& state = self->state;
  const monotonic_time now = self->clock().now();
  if (now - state.due > late_wake_up) state.listening_since = now;
  if (state.awaits_recall) return arm(self);
  for (auto& [host_id, host] : state.hosts) {
    // Silent before this process began: so it is until it speaks.
    if (host.presence.is_silent() && !host.was_admitted) continue;
    const auto heard = std::max(host.account->last_heard.load(), state.listening_since);
    switch (host.presence.look(heard, now, state.settings.silence_window)) {
      case host_presence::change::silenced: state.events->host_silenced(host_id, now - heard); break;
      case host_presence::change::resumed: state.events->host_resumed(host_id); break;
      case host_presence::change::none: break;
    }
    host.account->is_silent = host.presence.is_silent();
  }
  arm(self);
}

void on_recall(supervisor_pointer self, const std::vector<std::string>& silent) {
  for (const std::string& host_id : silent) find_host(self, host_id).presence.recall_silence();
  self->state.awaits_recall = false;
}

std::vector<host_status> on_status(supervisor_pointer self) {
  std::vector<host_status> all;
  const monotonic_time now = self->clock().now();
  for (const auto& [host_id, host] : self->state.hosts) {
    all.push_back(host.account->status(host_id, now));
  }
  return all;
}

}  // namespace

collector_actor::behavior_type make_collector_supervisor(supervisor_pointer self, collector_settings settings,
                                                         const std::vector<std::string>& known_hosts,
                                                         collector_events* events) {
  die_of_exceptions(self);
  self->set_down_handler([self](caf::scheduled_actor*, caf::down_msg& down) { on_session_down(self, down); });
  auto& state = self->state;
  state.settings = settings;
  state.events = events;
  state.awaits_recall = settings.awaits_recall;
  state.listening_since = self->clock().now();
  for (const std::string& host_id : known_hosts) find_host(self, host_id);
  arm(self);
  return {
      [self](enter_atom, const session_entry& entry) { return on_enter(self, entry); },
      [self](tick_atom) { on_tick(self); },
      [self](recall_atom, const std::vector<std::string>& silent) { on_recall(self, silent); },
      [self](status_atom) { return on_status(self); },
  };
}

}  // namespace cellos
