#include "tests/support/network_wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/process.hpp"

namespace cellos::test {

namespace {

using namespace std::chrono_literals;

constexpr const char* ip_program = "/usr/sbin/ip";
/// Of a wire that is slower than what is sent.
constexpr auto longest_queue = 500ms;
/// A frame and what the kernel says of it; one segment a frame, so far below.
constexpr std::size_t longest_frame = std::size_t{64} << 10;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error{"no network: " + what}; }

file_descriptor new_namespace() {
  file_descriptor made;
  std::thread{[&made] {
    if (::unshare(CLONE_NEWNET) == 0) made = file_descriptor{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  }}.join();
  return made;
}

}  // namespace

std::string network_namespace::why_not() {
  if (::access(ip_program, X_OK) != 0) return "iproute2 is not installed";
  if (!new_namespace()) return "a network namespace is refused (root may make one)";
  return {};
}

network_namespace::network_namespace() : namespace_(new_namespace()) {
  if (!namespace_) fail("namespace");
  ip({"link", "set", "lo", "up"});
}

std::function<void()> network_namespace::entry() const {
  return [fd = namespace_.get()] { (void)::setns(fd, CLONE_NEWNET); };
}

std::string network_namespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(namespace_.get());
}

void network_namespace::ip(const std::vector<std::string>& arguments) const {
  process run{{.program = ip_program, .arguments = arguments, .before_exec = entry()}};
  if (run.wait() != 0) fail(run.err());
}

void network_namespace::inside(const std::function<void()>& call) const {
  std::thread{[&] {
    entry()();
    call();
  }}.join();
}

network_wire::network_wire(const network_namespace& left, const network_namespace& right, unsigned number)
    : number_(number), stop_(::eventfd(0, EFD_CLOEXEC)) {
  attach(left, 0);
  attach(right, 1);
  thread_ = std::thread{[this] { run(); }};
}

network_wire::~network_wire() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void network_wire::attach(const network_namespace& to, int side) {
  const std::string here = "side" + std::to_string(side);
  const std::string there = "wire" + std::to_string(number_);
  // One segment a frame: what is lost and how long it takes is about frames as they are on a real wire.
  middle_.ip({"link", "add", here, "type", "veth", "peer", "name", there, "netns", to.path()});
  middle_.ip({"link", "set", here, "up"});
  to.ip({"link", "set", there, "gso_max_segs", "1"});
  to.ip({"addr", "add", "10.77." + std::to_string(number_) + "." + std::to_string(side + 1) + "/24", "dev", there});
  to.ip({"link", "set", there, "up"});
  auto& socket = sides_.at(static_cast<std::size_t>(side));
  middle_.inside([&] {
    socket = file_descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))};
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = static_cast<int>(::if_nametoindex(here.c_str()));
    const int on = 1;
    const bool works = ::setsockopt(socket.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) == 0 &&
                       ::setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) == 0 &&
                       ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    if (!works) socket.reset();
  });
  if (!socket) fail("packet socket");
}

void network_wire::change(std::size_t which, weather next) {
  const std::lock_guard lock{mutex_};
  directions_.at(which).now = next;
}

void network_wire::run() {
  for (;;) {
    auto until = steady_time::max();
    for (const auto& each : directions_) {
      if (!each.frames.empty()) until = std::min(until, each.frames.front().due);
    }
    const auto now = std::chrono::steady_clock::now();
    const auto wait = until == steady_time::max()
                          ? -1
                          : std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, {})).count();
    pollfd polled[] = {{sides_[0].get(), POLLIN, 0}, {sides_[1].get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    ::poll(polled, 3, static_cast<int>(wait));
    if (polled[2].revents != 0) return;
    for (std::size_t i = 0; i < directions_.size(); ++i) {
      if (polled[i].revents != 0) take(i);
      let_go(i);
    }
  }
}

/// What came from this side is for the other one.
void network_wire::take(std::size_t which) {
  std::vector<char> bytes(longest_frame);
  for (;;) {
    const auto got = ::recv(sides_.at(which).get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return;
    const std::lock_guard lock{mutex_};
    direction& over = directions_.at(which);
    if (random_.below(100) < over.now.lost_percent) continue;
    const auto now = std::chrono::steady_clock::now();
    over.free_at = std::max(over.free_at, now);
    if (over.free_at - now > longest_queue) continue;
    if (over.now.bits_per_second > 0) {
      const auto bits = static_cast<std::uint64_t>(got) * 8;
      over.free_at += std::chrono::nanoseconds{bits * 1'000'000'000 / over.now.bits_per_second};
    }
    over.frames.push_back({over.free_at + over.now.delay, {bytes.begin(), bytes.begin() + got}});
  }
}

void network_wire::let_go(std::size_t which) {
  auto& frames = directions_.at(which).frames;
  for (const auto now = std::chrono::steady_clock::now(); !frames.empty() && frames.front().due <= now;) {
    const auto& bytes = frames.front().bytes;
    (void)::send(sides_.at(1 - which).get(), bytes.data(), bytes.size(), 0);
    frames.pop_front();
  }
}

}  // namespace cellos::test
