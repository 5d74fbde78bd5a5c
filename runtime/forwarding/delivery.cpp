// The way of a delivery: connect, greet, stream. A welcome says where the collector's copy ends; where the host's own
// bytes before that place are the same, it goes on there. Whatever goes wrong ends in `leave`, and with it the next
// collector's turn begins at the position that this one made durable.

#include "runtime/forwarding/delivery.hpp"

#include <algorithm>
#include <utility>

namespace cellos {

namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t codecs_offered =
    1U << static_cast<unsigned>(line_codec::raw) | 1U << static_cast<unsigned>(line_codec::zstd);
/// Memory for what is in flight, whatever a collector grants. Chosen here.
constexpr std::size_t most_credit = std::size_t{16} << 20;
/// A collector that asks for a longer pause is asked again. Chosen here.
constexpr milliseconds longest_hold{60'000};
/// How often a log that cannot be read is looked at again. Chosen here.
constexpr milliseconds unreadable_pause{1000};
/// Greetings that lead to nothing before a collector is left. Chosen here.
constexpr std::uint32_t most_greetings = 4;

}  // namespace

delivery::delivery(delivery_settings settings, committed_log& log, std::optional<delivery_hint> hint)
    : settings_(std::move(settings)),
      log_(log),
      hint_(hint),
      order_(settings_.collectors, settings_.pauses, settings_.seed),
      rate_(settings_.bytes_per_second) {}

std::vector<delivery_action> delivery::take_actions() { return std::exchange(actions_, {}); }
std::vector<delivery_event> delivery::take_events() { return std::exchange(events_, {}); }

delivery_action& delivery::act(delivery_action::kind what, const connection& with) {
  auto& action = actions_.emplace_back();
  action.what = what;
  action.session = with.id;
  action.collector = with.collector;
  return action;
}

void delivery::note(delivery_note what, const connection& with, node_refusal reason) {
  events_.push_back({what, with.collector, reason, {}, {}});
}

delivery::connection delivery::connect(std::size_t collector, monotonic_time now) {
  connection made;
  made.id = ++last_session_;
  made.collector = collector;
  made.deadline = now + settings_.answer_timeout;
  act(delivery_action::kind::connect, made);
  return made;
}

void delivery::tick(monotonic_time now) {
  if (!std::exchange(has_begun_, true)) next_ = order_.first(now);
  keep_current(now);
  keep_probe(now);
  if (!current_ && now >= next_.when && log_is_open()) current_ = connect(next_.collector, now);
  look_for_preferred(now);
  send_what_fits(now);
  rate_free_at_ = rate_.in_debt_until(now).value_or(monotonic_time::max());
}

/// Of a log that its process has not opened yet nothing is known: what a collector has of it would look like a fork.
bool delivery::log_is_open() const { return log_.committed() != segment_position{}; }

void delivery::keep_current(monotonic_time now) {
  if (!current_) return;
  if (current_->at != phase::streaming) {
    if (now >= current_->deadline) leave(now, delivery_note::collector_unresponsive);
    return;
  }
  const auto since = window_.waiting_since();
  if (since && now - *since >= settings_.answer_timeout) return leave(now, delivery_note::collector_unresponsive);
  if (now < current_->alive_at) return;
  current_->alive_at = now + current_->alive_every;
  act(delivery_action::kind::say_alive, *current_).alive = {std::min(log_.first_kept(), log_.committed()),
                                                            log_.committed()};
}

void delivery::keep_probe(monotonic_time now) {
  if (!probe_ || now < probe_->deadline) return;
  act(delivery_action::kind::hang_up, *probe_);
  probe_.reset();
  probe_at_ = now + settings_.fail_back;
}

void delivery::look_for_preferred(monotonic_time now) {
  if (!current_ || probe_ || current_->at != phase::streaming || current_->collector == 0 || now < probe_at_) return;
  probe_target_ = (probe_target_ + 1) % current_->collector;
  probe_ = connect(probe_target_, now);
}

void delivery::connected(std::uint64_t session, monotonic_time now) {
  if (probe_ && probe_->id == session && probe_->at == phase::connecting) {
    probe_->at = phase::connected;
    return send_what_fits(now);
  }
  if (!current_ || current_->id != session || current_->at != phase::connecting) return;
  begin_greeting(now);
}

void delivery::lost(std::uint64_t session, monotonic_time now) {
  if (probe_ && probe_->id == session) {
    probe_.reset();
    probe_at_ = now + settings_.fail_back;
    return;
  }
  if (current_ && current_->id == session) leave(now, delivery_note::collector_lost);
}

collector_failure delivery::failure_of_current(monotonic_time now, delivery_note why, bool permanent) const {
  if (permanent) return collector_failure::permanent;
  const auto began = current_->deadline - settings_.answer_timeout;
  const bool waited = current_->at == phase::connecting && now - began >= settings_.silent_after;
  return waited || why == delivery_note::collector_unresponsive ? collector_failure::silent
                                                                : collector_failure::reached;
}

/// Its successor is the next in turn, or the preferred one that is connected already.
void delivery::leave(monotonic_time now, delivery_note why, node_refusal reason, bool permanent) {
  note(why, *current_, reason);
  if (why == delivery_note::collector_refuses) refused_last_ = true;
  act(delivery_action::kind::hang_up, *current_);
  window_.lose_all();
  held_until_ = monotonic_time::min();
  const std::size_t left = current_->collector;
  const auto how = failure_of_current(now, why, permanent);
  current_ = std::exchange(probe_, std::nullopt);
  if (!current_) {
    next_ = order_.after_failure(left, how, now);
    if (next_.when <= now) current_ = connect(next_.collector, now);
    return;
  }
  current_->deadline = now + settings_.answer_timeout;
  if (current_->at == phase::connected) begin_greeting(now);
}

bool delivery::is_between_lines(segment_position place) {
  return place == log_.first_kept() || log_.hash_before(place).has_value();
}

segment_position delivery::elsewhere(const connection& with) const {
  if (!hint_ || hint_->collector == with.collector) return {};
  return log_.hash_before(hint_->delivered) ? hint_->delivered : segment_position{};
}

void delivery::begin_greeting(monotonic_time now) {
  window_.lose_all();
  if (++current_->greetings > most_greetings) {
    return leave(now, delivery_note::collector_refuses, node_refusal::malformed, true);
  }
  current_->has_asked_to_skip = current_->has_asked_to_fork = false;
  const auto from = std::max(log_.first_kept(), elsewhere(*current_));
  greet(*current_, hello_intent::resume, {from, log_.hash_before(from).value_or(line_hash{})}, now);
}

void delivery::greet(connection& with, hello_intent intent, log_cursor cursor, monotonic_time now) {
  node_hello& hello = with.hello;
  hello.host_id = settings_.host_id;
  hello.log = settings_.log;
  hello.boot_nonce = settings_.boot_nonce;
  hello.intent = intent;
  hello.committed = log_.committed();
  hello.first_kept = std::min(log_.first_kept(), hello.committed);
  hello.cursor = cursor;
  hello.codecs = codecs_offered;
  with.at = phase::greeting;
  with.deadline = now + settings_.answer_timeout;
  if (intent == hello_intent::skip) with.has_asked_to_skip = true;
  if (intent == hello_intent::fork) with.has_asked_to_fork = true;
  act(delivery_action::kind::say_hello, with).hello = hello;
}

void delivery::welcomed(std::uint64_t session, const decoded_message<node_welcome>& answer, monotonic_time now) {
  if (!current_ || current_->id != session || current_->at != phase::greeting) return;
  const node_welcome& welcome = answer.message;
  if (!answer) return leave(now, delivery_note::collector_refuses, node_refusal::malformed, true);
  if (welcome.kind == welcome_kind::refused) {
    return leave(now, delivery_note::collector_refuses, welcome.reason, welcome.permanent);
  }
  if (welcome.largest_batch == 0) return leave(now, delivery_note::collector_refuses, node_refusal::malformed, true);
  // Granted anew with each welcome: what is sent from here on keeps to it.
  current_->largest_batch = std::min<std::size_t>(settings_.batch_bytes, welcome.largest_batch);
  current_->credit = std::min<std::size_t>(most_credit, welcome.window_bytes);
  current_->alive_every = std::max(milliseconds{welcome.silence_window_ms} / 3, milliseconds{100});
  if (welcome.kind == welcome_kind::resume) return on_resume(welcome.cursor, now);
  on_begin(welcome.cursor.at, now);
}

void delivery::on_resume(const log_cursor& copy_end, monotonic_time now) {
  const auto first = log_.first_kept();
  // What the copy ends with was removed here: there is nothing to compare it with.
  if (copy_end.at < first) return skip_from(copy_end.at, std::max(first, elsewhere(*current_)), now);
  if (log_.hash_before(copy_end.at) != std::optional{copy_end.line_before}) {
    if (current_->has_asked_to_fork) {
      return leave(now, delivery_note::collector_refuses, node_refusal::history_forked, true);
    }
    note(delivery_note::history_forked, *current_);
    events_.back().from = copy_end.at;
    return greet(*current_, hello_intent::fork, {first, {}}, now);
  }
  const auto other = elsewhere(*current_);
  if (other <= copy_end.at || current_->has_asked_to_skip) return stream_from(copy_end.at, now);
  greet(*current_, hello_intent::skip, {other, log_.hash_before(other).value_or(line_hash{})}, now);
}

void delivery::skip_from(segment_position copy_end, segment_position to, monotonic_time now) {
  if (current_->has_asked_to_skip) {
    return leave(now, delivery_note::collector_refuses, node_refusal::history_forked, true);
  }
  note(delivery_note::lines_skipped, *current_);
  ++counts_.gaps;
  events_.back().from = copy_end;
  events_.back().to = to;
  greet(*current_, hello_intent::skip, {to, log_.hash_before(to).value_or(line_hash{})}, now);
}

void delivery::on_begin(segment_position at, monotonic_time now) {
  if (at == current_->hello.cursor.at || is_between_lines(at)) return stream_from(at, now);
  skip_from(at, std::max(log_.first_kept(), elsewhere(*current_)), now);
}

void delivery::stream_from(segment_position at, monotonic_time now) {
  connection& with = *current_;
  with.at = phase::streaming;
  with.alive_at = now;
  with.good_at = now + settings_.good_after;
  window_.restart(at, with.credit);
  probe_at_ = now + settings_.fail_back;
  ++counts_.sessions;
  refused_last_ = false;
  note(delivery_note::collector_reached, with);
  note_delivered();
  keep_current(now);
  send_what_fits(now);
}

/// What one collector has, others need not have; what this one says of itself holds even where it is less than before.
void delivery::note_delivered() {
  const auto delivered = window_.delivered();
  if (!hint_ || hint_->collector == current_->collector || delivered > hint_->delivered) {
    hint_ = delivery_hint{delivered, current_->collector};
  }
}

void delivery::answered(std::uint64_t session, std::uint64_t number, const decoded_message<node_answer>& answer,
                        monotonic_time now) {
  if (!current_ || current_->id != session || current_->at != phase::streaming) return;
  if (!answer) return leave(now, delivery_note::collector_refuses, node_refusal::malformed, false);
  const auto before = window_.bytes_in_flight();
  const auto lines_before = window_.lines_in_flight();
  using enum delivery_window::consequence;
  switch (window_.answered(number, answer.message, now)) {
    case none:
    case went_back: break;
    case delivered:
      counts_.bytes_delivered += before - window_.bytes_in_flight();
      counts_.lines_delivered += lines_before - window_.lines_in_flight();
      current_->greetings = 0;
      if (now >= current_->good_at) order_.note_good();
      note_delivered();
      break;
    case pause:
      held_until_ = now + std::clamp(milliseconds{answer.message.retry_after_ms}, milliseconds{1}, longest_hold);
      break;
    case greet_again: return begin_greeting(now);
    case refused: return leave(now, delivery_note::collector_refuses, answer.message.reason, false);
  }
  send_what_fits(now);
}

bool delivery::switches_to_probe(monotonic_time now) {
  if (!probe_ || probe_->at != phase::connected) return false;
  if (!window_.is_empty()) return true;
  act(delivery_action::kind::hang_up, *current_);
  current_ = std::exchange(probe_, std::nullopt);
  held_until_ = monotonic_time::min();
  begin_greeting(now);
  return true;
}

void delivery::send_what_fits(monotonic_time now) {
  if (!current_ || current_->at != phase::streaming || switches_to_probe(now) || now < held_until_) return;
  held_until_ = monotonic_time::min();
  while (rate_.allows(now) && window_.has_room_for(current_->largest_batch)) {
    const auto read = log_.read(window_.next(), current_->largest_batch);
    switch (read.result) {
      case committed_log::outcome::lines: send(read.batch, now); continue;
      case committed_log::outcome::at_end: return on_nothing_to_send(now);
      case committed_log::outcome::gone:
        // The next greeting says where the log begins by now.
        if (window_.is_empty()) begin_greeting(now);
        return;
      case committed_log::outcome::failed:
        note(delivery_note::unreadable_log, *current_);
        held_until_ = now + unreadable_pause;
        return;
    }
  }
}

/// The collector has more than it said is durable, because an answer went astray: a welcome says it.
void delivery::on_nothing_to_send(monotonic_time now) {
  if (window_.is_empty() && window_.next() != window_.delivered()) begin_greeting(now);
}

void delivery::send(const line_batch& batch, monotonic_time now) {
  auto& action = act(delivery_action::kind::send_lines, *current_);
  action.number = window_.sent(batch.after, batch.end(), batch.text.size(), now, batch.line_count);
  rate_.await_size();
  action.lines = {batch.after,      batch.from,      static_cast<std::uint32_t>(batch.text.size()),
                  batch.line_count, line_codec::raw, {}};
  action.text = batch.text;
  ++counts_.batches_sent;
  counts_.lines_sent += batch.line_count;
}

void delivery::packed(std::size_t bytes, monotonic_time now) {
  counts_.bytes_sent += bytes;
  if (settings_.bytes_per_second == 0) return;
  rate_.take(bytes, now);
  send_what_fits(now);
  rate_free_at_ = rate_.in_debt_until(now).value_or(monotonic_time::max());
}

monotonic_time delivery::next_wake() const {
  if (!current_) return log_is_open() ? next_.when : monotonic_time::max();
  auto wake = monotonic_time::max();
  if (probe_) wake = std::min(wake, probe_->deadline);
  if (current_->at != phase::streaming) return std::min(wake, current_->deadline);
  if (const auto since = window_.waiting_since()) wake = std::min(wake, *since + settings_.answer_timeout);
  if (held_until_ != monotonic_time::min()) wake = std::min(wake, held_until_);
  wake = std::min(wake, rate_free_at_);
  if (!probe_ && current_->collector > 0) wake = std::min(wake, probe_at_);
  return std::min(wake, current_->alive_at);
}

bool delivery::is_complete() {
  return hint_ && log_.read(hint_->delivered, 1).result == committed_log::outcome::at_end;
}

bool delivery::is_held_back(monotonic_time now) const {
  return current_ && current_->at == phase::streaming && (now < held_until_ || rate_.in_debt_until(now));
}

delivery_status delivery::status() {
  delivery_status now = counts_;
  if (current_ && current_->at == phase::streaming) now.collector = current_->collector;
  now.delivered = hint_ ? hint_->delivered : segment_position{};
  now.sent = window_.next();
  now.committed = log_.committed();
  now.bytes_in_flight = window_.bytes_in_flight();
  now.lines_in_flight = window_.lines_in_flight();
  now.is_refused = !now.collector && refused_last_;
  return now;
}

}  // namespace cellos
