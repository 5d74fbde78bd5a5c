#include "tests/bench/support/cell_writer.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <span>
#include <stdexcept>

#include "messages/wire_format.hpp"
#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/guest_sim/stop_signal.hpp"

namespace cellos::bench {

namespace {

constexpr std::size_t write_bytes = 64 * 1024;

struct agent {
  guest_sim::connection connection;
  std::span<const std::uint8_t> unsent;
};

std::vector<std::uint8_t> encoded(std::uint64_t frames) {
  guest_sim::frame_maker maker{1, wire::content_version_1_0};
  std::vector<std::uint8_t> stream;
  for (std::uint64_t i = 0; i < frames; ++i) {
    const auto bytes = maker.honest().bytes;
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  return stream;
}

/// One write each. False if no socket took anything.
bool write_round(std::vector<agent>& agents) {
  bool any = false;
  for (agent& each : agents) {
    const std::size_t taken = each.connection.write_some(each.unsent.first(std::min(write_bytes, each.unsent.size())));
    each.unsent = each.unsent.subspan(taken);
    any = any || taken > 0;
  }
  return any;
}

std::vector<agent> connect_all(const std::vector<cell_specification>& cells, std::span<const std::uint8_t> stream) {
  const guest_sim::stop_signal never;
  std::vector<agent> agents;
  agents.reserve(cells.size());
  for (const cell_specification& cell : cells) {
    agents.push_back({guest_sim::connection::open(cell.socket_path(), std::chrono::seconds{5}, never), stream});
  }
  return agents;
}

/// False where the socket did not take all of it.
bool write_frame(agent& of) {
  const std::size_t bytes = wire::frame_header_bytes + wire::body_length(of.unsent.data());
  if (of.connection.write_some(of.unsent.first(bytes)) != bytes) return false;
  of.unsent = of.unsent.subspan(bytes);
  return true;
}

void pause_until(std::chrono::steady_clock::time_point due) {
  const auto since = due.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  const timespec when{seconds.count(), (since - seconds).count()};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

}  // namespace

void write_to_cells(const std::vector<cell_specification>& cells, std::uint64_t frames_each) {
  const std::vector<std::uint8_t> stream = encoded(frames_each);
  const guest_sim::stop_signal never;
  std::vector<agent> agents = connect_all(cells, stream);
  while (!agents.empty()) {
    // All are full, and the receiver takes from each in turn.
    if (!write_round(agents)) agents.front().connection.wait_writable({}, never);
    std::erase_if(agents, [](const agent& each) { return each.unsent.empty(); });
  }
}

void write_at_pace(const std::vector<cell_specification>& cells, std::uint64_t frames_each, double pace) {
  const std::vector<std::uint8_t> stream = encoded(frames_each);
  std::vector<agent> agents = connect_all(cells, stream);
  const auto step = std::chrono::nanoseconds{
      static_cast<std::int64_t>(1e9 / pace / static_cast<double>(std::max<std::size_t>(1, agents.size())))};
  auto due = std::chrono::steady_clock::now();
  for (std::uint64_t round = 0; round < frames_each; ++round) {
    for (agent& each : agents) {
      if (due > std::chrono::steady_clock::now()) pause_until(due);
      if (!write_frame(each)) throw std::runtime_error("a receiver is so late that a socket is full");
      due += step;
    }
  }
}

}  // namespace cellos::bench
