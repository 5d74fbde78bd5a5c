#include "tests/fleet/returning_guest.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "messages/wire_format.hpp"
#include "runtime/guest_sim/connection.hpp"

namespace cellos::fleet {

namespace {

/// Written together, so that a host of many cells has something to do at a time.
constexpr std::uint64_t frames_at_once = 16;
constexpr std::uint64_t frames_per_heartbeat = 50;
/// Longer than a fleet is given to end; who is not stopped before has lost its host for good.
constexpr std::chrono::minutes connect_timeout{10};

}  // namespace

returning_guest::returning_guest(guest_plan plan)
    : plan_(std::move(plan)), maker_(plan_.seed, wire::content_version_1_0), thread_([this] { run(); }) {}

returning_guest::~returning_guest() {
  stop_.request();
  thread_.join();
}

void returning_guest::run() {
  while (!finished_ && !stop_.requested()) {
    try {
      talk();
    } catch (const guest_sim::connection_failure&) {
      ++returns_;
    }
  }
}

void returning_guest::talk() {
  auto connection = guest_sim::connection::open(plan_.socket, connect_timeout, stop_);
  if (!connection) return;
  maker_.begin_connection();
  const auto pause = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>{static_cast<double>(frames_at_once) / plan_.rate});
  auto due = std::chrono::steady_clock::now();
  std::vector<std::uint8_t> block;
  while (begun_ < plan_.frames) {
    block.clear();
    for (std::uint64_t i = std::min(frames_at_once, plan_.frames - begun_); i > 0; --i) {
      if (++begun_ % frames_per_heartbeat == 0) {
        const auto beat = maker_.heartbeat();
        block.insert(block.end(), beat.bytes.begin(), beat.bytes.end());
      }
      const auto frame = maker_.honest();
      block.insert(block.end(), frame.bytes.begin(), frame.bytes.end());
    }
    for (std::span<const std::uint8_t> rest{block}; !rest.empty();) {
      const std::size_t taken = connection.write_some(rest);
      rest = rest.subspan(taken);
      if (taken == 0 && connection.wait_writable(std::nullopt, stop_) == guest_sim::wake::stop) return;
    }
    due += pause;
    switch (connection.wait_closed(due, stop_)) {
      case guest_sim::wake::stop: return;
      case guest_sim::wake::ready: ++returns_; return;
      case guest_sim::wake::deadline: break;
    }
  }
  finished_ = connection.wait_taken(stop_) == guest_sim::wake::ready;
}

}  // namespace cellos::fleet
