// INGEST: hello, then lines. A hello is refused by its words alone, or admitted by the supervisor, or answered with
// where the copy ends. Lines are appended at once; their answer waits for the disk, and comes back here as a message of
// the thread that commits. Whatever the peer sends, it can have done so much for its own host alone.

#include "runtime/collector/ingest_session.hpp"

#include <chrono>
#include <utility>

#include "actors/supervision.hpp"
#include "messages/node_codec.hpp"

namespace cellos {

namespace {

using session_pointer = ingest_session_actor::stateful_pointer<ingest_session_state>;
using promise = ingest_session_state::promise;

/// How long the supervisor may take: it may have to ask another process first. Chosen here.
constexpr std::chrono::seconds admission_timeout{5};
/// A connection that says nothing useful for so many silence windows ends. Chosen here.
constexpr int silent_windows = 2;
/// Answers that may be due; a peer that keeps to the limit has fewer. Chosen here.
constexpr std::size_t most_waiting = 4 * node_limits::most_unanswered;
constexpr std::uint32_t crowded_pause_ms = 100;

void hear(session_pointer self) {
  auto& state = self->state;
  state.last_heard = self->clock().now();
  if (state.account) state.account->last_heard = state.last_heard;
}

std::vector<char> refuse(session_pointer self, node_refusal reason, bool permanent) {
  auto& state = self->state;
  state.environment->events.host_refused(state.peer, reason);
  return encode(ingest::refuse(reason, permanent));
}

/// The answer goes out once `copy` is durable up to its end, or was cut back.
template <class Answer>
void answer_when_settled(session_pointer self, promise to, const std::shared_ptr<log_copy>& copy,
                         std::uint64_t generation, std::size_t bytes, Answer answer) {
  auto& state = self->state;
  const std::uint64_t token = ++state.last_token;
  state.waiting.emplace(token, std::move(to));
  // Weak: a session that ended needs no answer, and the queue must not keep it.
  const auto session = caf::actor_cast<caf::actor_addr>(self);
  state.environment->commits.add(copy, generation, bytes, [session, token, answer](bool durable) {
    if (const auto to_session = caf::actor_cast<caf::strong_actor_ptr>(session)) {
      caf::anon_send(caf::actor_cast<caf::actor>(to_session), answer(token, durable));
    }
  });
}

void welcome(session_pointer self, const node_hello& hello, promise to) {
  auto& state = self->state;
  auto& events = state.environment->events;
  const auto opened = state.protocol->open(hello);
  if (opened.failure) events.copy_failed(state.peer.host_id, opened.failure);
  if (!opened.copy) {
    to.deliver(refuse(self, opened.welcome.reason, opened.welcome.permanent));
    return;
  }
  if (opened.contradicted) {
    events.history_forked(state.peer.host_id, {{hello.log, opened.welcome.forks}, *opened.contradicted});
  }
  state.account->forks = opened.welcome.forks;
  state.account->set_committed(hello.committed);
  // Where the copy ends counts as safe at the host: it must be.
  answer_when_settled(self, std::move(to), opened.copy, opened.generation, 0,
                      [said = opened.welcome](std::uint64_t token, bool durable) {
                        const auto answer = durable ? said : ingest::refuse(node_refusal::storage_failed, false);
                        return settled_request{token, encode(answer), durable ? said.cursor.at : segment_position{}};
                      });
}

caf::result<std::vector<char>> on_hello(session_pointer self, const std::vector<char>& bytes) {
  auto& state = self->state;
  // Before the promise, which takes the sender.
  const caf::strong_actor_ptr forwarder = self->current_sender();
  hear(self);
  const auto hello = decode_hello(bytes);
  // Over plain loopback nothing vouches for a peer: what it says first counts.
  if (state.peer.host_id.empty() && hello) {
    state.peer.host_id = hello.message.host_id;
    state.protocol.emplace(state.environment->store, state.peer.host_id, state.environment->limits);
  }
  if (const auto reason = state.protocol->refusal_of(hello); reason != node_refusal::none) {
    return refuse(self, reason, true);
  }
  if (!forwarder || state.waiting.size() >= most_waiting) return refuse(self, node_refusal::malformed, true);
  if (state.forwarder != forwarder) {
    if (state.forwarder) self->demonitor(caf::actor_cast<caf::actor_addr>(state.forwarder));
    self->monitor(forwarder);
    state.forwarder = forwarder;
  }
  auto to = self->make_response_promise<std::vector<char>>();
  const session_entry entry{state.peer, hello.message.boot_nonce, self->ctrl(), forwarder};
  self->request(state.supervisor, admission_timeout, enter_atom::value, entry)
      .then(
          [self, to, said = hello.message](const session_admission& admission) mutable {
            if (!admission.account) {
              to.deliver(refuse(self, admission.refusal, false));
              return;
            }
            self->state.account = admission.account;
            welcome(self, said, std::move(to));
          },
          [self, to](const caf::error&) mutable { to.deliver(refuse(self, node_refusal::other, false)); });
  return to;
}

caf::result<std::vector<char>> on_lines(session_pointer self, const std::vector<char>& bytes) {
  auto& state = self->state;
  hear(self);
  if (!state.account) return encode(node_answer{answer_kind::refused, {}, 0, node_refusal::not_greeted});
  if (state.waiting.size() >= most_waiting) {
    ++state.account->crowded;
    return encode(node_answer{answer_kind::busy, {}, crowded_pause_ms});
  }
  const auto taken = state.account->with_quota(
      [&](byte_quota& quota) { return state.protocol->take(bytes, quota, self->clock().now()); });
  if (taken.failure) state.environment->events.copy_failed(state.peer.host_id, taken.failure);
  if (taken.answer) {
    if (taken.answer->kind == answer_kind::busy)
      ++(taken.failure ? state.account->not_stored : state.account->over_quota);
    if (taken.answer->kind == answer_kind::refused) ++state.account->refusals;
    if (taken.answer->reason == node_refusal::signature_refused) {
      state.environment->events.host_refused(state.peer, taken.answer->reason);
    }
    return encode(*taken.answer);
  }
  state.account->bytes += taken.bytes;
  state.account->lines += taken.lines;
  ++state.account->batches;
  auto to = self->make_response_promise<std::vector<char>>();
  answer_when_settled(self, to, taken.copy, taken.generation, taken.bytes,
                      [copy = taken.copy, end = taken.end](std::uint64_t token, bool durable) {
                        const auto answer = ingest::settle(*copy, end, durable);
                        return settled_request{token, encode(answer), durable ? end : segment_position{}};
                      });
  return to;
}

void on_settled(session_pointer self, settled_request& settled) {
  auto& state = self->state;
  if (settled.durable.segment > 0) state.account->set_kept(settled.durable);
  auto waited = state.waiting.extract(settled.token);
  if (waited) waited.mapped().deliver(std::move(settled.answer));
}

void on_alive(session_pointer self, const std::vector<char>& bytes) {
  const auto alive = decode_alive(bytes);
  if (!alive || !self->state.account) return;
  hear(self);
  self->state.account->set_alive(alive.message, self->clock().now());
}

void on_timer(session_pointer self) {
  const auto longest = silent_windows * self->state.environment->limits.silence_window;
  if (self->clock().now() - self->state.last_heard >= longest) return self->quit();
  self->delayed_send(self, longest / 4, session_timer{});
}

}  // namespace

ingest_session_actor::behavior_type make_ingest_session(session_pointer self, peer_identity peer,
                                                        collector_actor supervisor,
                                                        const ingest_environment& environment) {
  die_of_exceptions(self);
  // It monitors its forwarder and its supervisor, and is of no use without either.
  end_with_supervisor(self);
  auto& state = self->state;
  state.protocol.emplace(environment.store, peer.host_id, environment.limits);
  state.peer = std::move(peer);
  state.supervisor = std::move(supervisor);
  state.environment = &environment;
  state.last_heard = self->clock().now();
  self->monitor(state.supervisor);
  self->delayed_send(self, environment.limits.silence_window / 2, session_timer{});
  return {
      [self](hello_atom, std::uint32_t, const std::vector<char>& bytes) { return on_hello(self, bytes); },
      [self](lines_atom, const std::vector<char>& bytes) { return on_lines(self, bytes); },
      [self](alive_atom, const std::vector<char>& bytes) { on_alive(self, bytes); },
      [self](settled_request& settled) { on_settled(self, settled); },
      [self](session_timer) { on_timer(self); },
  };
}

caf::strong_actor_ptr spawn_ingest_session(caf::actor_system& system, const peer_identity& peer,
                                           const collector_actor& supervisor, const ingest_environment& environment) {
  // Who checks signatures keeps a thread busy: its own.
  const auto session = environment.limits.signers != nullptr
                           ? system.spawn<caf::detached>(make_ingest_session, peer, supervisor, std::cref(environment))
                           : system.spawn(make_ingest_session, peer, supervisor, std::cref(environment));
  return caf::actor_cast<caf::strong_actor_ptr>(session);
}

}  // namespace cellos
