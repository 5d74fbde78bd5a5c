#include "tests/soak/rough_guest.hpp"

#include <array>
#include <utility>
#include <vector>

#include "messages/wire_format.hpp"
#include "tests/soak/steady_guest.hpp"

namespace cellos::soak {

namespace {

using namespace std::chrono_literals;

constexpr auto connect_patience = 2s;
/// A host that reads no more for so long has a full log: the guest gives its frame up.
constexpr auto write_patience = 1s;
/// Poison is rare: the quarantine holds a bounded number of files.
constexpr std::uint32_t deeds_a_poison = 300;

}  // namespace

rough_guest::rough_guest(std::string socket, std::uint64_t seed)
    : socket_(std::move(socket)), random_(seed), maker_(seed, wire::content_version_1_0), thread_([this] { run(); }) {}

rough_guest::~rough_guest() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

std::map<std::string, std::uint64_t> rough_guest::finish() {
  stop_.request();
  thread_.join();
  return std::move(done_);
}

void rough_guest::run() {
  while (!stop_.requested()) {
    try {
      misbehave();
    } catch (const guest_sim::connection_failure& failed) {
      const bool unreachable = failed.what_failed == guest_sim::connection_failure::kind::unreachable;
      ++done_[unreachable ? "found nobody" : "cut off"];
    }
  }
}

void rough_guest::misbehave() {
  struct deed {
    const char* name;
    void (rough_guest::*act)();
  };
  static constexpr std::array<deed, 8> deeds{{{"storm", &rough_guest::storm},
                                              {"torn frame", &rough_guest::torn_frame},
                                              {"flood", &rough_guest::flood},
                                              {"silence", &rough_guest::silence},
                                              {"garbage", &rough_guest::garbage},
                                              {"forged", &rough_guest::forged},
                                              {"bad length", &rough_guest::bad_length},
                                              {"drip", &rough_guest::drip}}};
  const deed next = random_.one_in(deeds_a_poison) ? deed{"poison", &rough_guest::poison} : random_.pick(deeds);
  ++done_[next.name];
  (this->*next.act)();
  rest(20ms);
}

guest_sim::connection rough_guest::connect() { return guest_sim::connection::open(socket_, connect_patience, stop_); }

void rough_guest::write(guest_sim::connection& to, std::span<const std::uint8_t> bytes) {
  const auto deadline = std::chrono::steady_clock::now() + write_patience;
  while (to && !bytes.empty()) {
    const std::size_t taken = to.write_some(bytes);
    bytes = bytes.subspan(taken);
    if (taken == 0 && to.wait_writable(deadline, stop_) != guest_sim::wake::ready) return to.close();
  }
}

void rough_guest::rest(std::chrono::milliseconds time) {
  guest_sim::wait_for(-1, 0, std::chrono::steady_clock::now() + time, stop_);
}

void rough_guest::storm() {
  // More at a time than a cell may have.
  std::vector<guest_sim::connection> open;
  for (std::uint32_t i = random_.between(20, 60); i > 0 && !stop_.requested(); --i) {
    open.push_back(connect());
    if (random_.one_in(2)) write(open.back(), maker_.honest().bytes);
    if (open.size() > 10) open.clear();
  }
}

void rough_guest::torn_frame() {
  auto connection = connect();
  write(connection, maker_.honest().bytes);
  write(connection, maker_.torn().bytes);
}

void rough_guest::flood() {
  constexpr std::uint32_t frames_a_write = 300;
  auto connection = connect();
  std::vector<std::uint8_t> block;
  for (std::uint32_t writes = random_.between(1, 20); writes > 0 && !stop_.requested(); --writes) {
    block.clear();
    for (std::uint32_t i = 0; i < frames_a_write; ++i) {
      const auto bytes = maker_.honest().bytes;
      block.insert(block.end(), bytes.begin(), bytes.end());
    }
    write(connection, block);
  }
}

void rough_guest::silence() {
  auto connection = connect();
  write(connection, maker_.heartbeat().bytes);
  rest(std::chrono::milliseconds{random_.between(100, 1500)});
}

void rough_guest::garbage() {
  auto connection = connect();
  for (std::uint32_t i = random_.between(1, 200); i > 0; --i) {
    write(connection, (random_.one_in(2) ? maker_.garbage() : maker_.wrong_major()).bytes);
  }
}

void rough_guest::forged() {
  auto connection = connect();
  for (std::uint32_t i = random_.between(1, 200); i > 0; --i) write(connection, maker_.forged().bytes);
}

void rough_guest::bad_length() {
  auto connection = connect();
  write(connection, maker_.mixed().bytes);
  write(connection, maker_.bad_length().bytes);
}

void rough_guest::drip() {
  auto connection = connect();
  const auto frame = maker_.honest().bytes;
  for (std::size_t i = 0; i < frame.size() && !stop_.requested(); ++i) {
    write(connection, frame.subspan(i, 1));
    rest(1ms);
  }
}

void rough_guest::poison() {
  auto connection = connect();
  write(connection, poisoned_frame(maker_.next_index()));
  maker_.skip(1);
}

}  // namespace cellos::soak
