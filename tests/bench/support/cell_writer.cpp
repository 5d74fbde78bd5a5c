#include "tests/bench/support/cell_writer.hpp"

#include <algorithm>
#include <chrono>
#include <span>

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

}  // namespace

void write_to_cells(const std::vector<cell_specification>& cells, std::uint64_t frames_each) {
  const std::vector<std::uint8_t> stream = encoded(frames_each);
  const guest_sim::stop_signal never;
  std::vector<agent> agents;
  agents.reserve(cells.size());
  for (const cell_specification& cell : cells) {
    agents.push_back({guest_sim::connection::open(cell.socket_path(), std::chrono::seconds{5}, never), stream});
  }
  while (!agents.empty()) {
    // All are full, and the receiver takes from each in turn.
    if (!write_round(agents)) agents.front().connection.wait_writable({}, never);
    std::erase_if(agents, [](const agent& each) { return each.unsent.empty(); });
  }
}

}  // namespace cellos::bench
