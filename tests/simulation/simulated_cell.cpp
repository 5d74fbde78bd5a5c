#include "tests/simulation/simulated_cell.hpp"

#include <algorithm>
#include <utility>

#include "runtime/guest_sim/frame_writer.hpp"

namespace cellos::simulation {

namespace {

/// A frame that ends every DECODER given it: the simulated decoder throws when it sees this name.
constexpr std::string_view poison_comm = "poison";

std::vector<std::uint8_t> declaration(std::string_view source, std::string_view comm, std::uint64_t number) {
  guest_sim::frame_writer writer;
  guest_sim::declaration declared;
  declared.source = source;
  declared.pid = 7;
  declared.comm = comm;
  declared.monotonic_ns = number;
  writer.start();
  guest_sim::write_map(writer, declared);
  const auto framed = writer.framed();
  return {framed.begin(), framed.end()};
}

}  // namespace

simulated_connection& simulated_socket::connection(randomness& random) {
  std::vector<simulated_connection*> open;
  for (const auto& each : connections) {
    if (!each->closed_by_guest) open.push_back(each.get());
  }
  if (open.empty() || (open.size() < 3 && chance(random, 50))) {
    connections.push_back(std::make_unique<simulated_connection>());
    connections.back()->id = ++counts.connections_accepted;
    return *connections.back();
  }
  return *open[below(random, open.size())];
}

void simulated_socket::guest_writes(randomness& random, bool may_be_poison) {
  if (!accepting) return;
  simulated_connection& to = connection(random);
  std::vector<std::uint8_t> bytes;
  sent_frame frame;
  const std::uint64_t kind = below(random, 100);
  if (may_be_poison && kind < 2) {
    frame = {expected::declaration, next_number++, 0};
    bytes = declaration("process.spawned", poison_comm, frame.number);
  } else if (kind < 80) {
    frame = {expected::declaration, next_number++, 0};
    bytes = declaration(kind % 2 == 0 ? "process.spawned" : "net.connect_attempted", "sh", frame.number);
  } else if (kind < 88) {
    frame = {expected::heartbeat, 0, 0};
    bytes = declaration("agent.heartbeat", "agent", 0);
  } else if (kind < 99) {
    frame = {expected::refused, 0, 0};
    bytes = {3, 0, 0, 0, 0xA0, 1, 2};
  } else {
    frame = {expected::refused, 0, 4};
    bytes = {0, 0, 0, 0};  // framing lost; the guest closes, since the host will
    to.closed_by_guest = true;
  }
  frame.bytes = bytes.size();
  to.unread.insert(to.unread.end(), bytes.begin(), bytes.end());
  to.frames.push_back(frame);
}

void simulated_socket::guest_closes() {
  for (const auto& each : connections) each->closed_by_guest = true;
}

void simulated_socket::emit(simulated_connection& from, framer::cut cut, chunk_ending ending, wall_time wall,
                            monotonic_time mono) {
  const bool refuses_one = ending == chunk_ending::torn || ending == chunk_ending::framing_lost;
  chunk_record& record = records[next_sequence++];
  for (std::uint32_t i = 0; i < cut.frames; ++i) {
    const sent_frame frame = from.frames.front();
    from.frames.pop_front();
    if (frame.what == expected::declaration) record.declarations.push_back(frame.number);
    if (frame.what == expected::heartbeat) ++record.heartbeats;
    if (frame.what == expected::refused) ++record.refused;
  }
  record.refused += refuses_one ? 1 : 0;
  received_chunk chunk;
  chunk.connection = from.id;
  chunk.received_at = wall;
  chunk.received_mono = mono;
  chunk.frames = cut.frames + (refuses_one ? 1 : 0);
  chunk.ending = ending;
  chunk.bytes = std::move(cut.bytes);
  counts.frames_received += chunk.frames;
  chunks.emit(std::move(chunk));
}

void simulated_socket::end(simulated_connection& ended) {
  std::erase_if(connections, [&](const auto& each) { return each.get() == &ended; });
}

bool simulated_socket::read_some(randomness& random, wall_time wall, monotonic_time mono) {
  if (connections.empty() || !chunks.may_read()) return false;
  simulated_connection& from = *connections[below(random, connections.size())];
  if (from.unread.empty()) {
    if (!from.closed_by_guest && !draining) return false;
    if (from.spoke) emit(from, {}, from.cutter.inside_frame() ? chunk_ending::torn : chunk_ending::closed, wall, mono);
    end(from);
    return true;
  }
  const std::size_t most = chance(random, 200) ? 3 : 600;
  const std::size_t bytes = 1 + below(random, std::min(from.unread.size(), most));
  const std::vector<std::uint8_t> read(from.unread.begin(), from.unread.begin() + static_cast<std::ptrdiff_t>(bytes));
  from.unread.erase(from.unread.begin(), from.unread.begin() + static_cast<std::ptrdiff_t>(bytes));
  from.spoke = true;
  framer::cut cut = from.cutter.push(read);
  if (cut.lost) {
    emit(from, std::move(cut), chunk_ending::framing_lost, wall, mono);
    end(from);
  } else if (cut.frames > 0) {
    emit(from, std::move(cut), chunk_ending::none, wall, mono);
  }
  return true;
}

void simulated_socket::check_drained() {
  if (draining && connections.empty() && drained) std::exchange(drained, nullptr)();
}

}  // namespace cellos::simulation
