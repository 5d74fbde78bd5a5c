#include "tests/soak/misbehaving_guest.hpp"

#include <array>
#include <utility>
#include <vector>

#include "messages/wire_format.hpp"
#include "tests/soak/steady_guest.hpp"

namespace cellos::soak {

namespace {

using namespace std::chrono_literals;

constexpr auto connect_timeout = 2s;
/// A host that reads no more for so long has a full log: the guest gives its frame up.
constexpr auto write_timeout = 1s;
/// Poison is rare: the quarantine holds a bounded number of files.
constexpr std::uint32_t actions_a_poison = 300;

}  // namespace

misbehaving_guest::misbehaving_guest(std::string socket, std::uint64_t seed)
    : socket_(std::move(socket)), random_(seed), maker_(seed, wire::content_version_1_0), thread_([this] { run(); }) {}

misbehaving_guest::~misbehaving_guest() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

std::map<std::string, std::uint64_t> misbehaving_guest::finish() {
  stop_.request();
  thread_.join();
  return std::move(done_);
}

void misbehaving_guest::run() {
  while (!stop_.requested()) {
    try {
      misbehave();
    } catch (const guest_sim::connection_failure& failed) {
      const bool unreachable = failed.what_failed == guest_sim::connection_failure::kind::unreachable;
      ++done_[unreachable ? "found nobody" : "cut off"];
    }
  }
}

void misbehaving_guest::misbehave() {
  struct action {
    const char* name;
    void (misbehaving_guest::*act)();
  };
  static constexpr std::array<action, 8> actions{{{"storm", &misbehaving_guest::storm},
                                                  {"torn frame", &misbehaving_guest::torn_frame},
                                                  {"flood", &misbehaving_guest::flood},
                                                  {"silence", &misbehaving_guest::silence},
                                                  {"garbage", &misbehaving_guest::garbage},
                                                  {"forged", &misbehaving_guest::forged},
                                                  {"bad length", &misbehaving_guest::bad_length},
                                                  {"drip", &misbehaving_guest::drip}}};
  const action next =
      random_.one_in(actions_a_poison) ? action{"poison", &misbehaving_guest::poison} : random_.pick(actions);
  ++done_[next.name];
  (this->*next.act)();
  rest(20ms);
}

guest_sim::connection misbehaving_guest::connect() {
  return guest_sim::connection::open(socket_, connect_timeout, stop_);
}

void misbehaving_guest::write(guest_sim::connection& to, std::span<const std::uint8_t> bytes) {
  const auto deadline = std::chrono::steady_clock::now() + write_timeout;
  while (to && !bytes.empty()) {
    const std::size_t taken = to.write_some(bytes);
    bytes = bytes.subspan(taken);
    if (taken == 0 && to.wait_writable(deadline, stop_) != guest_sim::wake::ready) return to.close();
  }
}

void misbehaving_guest::rest(std::chrono::milliseconds time) {
  guest_sim::wait_for(-1, 0, std::chrono::steady_clock::now() + time, stop_);
}

void misbehaving_guest::storm() {
  // More at a time than a cell may have.
  std::vector<guest_sim::connection> open;
  for (std::uint32_t i = random_.between(20, 60); i > 0 && !stop_.requested(); --i) {
    open.push_back(connect());
    if (random_.one_in(2)) write(open.back(), maker_.honest().bytes);
    if (open.size() > 10) open.clear();
  }
}

void misbehaving_guest::torn_frame() {
  auto connection = connect();
  write(connection, maker_.honest().bytes);
  write(connection, maker_.torn().bytes);
}

void misbehaving_guest::flood() {
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

void misbehaving_guest::silence() {
  auto connection = connect();
  write(connection, maker_.heartbeat().bytes);
  rest(std::chrono::milliseconds{random_.between(100, 1500)});
}

void misbehaving_guest::garbage() {
  auto connection = connect();
  for (std::uint32_t i = random_.between(1, 200); i > 0; --i) {
    write(connection, (random_.one_in(2) ? maker_.garbage() : maker_.wrong_major()).bytes);
  }
}

void misbehaving_guest::forged() {
  auto connection = connect();
  for (std::uint32_t i = random_.between(1, 200); i > 0; --i) write(connection, maker_.forged().bytes);
}

void misbehaving_guest::bad_length() {
  auto connection = connect();
  write(connection, maker_.mixed().bytes);
  write(connection, maker_.bad_length().bytes);
}

void misbehaving_guest::drip() {
  auto connection = connect();
  const auto frame = maker_.honest().bytes;
  for (std::size_t i = 0; i < frame.size() && !stop_.requested(); ++i) {
    write(connection, frame.subspan(i, 1));
    rest(1ms);
  }
}

void misbehaving_guest::poison() {
  auto connection = connect();
  write(connection, poisoned_frame(maker_.next_index()));
  maker_.skip(1);
}

}  // namespace cellos::soak
