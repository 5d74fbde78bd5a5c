#include "runtime/control/event_feed.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "messages/chain_name.hpp"
#include "messages/event_line.hpp"

namespace cellos {

namespace {

std::string as_message(std::string_view line) {
  std::string message{"id: "};
  message += attribute_in(line, "id");
  message += "\ndata: ";
  message += line;
  message += "\n\n";
  return message;
}

std::string dropped_message(std::uint64_t events_lost) {
  return "event: dropped\ndata: {\"reason\":\"slow_consumer\",\"events_lost\":" + std::to_string(events_lost) + "}\n\n";
}

std::string removed_message(const segment_range& removed) {
  return "event: dropped\ndata: {\"reason\":\"segments_removed\",\"first_segment\":" + std::to_string(removed.first) +
         ",\"last_segment\":" + std::to_string(removed.last) + "}\n\n";
}

constexpr std::string_view unreadable_message = "event: dropped\ndata: {\"reason\":\"log_unreadable\"}\n\n";

constexpr std::string_view heartbeat_message = ": alive\n\n";

}  // namespace

bool event_filter::wants(std::string_view line) const {
  if (!cell_id.empty()) {
    const std::string_view subject = attribute_in(line, "subject");
    if (!subject.starts_with(cell_subject_begin) || subject.substr(cell_subject_begin.size()) != cell_id) return false;
  }
  return type.empty() || attribute_in(line, "type").find(type) != std::string_view::npos;
}

http_stream::piece event_stream::take(std::size_t most, std::function<void()> more) {
  const std::lock_guard lock{mutex_};
  piece out;
  while (!waiting_.empty() && out.bytes.size() < most) {
    const std::string& first = waiting_.front();
    const std::size_t bytes = std::min(most - out.bytes.size(), first.size() - taken_);
    out.bytes.append(first, taken_, bytes);
    taken_ += bytes;
    waiting_bytes_ -= bytes;
    if (taken_ < first.size()) break;
    waiting_.pop_front();
    taken_ = 0;
  }
  out.last = ended_ && waiting_.empty();
  if (out.bytes.empty() && !out.last) more_ = std::move(more);
  return out;
}

std::uint64_t event_stream::push(const std::string& message) {
  std::unique_lock lock{mutex_};
  if (ended_) return 0;
  std::uint64_t lost = 0;
  if (waiting_bytes_ + message.size() > most_bytes_) {
    // A message that was begun is finished.
    const std::size_t kept = taken_ > 0 ? 1 : 0;
    lost = waiting_.size() - kept + 1;
    waiting_.resize(kept);
    waiting_bytes_ = kept == 0 ? 0 : waiting_.front().size() - taken_;
    waiting_.push_back(dropped_message(lost));
    ended_ = true;
  } else {
    waiting_.push_back(message);
  }
  waiting_bytes_ += waiting_.back().size();
  wake_reader(lock);
  return lost;
}

bool event_stream::end_with(std::string_view message) {
  std::unique_lock lock{mutex_};
  if (ended_) return false;
  waiting_.emplace_back(message);
  waiting_bytes_ += message.size();
  ended_ = true;
  wake_reader(lock);
  return true;
}

void event_stream::probe() {
  std::unique_lock lock{mutex_};
  if (ended_ || !waiting_.empty()) return;
  waiting_.emplace_back(heartbeat_message);
  waiting_bytes_ += heartbeat_message.size();
  wake_reader(lock);
}

void event_stream::end() {
  std::unique_lock lock{mutex_};
  ended_ = true;
  wake_reader(lock);
}

bool event_stream::ended() const {
  const std::lock_guard lock{mutex_};
  return ended_;
}

void event_stream::wake_reader(std::unique_lock<std::mutex>& lock) {
  const auto more = std::exchange(more_, nullptr);
  lock.unlock();
  if (more) more();
}

event_feed::event_feed(const segment_log& log, std::filesystem::path dir, operator_events& events, options settings)
    : log_(log), dir_(std::move(dir)), events_(events), settings_(settings), thread_([this] { run(); }) {}

event_feed::~event_feed() {
  {
    const std::lock_guard lock{wake_mutex_};
    stopping_ = true;
  }
  wakes_.notify_all();
  thread_.join();
  for (const auto& stream : streams_) stream->end();
}

std::shared_ptr<event_stream> event_feed::subscribe(event_filter filter) {
  const std::lock_guard lock{mutex_};
  forget_gone();
  if (streams_.size() >= settings_.streams) {
    // A client that left is noticed when something is written to it: whoever tries again finds its place.
    send_heartbeats();
    return nullptr;
  }
  if (!reader_) reader_ = std::make_unique<segment_reader>(dir_, log_.appended_position());
  auto stream = std::make_shared<event_stream>(std::move(filter), settings_.buffer_bytes);
  // Says at once that it is open.
  stream->probe();
  streams_.push_back(stream);
  listening_ = true;
  return stream;
}

void event_feed::appended() {
  if (!listening_) return;
  {
    const std::lock_guard lock{wake_mutex_};
    appended_ = true;
  }
  wakes_.notify_one();
}

void event_feed::run() {
  ::pthread_setname_np(::pthread_self(), "event-feed");
  auto next_heartbeat = std::chrono::steady_clock::now() + settings_.heartbeat;
  while (true) {
    {
      std::unique_lock lock{wake_mutex_};
      wakes_.wait_until(lock, next_heartbeat, [this] { return stopping_ || appended_; });
      if (stopping_) return;
      appended_ = false;
    }
    const std::lock_guard lock{mutex_};
    pass_on();
    if (std::chrono::steady_clock::now() < next_heartbeat) continue;
    next_heartbeat = std::chrono::steady_clock::now() + settings_.heartbeat;
    send_heartbeats();
    forget_gone();
  }
}

/// Everything there is to read.
void event_feed::pass_on() {
  if (!reader_) return;
  // With `always` a line may be taken back until its append has answered.
  if (log_.fsync() == fsync_policy::always) reader_->stop_at(log_.committed_position());
  while (const auto line = reader_->next()) {
    // Retention was faster than we.
    if (const auto removed = reader_->take_skipped()) {
      drop_all(removed_message(*removed), "segments_removed");
    }
    pass_on(*line);
  }
  if (!reader_->failure()) return;
  drop_all(unreadable_message, reader_->failure()->explanation);
  reader_ = std::make_unique<segment_reader>(dir_, log_.appended_position());
}

/// Nobody who listens gets everything: they are let go, so that none takes what follows for all there was.
void event_feed::drop_all(std::string_view last_message, std::string_view cause) {
  std::uint64_t dropped = 0;
  for (const auto& stream : streams_) dropped += stream->end_with(last_message) ? 1 : 0;
  if (dropped > 0) events_.event_feed_interrupted(cause, dropped);
}

void event_feed::pass_on(const evidence_line& line) {
  std::string message;
  for (const auto& stream : streams_) {
    if (!stream->filter().wants(line.text)) continue;
    if (message.empty()) message = as_message(line.text);
    if (const std::uint64_t lost = stream->push(message); lost > 0) events_.event_stream_dropped(lost);
  }
}

void event_feed::send_heartbeats() {
  for (const auto& stream : streams_) stream->probe();
}

void event_feed::forget_gone() {
  std::erase_if(streams_, [](const auto& stream) { return stream.use_count() == 1 || stream->ended(); });
  if (anybody_listens()) return;
  listening_ = false;
  reader_.reset();
}

}  // namespace cellos
