#include "tests/soak/steady_guest.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <stdexcept>
#include <utility>

#include "messages/wire_format.hpp"
#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_writer.hpp"
#include "tests/soak/planted_faults.hpp"

namespace cellos::soak {

namespace {

constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::uint64_t frames_per_heartbeat = 50;
constexpr std::uint64_t frames_per_refusal = 97;
/// Longer than a full log or a hung actor holds a guest back in any soak.
constexpr std::chrono::minutes write_timeout{5};

}  // namespace

std::vector<std::uint8_t> poisoned_frame(std::uint64_t number) {
  guest_sim::frame_writer writer;
  writer.start();
  guest_sim::declaration declared;
  declared.source = "process.spawned";
  declared.comm = poison_comm;
  declared.monotonic_ns = number;
  guest_sim::write_map(writer, declared);
  const auto bytes = writer.framed();
  return {bytes.begin(), bytes.end()};
}

steady_guest::steady_guest(guest_plan plan)
    : plan_(std::move(plan)), maker_(plan_.seed, wire::content_version_1_0), thread_([this] { run(); }) {}

steady_guest::~steady_guest() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

guest_sim::tally steady_guest::finish() {
  thread_.join();
  if (!problem_.empty()) throw std::runtime_error(plan_.socket + ": " + problem_);
  return sent_;
}

void steady_guest::make(std::vector<std::uint8_t>& block, std::uint64_t number) {
  const std::uint64_t spacing = plan_.frames / (plan_.poison + 1);
  if (plan_.poison > 0 && number % spacing == 0 && number / spacing <= plan_.poison) {
    const auto bytes = poisoned_frame(maker_.next_index());
    maker_.skip(1);
    sent_.add({});
    block.insert(block.end(), bytes.begin(), bytes.end());
    return;
  }
  const guest_sim::made_frame frame = number % frames_per_heartbeat == 0 ? maker_.heartbeat()
                                      : number % frames_per_refusal == 0 ? maker_.garbage()
                                                                         : maker_.honest();
  sent_.add(frame.expected);
  block.insert(block.end(), frame.bytes.begin(), frame.bytes.end());
}

void steady_guest::run() try {
  auto connection = guest_sim::connection::open(plan_.socket, std::chrono::seconds{10}, stop_);
  const auto deadline = [] { return std::chrono::steady_clock::now() + write_timeout; };
  std::vector<std::uint8_t> block;
  for (std::uint64_t made = 0; made < plan_.frames;) {
    block.clear();
    while (made < plan_.frames && block.size() < block_bytes) make(block, ++made);
    begun_ = made;
    for (std::span<const std::uint8_t> rest{block}; !rest.empty();) {
      const std::size_t taken = connection.write_some(rest);
      rest = rest.subspan(taken);
      if (taken > 0) continue;
      const guest_sim::wake woken = connection.wait_writable(deadline(), stop_);
      if (woken == guest_sim::wake::stop) return;
      if (woken == guest_sim::wake::deadline) throw std::runtime_error("the host reads no more");
    }
  }
  sent_.connections = 1;
} catch (const std::exception& thrown) {
  problem_ = thrown.what();
}

}  // namespace cellos::soak
