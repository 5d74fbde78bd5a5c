#include "runtime/guest_sim/simulated_guest.hpp"

#include <algorithm>
#include <cmath>

namespace cellos::guest_sim {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::size_t write_bytes = 64 * 1024;

/// How long a frame that was begun may take to end when stopping.
constexpr auto stop_timeout = 1s;

}  // namespace

simulated_guest::simulated_guest(const simulation_options& options, const stop_signal& stop)
    : options_(options), stop_(stop), maker_(options.seed, options.content_version) {
  if (!options_.what->paced) options_.rate = 0;
}

void simulated_guest::run() {
  if (!connect()) return;
  started_ = steady_clock::now();
  restart_pace();
  options_.what->play(*this);
  connection_.close();
}

bool simulated_guest::connect() {
  connection_ = connection::open(options_.socket, options_.connect_timeout, stop_);
  stopped_ = !connection_;
  if (stopped_) return false;
  ++sent_.connections;
  maker_.begin_connection();
  return true;
}

std::chrono::duration<double> simulated_guest::elapsed() const {
  if (sent_.connections == 0) return {};
  return steady_clock::now() - started_;
}

bool simulated_guest::ready() {
  if (stopped_ || finished()) return false;
  if (options_.rate > 0 && !await_turn()) return false;
  return waiting_.unwritten().size() < write_bytes || flush();
}

void simulated_guest::add(const made_frame& made) {
  if (waiting_.all_written()) waiting_.clear();
  waiting_.add(made);
  ++made_;
}

void simulated_guest::restart_pace() {
  paced_from_ = steady_clock::now();
  paced_frames_ = 0;
}

bool simulated_guest::await_turn() {
  const auto since = std::llround(1e9 * static_cast<double>(paced_frames_) / options_.rate);
  const auto due = paced_from_ + nanoseconds{since};
  ++paced_frames_;
  return steady_clock::now() >= due || pause_until(due);
}

bool simulated_guest::pause(nanoseconds length) { return pause_until(steady_clock::now() + length); }

bool simulated_guest::pause_until(steady_time deadline) {
  if (!flush()) return false;
  switch (connection_.wait_closed(deadline, stop_)) {
    case wake::deadline: return true;
    case wake::stop: stopped_ = true; return false;
    case wake::ready: break;
  }
  throw connection_failure{connection_failure::kind::broken, "the host closed the connection"};
}

bool simulated_guest::write_step(std::size_t most) {
  if (stop_.requested()) {
    end_begun_frame();
    return false;
  }
  const auto bytes = waiting_.unwritten();
  const auto taken = connection_.write_some(bytes.first(std::min(most, bytes.size())));
  waiting_.written(taken, sent_);
  // When stopping ends the wait, the next step sees it.
  if (taken == 0) connection_.wait_writable({}, stop_);
  return true;
}

/// A host that has stopped reading gets a torn frame.
void simulated_guest::end_begun_frame() {
  stopped_ = true;
  const stop_signal none;
  const auto deadline = steady_clock::now() + stop_timeout;
  while (!waiting_.unwritten_of_begun().empty()) {
    const auto taken = connection_.write_some(waiting_.unwritten_of_begun());
    waiting_.written(taken, sent_);
    if (taken == 0 && connection_.wait_writable(deadline, none) == wake::deadline) {
      sent_.add({.refusal = telemetry_errc::torn_frame});
      return;
    }
  }
}

bool simulated_guest::flush() {
  while (!waiting_.all_written()) {
    if (!write_step(write_bytes * 4)) return false;
  }
  return !stopped_;
}

bool simulated_guest::flush_again() {
  made_ += waiting_.frames();
  waiting_.rewind();
  return flush();
}

bool simulated_guest::drip(std::uint32_t bytes_per_second) {
  // Late timers are made up for, a host that did not read is not.
  constexpr auto most_behind = 10ms;
  const auto spacing = nanoseconds{1s} / bytes_per_second;
  while (!waiting_.all_written()) {
    const auto now = steady_clock::now();
    next_byte_ = std::max(next_byte_, now - most_behind) + spacing;
    if (next_byte_ > now && wait_for(-1, 0, next_byte_, stop_) == wake::stop) {
      end_begun_frame();
      return false;
    }
    if (!write_step(1)) return false;
  }
  return !stopped_;
}

bool simulated_guest::reconnect() {
  if (!flush()) return false;
  if (!options_.impatient && connection_.wait_taken(stop_) == wake::stop) {
    stopped_ = true;
    return false;
  }
  connection_.close();
  return connect();
}

bool simulated_guest::await_close() {
  if (!flush()) return false;
  switch (connection_.wait_closed(steady_clock::now() + close_timeout, stop_)) {
    case wake::ready: return true;
    case wake::stop: stopped_ = true; return false;
    case wake::deadline: break;
  }
  throw connection_failure{connection_failure::kind::broken, "the host kept the connection after a bad length"};
}

}  // namespace cellos::guest_sim
