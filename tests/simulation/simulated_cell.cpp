#include "tests/simulation/simulated_cell.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/guest_sim/frame_writer.hpp"
#include "runtime/socket_service/socket_service.hpp"

namespace cellos::simulation {

namespace {

/// A frame that ends every DECODER given it: the simulated decoder throws when it sees this name.
constexpr std::string_view poison_comm = "poison";

constexpr std::chrono::nanoseconds half_frame_timeout = socket_service_options{}.half_frame_timeout;
constexpr std::chrono::nanoseconds drain_timeout = socket_service_options{}.drain_timeout;

}  // namespace

std::vector<std::uint8_t> declared_frame(std::string_view source, std::string_view comm, std::uint64_t number) {
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

simulated_connection& simulated_socket::connection(randomness& random) {
  std::vector<simulated_connection*> open;
  for (const auto& each : connections) {
    if (!each->closed_by_guest && !each->stuck) open.push_back(each.get());
  }
  if (open.empty() || (open.size() < 3 && chance(random, 50))) {
    connections.push_back(std::make_unique<simulated_connection>(++counts.connections_accepted, reading));
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
    bytes = declared_frame("process.spawned", poison_comm, frame.number);
  } else if (kind < 80) {
    frame = {expected::declaration, next_number++, 0};
    bytes = declared_frame(kind % 2 == 0 ? "process.spawned" : "net.connect_attempted", "sh", frame.number);
  } else if (kind < 88) {
    frame = {expected::heartbeat, 0, 0};
    bytes = declared_frame("agent.heartbeat", "agent", 0);
  } else if (kind < 97) {
    frame = {expected::refused, 0, 0};
    bytes = {3, 0, 0, 0, 0xA0, 1, 2};
  } else if (kind < 99) {
    bytes = declared_frame("process.spawned", "torn", 0);
    bytes.resize(1 + below(random, bytes.size() - 1));
    to.unread.insert(to.unread.end(), bytes.begin(), bytes.end());
    to.stuck = true;
    to.closed_by_guest = chance(random, 500);
    return;
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

/// One recv.
read_outcome simulated_socket::receive(simulated_connection& from, randomness& random, std::size_t most,
                                       std::vector<std::uint8_t>& into) {
  if (from.gone) violations.emplace_back("a descriptor that was given back is read");
  if (chance(random, fault_per_mille)) return outcome_of(-1, chance(random, 500) ? ENOBUFS : ECONNRESET);
  if (from.unread.empty()) {
    // Draining begins with SHUT_RD.
    return from.closed_by_guest || reading.draining() ? outcome_of(0, 0) : outcome_of(-1, EAGAIN);
  }
  const std::size_t longest = std::min<std::size_t>(most, chance(random, 200) ? 3 : 600);
  const std::size_t bytes = 1 + below(random, std::min(from.unread.size(), longest));
  const auto end = from.unread.begin() + static_cast<std::ptrdiff_t>(bytes);
  into.assign(from.unread.begin(), end);
  from.unread.erase(from.unread.begin(), end);
  return outcome_of(static_cast<ssize_t>(bytes), 0);
}

/// As the I/O thread does: without credit not looked at again until it is asked to, but each turn while the cell
/// drains.
bool simulated_socket::may_read() {
  if (paused_ && !reading.draining()) return false;
  paused_ = !chunks.may_read();
  budget_wanted_ = paused_ && budget_.exhausted();
  return !paused_;
}

void simulated_socket::acknowledge(std::uint64_t sequence) {
  acknowledged = std::max(acknowledged, sequence);
  if (chunks.acknowledge(sequence)) paused_ = false;
}

void simulated_socket::attach(std::uint64_t generation, cell_intake::delivery deliver) {
  chunks.attach(generation, std::move(deliver));
  paused_ = false;
}

void simulated_socket::budget_came_back() {
  if (budget_wanted_ && !budget_.exhausted()) paused_ = false;
}

bool simulated_socket::has_unread() const {
  return std::any_of(connections.begin(), connections.end(), [](const auto& each) {
    return !each->unread.empty() || each->reading.kept_bytes() > 0 || each->closed_by_guest;
  });
}

bool simulated_socket::waits_inside_frame() const {
  return std::any_of(connections.begin(), connections.end(), [](const auto& each) { return each->stuck; });
}

bool simulated_socket::read_some(randomness& random, read_time at) {
  if (connections.empty()) return false;
  simulated_connection& from = *connections[below(random, connections.size())];
  if (may_read()) return carry_out(from, from.reading.on_input(true), random, at);
  return from.closed_by_guest && carry_out(from, from.reading.on_peer_left(false), random, at);
}

bool simulated_socket::carry_out(simulated_connection& from, reading_step step, randomness& random, read_time at) {
  switch (step) {
    case reading_step::wait:
    case reading_step::keep_later: return false;
    case reading_step::receive: return read(from, random, at);
    case reading_step::take_kept: {
      const std::size_t most = std::min<std::size_t>(from.reading.kept_bytes(), 1 + below(random, 600));
      from.read_behind_frames += most;
      deliver(from, from.reading.take_kept(most, at));
      return true;
    }
    case reading_step::keep: return keep(from, random);
  }
  return false;
}

bool simulated_socket::read(simulated_connection& from, randomness& random, read_time at) {
  std::vector<std::uint8_t> bytes;
  switch (receive(from, random, std::size_t{64} * 1024, bytes)) {
    case read_outcome::bytes:
      from.read_behind_frames += bytes.size();
      deliver(from, from.reading.take(bytes, at));
      return true;
    case read_outcome::nothing_yet:
    case read_outcome::shortage: return false;
    case read_outcome::end: deliver(from, from.reading.end(at)); return true;
  }
  return false;
}

bool simulated_socket::keep(simulated_connection& from, randomness& random) {
  std::vector<std::uint8_t> bytes;
  switch (receive(from, random, reading.room(), bytes)) {
    case read_outcome::bytes: from.reading.keep(bytes); return true;
    case read_outcome::nothing_yet:
    case read_outcome::shortage: return false;
    case read_outcome::end:
      from.gone = true;
      from.reading.kept_to_its_end();
      return true;
  }
  return false;
}

void simulated_socket::deliver(simulated_connection& from, std::optional<received_chunk> chunk) {
  if (chunk) {
    record(from, *chunk);
    counts.frames_received += chunk->frames;
    chunks.keep(std::move(*chunk));
    chunks.deliver_kept();
  }
  if (from.reading.ended()) std::erase_if(connections, [&](const auto& each) { return each.get() == &from; });
}

/// Holds the chunk against what the guest wrote.
void simulated_socket::record(simulated_connection& from, const received_chunk& chunk) {
  chunk_record& noted = records[next_sequence++];
  const bool refuses_one = chunk.ending == chunk_ending::torn || chunk.ending == chunk_ending::framing_lost;
  for (std::uint32_t whole = chunk.frames - (refuses_one ? 1 : 0); whole > 0 && !from.frames.empty(); --whole) {
    const sent_frame frame = from.frames.front();
    from.frames.pop_front();
    from.read_behind_frames -= frame.bytes;
    if (frame.what == expected::declaration) noted.declarations.push_back(frame.number);
    if (frame.what == expected::heartbeat) ++noted.heartbeats;
    if (frame.what == expected::refused) ++noted.refused;
  }
  noted.refused += refuses_one ? 1 : 0;
  const bool inside = from.read_behind_frames != 0;
  if ((chunk.ending == chunk_ending::closed && inside) || (chunk.ending == chunk_ending::torn && !inside)) {
    violations.emplace_back(inside ? "a torn connection is reported as closed"
                                   : "a closed connection is reported as torn");
  }
}

void simulated_socket::look_after(read_time at) {
  for (std::size_t i = connections.size(); i-- > 0;) {
    simulated_connection& each = *connections[i];
    const bool watched = each.reading.wanted_watch(may_read()) == socket_watch::input;
    if (watched && each.unread.empty() && each.reading.overdue(at.mono, half_frame_timeout)) {
      deliver(each, each.reading.end(at));
    }
  }
  if (drain_wanted_ && !reading.draining()) reading.begin_draining(at.mono + drain_timeout);
  while (reading.drain_overdue(at.mono) && !connections.empty()) {
    deliver(*connections.back(), connections.back()->reading.end(at));
  }
  if (reading.draining() && connections.empty() && drained_) std::exchange(drained_, nullptr)();
}

void simulated_socket::drain(std::function<void()> when_drained) {
  accepting = false;
  drain_wanted_ = true;
  drained_ = std::move(when_drained);
}

void simulated_socket::release() {
  accepting = false;
  for (const auto& each : connections) each->reading.abandon();
  connections.clear();
}

}  // namespace cellos::simulation
