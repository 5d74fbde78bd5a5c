// FORWARDER: carries out what a `delivery` decides. Connections come from the connector, answers are responses to
// requests, losses are down messages; each is passed on with the number of its session, and what it leads to is done at
// once. One timer wakes it for deadlines and to look whether more of the log is committed.

#include "runtime/forwarding/forwarder.hpp"

#include <algorithm>
#include <utility>

#include "actors/supervision.hpp"
#include "runtime/forwarding/delivery_lag.hpp"
#include "runtime/forwarding/forwarding_files.hpp"
#include "runtime/os/clocks.hpp"

namespace cellos {

namespace {

using forwarder_pointer = forwarder_actor::stateful_pointer<forwarder_state>;

/// The delivery gives a collector up long before; this only ends what nobody waits for. Chosen here.
constexpr std::chrono::seconds request_timeout{60};

void settle(forwarder_pointer self);

forwarder_status status_of(forwarder_pointer self) {
  return {self->state.way->status(), self->state.way->is_complete()};
}

forwarding_state state_of(const delivery_status& status, bool is_held_back) {
  if (is_held_back) return forwarding_state::held_back;
  if (status.collector) return forwarding_state::delivering;
  return status.is_refused ? forwarding_state::refused : forwarding_state::unreached;
}

/// What others may see.
forwarding_status describe(forwarder_pointer self, monotonic_time now) {
  auto& state = self->state;
  const delivery_status status = state.way->status();
  forwarding_status all;
  all.name = "collectors";
  all.state = state_of(status, state.way->is_held_back(now));
  if (status.collector) all.destination = state.settings.collectors[*status.collector];
  all.lag = lag_of(state.environment->log, {status.delivered, status.sent, status.lines_in_flight}, system_wall_time());
  all.lines_delivered = status.lines_delivered;
  all.bytes_delivered = status.bytes_delivered;
  all.bytes_sent = status.bytes_sent;
  all.gaps = status.gaps;
  return all;
}

void show(forwarder_pointer self, monotonic_time now) {
  auto& state = self->state;
  state.show_at = now + state.settings.show_every;
  if (state.environment->show) state.environment->show(describe(self, now));
}

/// With what a collector shows of this host.
node_alive with_figures(forwarder_pointer self, node_alive alive) {
  const auto lag = describe(self, self->clock().now()).lag;
  alive.lag_lines = lag.lines;
  alive.lag_bytes = lag.bytes;
  alive.lag_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(lag.age).count());
  if (const auto& cells = self->state.environment->cells) {
    const cell_figures figures = cells();
    alive.cells = figures.cells;
    alive.silenced_cells = figures.silenced;
  }
  return alive;
}

void connect(forwarder_pointer self, const delivery_action& action) {
  const auto to = caf::actor_cast<caf::actor_addr>(self);
  self->state.environment->connector.connect(action.collector, [to, session = action.session](
                                                                   caf::strong_actor_ptr reached,
                                                                   const std::string& failure) {
    const auto forwarder = caf::actor_cast<caf::strong_actor_ptr>(to);
    if (!forwarder) return;
    caf::anon_send(caf::actor_cast<caf::actor>(forwarder), connection_outcome{session, std::move(reached), failure});
  });
}

void hang_up(forwarder_pointer self, std::uint64_t session) {
  auto left = self->state.sessions.extract(session);
  if (!left) return;
  self->demonitor(caf::actor_cast<caf::actor_addr>(left.mapped()));
  self->state.environment->connector.hang_up(left.mapped());
}

/// Sends a request whose answer is bytes, and passes them on with the session they belong to.
template <class OnAnswer, class... Words>
void ask(forwarder_pointer self, std::uint64_t session, OnAnswer on_answer, Words&&... words) {
  const auto found = self->state.sessions.find(session);
  if (found == self->state.sessions.end()) return;
  self->request(caf::actor_cast<ingest_actor>(found->second), request_timeout, std::forward<Words>(words)...)
      .then(
          [self, on_answer](const std::vector<char>& bytes) {
            on_answer(bytes, self->clock().now());
            settle(self);
          },
          [self, session](const caf::error& failure) {
            self->state.cause = self->system().render(failure);
            self->state.way->lost(session, self->clock().now());
            settle(self);
          });
}

void carry_out(forwarder_pointer self, const delivery_action& action) {
  auto& state = self->state;
  auto* const way = state.way.get();
  const auto session = action.session;
  switch (action.what) {
    case delivery_action::kind::connect: return connect(self, action);
    case delivery_action::kind::hang_up: return hang_up(self, session);
    case delivery_action::kind::say_hello:
      return ask(
          self, session,
          [way, session](const std::vector<char>& bytes, monotonic_time now) {
            way->welcomed(session, decode_welcome(bytes), now);
          },
          hello_atom::value, std::uint32_t{node_codec_version}, encode(action.hello));
    case delivery_action::kind::send_lines: {
      auto packed = state.packer->pack(action.lines, action.text);
      way->packed(packed.size(), self->clock().now());
      return ask(
          self, session,
          [way, session, number = action.number](const std::vector<char>& bytes, monotonic_time now) {
            way->answered(session, number, decode_answer(bytes), now);
          },
          lines_atom::value, std::move(packed));
    }
    case delivery_action::kind::say_alive:
      if (const auto found = state.sessions.find(session); found != state.sessions.end()) {
        self->send(caf::actor_cast<ingest_actor>(found->second), alive_atom::value,
                   encode(with_figures(self, action.alive)));
      }
      return;
  }
}

void report(forwarder_pointer self) {
  auto& state = self->state;
  const auto events = state.way->take_events();
  if (!events.empty()) state.show_at = {};
  for (const delivery_event& event : events) {
    const bool is_loss = event.note == delivery_note::collector_lost;
    state.environment->events.noted(event, state.settings.collectors[event.collector], is_loss ? state.cause : "");
  }
}

void write_mark_of(forwarder_pointer self, const delivery_hint& hint, monotonic_time now) {
  auto& state = self->state;
  state.mark_at = now + state.settings.mark_every;
  // A hint alone: without it a collector that has nothing is sent lines that another one has.
  (void)write_mark(state.settings.dir, {hint.delivered, state.settings.collectors[hint.collector]});
  state.marked = hint;
  if (state.environment->delivered) state.environment->delivered(hint.delivered);
}

void answer_drains(forwarder_pointer self, monotonic_time now) {
  auto& drains = self->state.drains;
  if (drains.empty()) return;
  const auto status = status_of(self);
  std::erase_if(drains, [&](forwarder_state::waiting_drain& each) {
    const bool is_due = status.is_complete || now >= each.deadline;
    if (is_due) each.to.deliver(status);
    return is_due;
  });
}

void arm(forwarder_pointer self, monotonic_time now) {
  auto& state = self->state;
  const monotonic_time look_at = now + state.settings.look_every;
  const auto wake = std::clamp(state.way->next_wake(), now + std::chrono::milliseconds{1}, look_at);
  if (state.armed_for <= wake && state.armed_for > now) return;
  state.armed_for = wake;
  self->delayed_send(self, wake - now, tick_atom::value);
}

/// Does what the delivery has decided, until nothing more follows from it.
void settle(forwarder_pointer self) {
  auto& state = self->state;
  const monotonic_time now = self->clock().now();
  for (auto actions = state.way->take_actions(); !actions.empty(); actions = state.way->take_actions()) {
    for (const delivery_action& each : actions) carry_out(self, each);
  }
  report(self);
  const auto hint = state.way->hint();
  if (hint && hint != state.marked && (now >= state.mark_at || !state.drains.empty())) write_mark_of(self, *hint, now);
  if (now >= state.show_at) show(self, now);
  answer_drains(self, now);
  arm(self, now);
}

void on_tick(forwarder_pointer self) {
  auto& state = self->state;
  const monotonic_time now = self->clock().now();
  // One timer alone goes on, whoever sent this.
  if (state.armed_for <= now) state.armed_for = monotonic_time::max();
  state.way->tick(now);
  settle(self);
}

void on_connection(forwarder_pointer self, const connection_outcome& outcome) {
  auto& state = self->state;
  const monotonic_time now = self->clock().now();
  if (outcome.to) {
    self->monitor(outcome.to);
    state.sessions[outcome.session] = outcome.to;
    state.way->connected(outcome.session, now);
    if (!state.way->uses(outcome.session)) hang_up(self, outcome.session);
  } else {
    state.cause = outcome.failure;
    state.way->lost(outcome.session, now);
  }
  settle(self);
}

void on_down(forwarder_pointer self, const caf::down_msg& down) {
  auto& sessions = self->state.sessions;
  const auto found = std::ranges::find_if(sessions, [&](const auto& each) { return each.second == down.source; });
  // One that was hung up, or given up before it was connected.
  if (found == sessions.end()) return;
  self->state.cause = self->system().render(down.reason);
  const auto session = found->first;
  self->state.way->lost(session, self->clock().now());
  settle(self);
}

caf::result<forwarder_status> on_drain(forwarder_pointer self, const drain_request& request) {
  auto to = self->make_response_promise<forwarder_status>();
  self->state.drains.push_back({request.deadline, to});
  self->state.way->tick(self->clock().now());
  settle(self);
  return to;
}

std::optional<delivery_hint> hint_of(const forwarder_settings& settings) {
  const auto mark = read_mark(settings.dir);
  if (!mark) return std::nullopt;
  const auto known = std::ranges::find(settings.collectors, mark->collector);
  // One that is configured no more has the lines all the same: it is another than any of these.
  return delivery_hint{mark->delivered, static_cast<std::size_t>(known - settings.collectors.begin())};
}

}  // namespace

forwarder_actor::behavior_type make_forwarder(forwarder_pointer self, forwarder_settings settings,
                                              const forwarder_environment& environment) {
  die_of_exceptions(self);
  self->set_down_handler([self](caf::scheduled_actor*, caf::down_msg& down) { on_down(self, down); });
  auto& state = self->state;
  state.settings = std::move(settings);
  state.settings.delivery.collectors = state.settings.collectors.size();
  state.environment = &environment;
  state.packer = std::make_unique<line_packer>();
  state.marked = hint_of(state.settings);
  state.way = std::make_unique<delivery>(state.settings.delivery, environment.log, state.marked);
  self->delayed_send(self, state.settings.begin_after, tick_atom::value);
  return {
      [](ping_atom) { return ping_atom::value; },
      [self](const connection_outcome& outcome) { on_connection(self, outcome); },
      [self](tick_atom) { on_tick(self); },
      [self](const drain_request& request) { return on_drain(self, request); },
      [self](status_atom) { return status_of(self); },
  };
}

}  // namespace cellos
