#include "runtime/jetstream/stream_delivery.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "messages/event_line.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

/// Read at once; chosen here.
constexpr std::size_t read_bytes = std::size_t{64} << 10;
/// After the log could not be read.
constexpr milliseconds unreadable_pause{1000};
/// How often retention is looked at.
constexpr milliseconds look_every{1000};
/// Acknowledgements kept: so many in `keep_after_ack`.
constexpr std::int64_t samples = 64;
/// What a server stores beside content, subject and id: headers, under 500 bytes, and 30 of its own (2.9.10). Rounded
/// up.
constexpr std::uint64_t message_overhead = 1024;

std::uint64_t stored_size(const stream_message& message) {
  return message.content.size() + message.subject.size() + message.id.size() + message_overhead;
}

std::uint64_t room_in(const stream_tail& tail) {
  if (tail.max_bytes == 0) return std::numeric_limits<std::uint64_t>::max();
  return tail.max_bytes - std::min(tail.used_bytes, tail.max_bytes);
}

}  // namespace

stream_delivery::stream_delivery(stream_delivery_settings settings, committed_log& log, std::optional<stream_hint> hint)
    : settings_(std::move(settings)),
      log_(log),
      hint_(hint),
      subjects_(settings_.prefix, settings_.host_id),
      order_(1, settings_.pauses, settings_.seed) {}

std::vector<stream_action> stream_delivery::take_actions() { return std::exchange(actions_, {}); }
std::vector<receiver_note> stream_delivery::take_notes(monotonic_time now) { return notes_.take(now); }

void stream_delivery::act(stream_action::kind what) { actions_.push_back({what, session_, {}}); }

void stream_delivery::tick(monotonic_time now) {
  switch (at_) {
    case phase::idle:
      // Before the log is open nothing is known of it.
      if (now < begin_at_ || log_.committed() == segment_position{}) break;
      ++session_;
      at_ = phase::connecting;
      deadline_ = now + settings_.answer_timeout;
      act(stream_action::kind::connect);
      break;
    case phase::connecting:
      if (now >= deadline_) leave("no connection in time", now);
      break;
    case phase::asking:
      if (!is_asked_ && now >= begin_at_) {
        is_asked_ = true;
        deadline_ = now + settings_.answer_timeout;
        act(stream_action::kind::ask_tail);
      }
      if (is_asked_ && now >= deadline_) leave("it does not say what the stream has", now);
      break;
    case phase::streaming:
    case phase::draining:
      if (waits_for_answers() && now >= deadline_) leave("it answers nothing", now);
      break;
  }
  look_at_retention(now);
  send_what_fits(now);
}

void stream_delivery::connected(std::uint64_t session, monotonic_time now) {
  if (session == session_ && at_ == phase::connecting) ask(now);
}

void stream_delivery::lost(std::uint64_t session, const std::string& cause, monotonic_time now) {
  if (session == session_ && at_ != phase::idle) leave(cause, now);
}

void stream_delivery::leave(const std::string& cause, monotonic_time now) {
  notes_.add({receiver_note::kind::lost, cause}, now);
  act(stream_action::kind::hang_up);
  at_ = phase::idle;
  begin_at_ = order_.after_failure(0, collector_failure::reached, now).when;
  forget_window();
}

void stream_delivery::forget_window() {
  window_.clear();
  window_used_ = 0;
}

void stream_delivery::ask(monotonic_time now) {
  at_ = phase::asking;
  forget_window();
  is_asked_ = false;
  begin_at_ = std::max(now, held_until_);
  tick(now);
}

/// Nothing more before a pause, and then only behind the stream's tail.
void stream_delivery::hold(const std::string& cause, monotonic_time now) {
  notes_.add({receiver_note::kind::refuses, cause}, now);
  is_careful_ = true;
  at_ = phase::asking;
  is_asked_ = false;
  begin_at_ = order_.after_failure(0, collector_failure::reached, now).when;
}

/// What is on its way still may be stored: it is waited for, so that the tail that is then asked for has it.
void stream_delivery::go_back(std::uint64_t answered, monotonic_time now) {
  forget_window();
  if (answered == last_number_) return ask(now);
  at_ = phase::draining;
}

void stream_delivery::found(std::uint64_t session, const stream_tail& tail, monotonic_time now) {
  if (session != session_ || at_ != phase::asking || !is_asked_) return;
  if (!tail.refusal.empty()) return hold(tail.refusal, now);
  const std::uint64_t own = tail.own ? tail.own->sequence : 0;
  if (settings_.fence == stream_fence::stream && tail.newest > own) {
    return hold("message " + std::to_string(tail.newest) + " of the stream is another writer's", now);
  }
  resume(tail, now);
}

void stream_delivery::resume(const stream_tail& tail, monotonic_time now) {
  // What was refused something is well again only once something is stored.
  if (!is_careful_) notes_.add_reached();
  has_own_ = tail.own.has_value();
  room_ = asked_room_ = room_in(tail);
  fence_ = settings_.fence == stream_fence::stream ? tail.last_sequence : tail.own_fence;
  begin_at(place_after(tail, now), now);
}

/// Where the stream has nothing of this host: whether what the hint remembers was there, and was removed by age, by a
/// limit or by hand. What a server lost takes the stream's last sequence back with it.
bool stream_delivery::removed_behind(const stream_tail& tail) const {
  if (!hint_ || tail.own) return false;
  // In a shared stream others may have taken the sequences of what was lost.
  if (settings_.fence == stream_fence::subject) return tail.first_sequence > hint_->sequence;
  return hint_->sequence <= tail.last_sequence;
}

segment_position stream_delivery::remembered() {
  return hint_ && log_.hash_before(hint_->delivered) ? hint_->delivered : log_.first_kept();
}

segment_position stream_delivery::place_after(const stream_tail& tail, monotonic_time now) {
  if (removed_behind(tail)) return hint_->delivered;
  if (!tail.own) return log_.first_kept();
  const auto& place = tail.own->place;
  // Another log: this host's begins behind it.
  if (!place || place->log != settings_.log) return remembered();
  const auto at = place->end;
  const auto hash = log_.hash_before(at);
  if (hash == std::optional{tail.own->line}) return at;
  if (!hash && at <= log_.committed() && log_.read(at, 1).result == committed_log::outcome::gone) return at;
  notes_.add({receiver_note::kind::forked, {}, at, {}}, now);
  return remembered();
}

void stream_delivery::begin_at(segment_position place, monotonic_time now) {
  at_ = phase::streaming;
  next_ = place;
  if (log_.read(place, 1).result == committed_log::outcome::gone) skip_removed(now);
  // What was removed is not delivered, and nothing is left to be done about it.
  counts_.delivered = place;
  const auto before = now - settings_.keep_after_ack;
  if (acknowledged_.empty()) acknowledged_.push_back({before, before, place});
  hint_ = stream_hint{place, hint_ && hint_->delivered == place ? hint_->sequence : fence_};
  send_what_fits(now);
}

void stream_delivery::skip_removed(monotonic_time now) {
  const auto from = next_;
  const auto end = log_.committed();
  for (auto segment = std::max(from.segment + 1, log_.first_kept().segment); segment <= end.segment; ++segment) {
    if (log_.read({segment, 0}, 1).result == committed_log::outcome::gone) continue;
    next_ = {segment, 0};
    notes_.add({receiver_note::kind::lines_undelivered, {}, from, next_}, now);
    return;
  }
}

void stream_delivery::answered(std::uint64_t session, std::uint64_t number, const stream_answer& answer,
                               monotonic_time now) {
  if (session != session_ || !waits_for_answers()) return;
  deadline_ = now + settings_.answer_timeout;
  // Answers come in the order of the messages.
  if (at_ == phase::draining) {
    if (number == last_number_) ask(now);
    return;
  }
  if (number < window_.front().number || number > last_number_) return;
  const auto index = static_cast<std::size_t>(number - window_.front().number);
  if (!answer.is_stored) {
    // The first time that something else is the last is what a lost answer leads to.
    if (answer.code != wrong_last_sequence || is_careful_) {
      notes_.add({receiver_note::kind::refuses, answer.text}, now);
      held_until_ = order_.after_failure(0, collector_failure::reached, now).when;
    }
    is_careful_ = true;
    return go_back(number, now);
  }
  const bool is_in_place = settings_.fence == stream_fence::subject || answer.sequence == window_[index].expected + 1;
  if (is_in_place && !answer.is_duplicate) {
    // It was the last, so that all before it are there as well.
    take_stored(index + 1, answer.sequence, now);
    return send_what_fits(now);
  }
  // Its id is known, and the next would not follow it. In a stream of this host's own that has nothing of it, it was
  // there, and was removed. Else it was lost, or another writer has used the id, and the fence alone keeps it single.
  const bool was_removed = !has_own_ && settings_.fence == stream_fence::stream;
  if (was_removed && index == 0) take_stored(1, answer.sequence, now);
  if (!was_removed) without_id_ = settings_.window_messages;
  go_back(number, now);
}

bool stream_delivery::waits_for_answers() const {
  return at_ == phase::draining || (at_ == phase::streaming && !window_.empty());
}

void stream_delivery::take_stored(std::size_t count, std::uint64_t sequence, monotonic_time now) {
  for (; count > 0; --count) {
    const publication& stored = window_.front();
    counts_.delivered = stored.end;
    counts_.lines_delivered += stored.lines;
    counts_.bytes_delivered += stored.bytes;
    window_used_ -= stored.bytes;
    window_.pop_front();
  }
  hint_ = stream_hint{counts_.delivered, sequence};
  if (settings_.fence == stream_fence::subject) fence_ = sequence;
  is_careful_ = false;
  notes_.add_reached();
  order_.note_good();
  if (acknowledged_.empty() || now - acknowledged_.back().first >= settings_.keep_after_ack / samples) {
    acknowledged_.push_back({now, now, {}});
  }
  acknowledged_.back().last = now;
  acknowledged_.back().delivered = counts_.delivered;
}

bool stream_delivery::has_room() const {
  if (is_careful_ || settings_.fence == stream_fence::subject) return window_.empty();
  return window_.size() < settings_.window_messages && window_used_ < settings_.window_bytes;
}

void stream_delivery::send_what_fits(monotonic_time now) {
  if (at_ != phase::streaming || now < held_until_) return;
  held_until_ = monotonic_time{};
  const bool is_shared = settings_.fence == stream_fence::subject;
  while (has_room()) {
    if (window_.empty()) deadline_ = now + settings_.answer_timeout;
    const auto read = log_.read(next_, is_shared ? settings_.batch_bytes : read_bytes);
    switch (read.result) {
      case committed_log::outcome::lines:
        if (!(is_shared ? publish_batch(read.batch) : publish_lines(read.batch))) return wait_for_room(now);
        continue;
      case committed_log::outcome::at_end: return;
      case committed_log::outcome::gone: {
        const auto before = next_;
        skip_removed(now);
        if (next_ == before) return;
        continue;
      }
      case committed_log::outcome::failed:
        notes_.add({receiver_note::kind::unreadable_log}, now);
        held_until_ = now + unreadable_pause;
        return;
    }
  }
}

/// A server that looks for room without what it stores beside a message takes one too many, and removes its oldest for
/// it (2.9.10): it is not brought there.
void stream_delivery::wait_for_room(monotonic_time now) {
  if (!window_.empty()) return;
  if (room_ < asked_room_) return ask(now);
  hold("the stream has no room for another message: it may have " + std::to_string(room_) + " bytes more", now);
}

/// As many as the window takes; the others are read again. False: there is no room in the stream for the next.
bool stream_delivery::publish_lines(const line_batch& batch) {
  next_ = batch.from;
  for (std::string_view rest = batch.text; !rest.empty() && has_room();) {
    const auto length = rest.find('\n') + 1;
    const auto line = rest.substr(0, length - 1);
    rest.remove_prefix(length);
    stream_message message;
    message.subject = subjects_.of(line);
    message.place = {settings_.log, {next_.segment, next_.offset + length}};
    message.id = attribute_in(line, "id");
    if (message.id.empty()) message.id = to_text(message.place);
    message.content = line;
    if (!publish(std::move(message), 1, length)) return false;
  }
  return true;
}

bool stream_delivery::publish_batch(const line_batch& batch) {
  stream_message message;
  message.subject = subjects_.batches();
  message.place = {settings_.log, batch.end()};
  message.id = settings_.host_id + '/' + to_text(message.place);
  message.content = as_json_array(batch.text);
  message.is_batch = true;
  return publish(std::move(message), batch.line_count, batch.text.size());
}

bool stream_delivery::publish(stream_message message, std::uint32_t lines, std::size_t bytes) {
  const auto needed = stored_size(message);
  if (needed > room_) return false;
  room_ -= needed;
  if (without_id_ > 0) {
    --without_id_;
    message.id.clear();
  }
  next_ = message.place.end;
  message.number = ++last_number_;
  message.expected = fence_;
  if (settings_.fence == stream_fence::stream) ++fence_;
  window_.push_back({message.number, message.expected, next_, lines, bytes});
  window_used_ += bytes;
  actions_.push_back({stream_action::kind::publish, session_, std::move(message)});
  return true;
}

/// Retention waits for nobody. Where it removes what a server could still lose, that is said.
void stream_delivery::look_at_retention(monotonic_time now) {
  if (now < look_at_) return;
  look_at_ = now + look_every;
  const auto since = now - settings_.keep_after_ack;
  while (acknowledged_.size() > 1 && acknowledged_[1].last <= since) acknowledged_.pop_front();
  if (acknowledged_.empty()) return;
  const auto first = log_.first_kept();
  const auto safe = std::max(acknowledged_.front().delivered, removed_up_to_);
  const auto up_to = std::min(first, counts_.delivered);
  if (up_to <= safe) return;
  removed_up_to_ = up_to;
  notes_.add({receiver_note::kind::removed_early, {}, safe, up_to}, now);
}

monotonic_time stream_delivery::next_wake() const {
  auto wake = look_at_;
  switch (at_) {
    case phase::idle: return std::min(wake, begin_at_);
    case phase::connecting: return std::min(wake, deadline_);
    case phase::asking: return std::min(wake, is_asked_ ? deadline_ : begin_at_);
    case phase::streaming:
    case phase::draining:
      if (waits_for_answers()) wake = std::min(wake, deadline_);
      if (held_until_ != monotonic_time{}) wake = std::min(wake, held_until_);
      return wake;
  }
  return wake;
}

receiver_status stream_delivery::status() {
  receiver_status now = counts_;
  now.is_reached = at_ == phase::streaming;
  now.gaps = notes_.gaps();
  now.committed = log_.committed();
  now.sent = next_;
  now.bytes_in_flight = window_used_;
  for (const publication& each : window_) now.lines_in_flight += each.lines;
  now.is_complete = now.is_reached && window_.empty() && log_.read(next_, 1).result == committed_log::outcome::at_end;
  return now;
}

}  // namespace cellos
