#include "runtime/http_forwarding/http_delivery.hpp"

#include <algorithm>
#include <utility>

#include "messages/event_line.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

/// After the log could not be read.
constexpr milliseconds unreadable_pause{1000};
/// Requests that must be taken before larger ones are tried again; chosen here.
constexpr std::uint32_t good_before_growth = 100;

bool asks_for_a_pause(int status) { return status == 408 || status == 425 || status == 429 || status == 503; }

/// Whether the status is about what was sent, so that less of it may be taken.
bool is_about_content(int status) {
  return status == 400 || status == 406 || status == 409 || status == 415 || status == 422;
}

std::string cause_of(const post_answer& answer) {
  if (answer.status == 0) return answer.text.empty() ? "no answer" : answer.text;
  std::string cause = "HTTP " + std::to_string(answer.status);
  return answer.text.empty() ? cause : cause + ": " + answer.text;
}

std::string as_array(std::string_view lines) {
  std::string array = "[";
  array.reserve(lines.size() + 2);
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (array.size() > 1) array += ',';
    array += lines.substr(0, end);
    lines.remove_prefix(end + 1);
  }
  return array += ']';
}

}  // namespace

http_delivery::http_delivery(http_delivery_settings settings, committed_log& log, std::optional<http_cursor> cursor)
    : settings_(std::move(settings)),
      log_(log),
      cursor_(cursor),
      order_(1, settings_.pauses, settings_.seed),
      most_bytes_(settings_.batched ? settings_.batch_bytes : 1) {}

std::optional<event_post> http_delivery::take_request() { return std::exchange(request_, std::nullopt); }
std::vector<receiver_note> http_delivery::take_notes(monotonic_time now) { return notes_.take(now); }

/// Where the cursor is, if its line is this log's.
void http_delivery::begin(monotonic_time now) {
  has_begun_ = true;
  next_ = log_.first_kept();
  if (cursor_) {
    const auto at = cursor_->delivered;
    const auto hash = log_.hash_before(at);
    if (hash == std::optional{cursor_->line_before} ||
        (!hash && at <= log_.committed() && log_.read(at, 1).result == committed_log::outcome::gone)) {
      next_ = at;
    } else {
      notes_.add({receiver_note::kind::forked, {}, at, {}}, now);
    }
  }
  counts_.delivered = next_;
}

void http_delivery::tick(monotonic_time now) {
  // Before the log is open nothing is known of it.
  if (counts_.is_stopped || log_.committed() == segment_position{}) return;
  if (!has_begun_) begin(now);
  if (sent_) {
    if (now < sent_->deadline) return;
    const auto number = sent_->number;
    return answered(number, {}, now);
  }
  if (now < held_until_) return;
  held_until_ = monotonic_time{};
  for (;;) {
    const auto read = log_.read(next_, most_bytes_);
    switch (read.result) {
      case committed_log::outcome::lines:
        send(read.batch, now);
        if (sent_) return;
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

void http_delivery::skip_removed(monotonic_time now) {
  const auto from = next_;
  const auto end = log_.committed();
  for (auto segment = std::max(from.segment + 1, log_.first_kept().segment); segment <= end.segment; ++segment) {
    if (log_.read({segment, 0}, 1).result == committed_log::outcome::gone) continue;
    next_ = {segment, 0};
    notes_.add({receiver_note::kind::lines_undelivered, {}, from, next_}, now);
    return;
  }
}

/// Up to a line that is to be left out, or that line.
void http_delivery::send(const line_batch& batch, monotonic_time now) {
  std::string_view text = batch.text;
  sent what{0, batch.from, batch.from, 0, 0, {}, {}, now + settings_.answer_timeout};
  std::string_view last;
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n') + 1);
    const std::string id{attribute_in(line, "id")};
    const bool is_skipped = settings_.skip.contains(id);
    if (is_skipped && what.lines > 0) break;
    rest.remove_prefix(line.size());
    what.end.offset += line.size();
    last = line;
    if (is_skipped) {
      notes_.add({receiver_note::kind::line_skipped, id, what.from, what.end}, now);
      return move_to(what.end, sha256::of(line));
    }
    if (what.lines++ == 0) what.first_id = id;
  }
  text = text.substr(0, what.end.offset - what.from.offset);
  what.number = ++last_number_;
  what.bytes = text.size();
  what.last_line = sha256::of(last);
  request_.emplace();
  request_->number = what.number;
  request_->is_batch = settings_.batched;
  request_->body = settings_.batched ? as_array(text) : std::string{text.substr(0, text.size() - 1)};
  sent_ = std::move(what);
}

void http_delivery::move_to(segment_position place, const line_hash& line) {
  next_ = counts_.delivered = place;
  cursor_ = http_cursor{place, line};
}

void http_delivery::answered(std::uint64_t number, const post_answer& answer, monotonic_time now) {
  if (!sent_ || sent_->number != number) return;
  const sent what = *std::exchange(sent_, std::nullopt);
  const std::string cause = cause_of(answer);
  if (answer.status >= 200 && answer.status < 300) return take_delivered(what, now);
  counts_.is_reached = false;
  good_requests_ = 0;
  if (answer.status == 0 || answer.status >= 500 || asks_for_a_pause(answer.status)) return pause(cause, answer, now);
  if (answer.status == 413 || is_about_content(answer.status)) return shorten(what, cause, now);
  stop(what, cause, now);
}

void http_delivery::take_delivered(const sent& what, monotonic_time now) {
  move_to(what.end, what.last_line);
  counts_.lines_delivered += what.lines;
  counts_.bytes_delivered += what.bytes;
  counts_.is_reached = true;
  order_.note_good();
  notes_.add_reached();
  if (settings_.batched && ++good_requests_ % good_before_growth == 0) {
    most_bytes_ = std::min(most_bytes_ * 2, settings_.batch_bytes);
  }
  tick(now);
}

void http_delivery::pause(const std::string& cause, const post_answer& answer, monotonic_time now) {
  const auto kind = answer.status == 0 ? receiver_note::kind::lost : receiver_note::kind::refuses;
  notes_.add({kind, cause}, now);
  const bool is_named = asks_for_a_pause(answer.status) && answer.retry_after.count() > 0;
  held_until_ = is_named ? now + std::min(answer.retry_after, settings_.longest_retry_after)
                         : order_.after_failure(0, collector_failure::reached, now).when;
}

void http_delivery::shorten(const sent& what, const std::string& cause, monotonic_time now) {
  if (what.lines == 1) return stop(what, cause, now);
  most_bytes_ = std::max<std::size_t>(what.bytes / 2, 1);
  tick(now);
}

void http_delivery::stop(const sent& what, const std::string& cause, monotonic_time now) {
  counts_.is_stopped = true;
  notes_.add(
      {receiver_note::kind::stopped,
       cause + "; mend the receiver and reload, or add \"" + what.first_id + "\" to forward.http.skip and restart",
       what.from, what.end},
      now);
}

void http_delivery::go_on() {
  counts_.is_stopped = false;
  held_until_ = monotonic_time{};
}

monotonic_time http_delivery::next_wake() const {
  if (counts_.is_stopped) return monotonic_time::max();
  if (sent_) return sent_->deadline;
  return held_until_;
}

receiver_status http_delivery::status() {
  receiver_status now = counts_;
  // What is on its way counts as not sent: it is read again when it was refused.
  now.sent = now.delivered;
  now.gaps = notes_.gaps();
  now.committed = log_.committed();
  now.bytes_in_flight = sent_ ? sent_->bytes : 0;
  now.is_complete =
      has_begun_ && !sent_ && !now.is_stopped && log_.read(next_, 1).result == committed_log::outcome::at_end;
  return now;
}

}  // namespace cellos
