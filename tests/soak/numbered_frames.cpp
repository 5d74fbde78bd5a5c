#include "tests/soak/numbered_frames.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <string_view>
#include <system_error>

#include "runtime/file_descriptor.hpp"
#include "runtime/guest_sim/frame_writer.hpp"

namespace cellos::soak {

namespace {

/// Numbers are written above this, so that each takes eight bytes.
constexpr std::uint64_t base = std::uint64_t{1} << 40;
/// One write's worth.
constexpr std::size_t batch_frames = 256;

std::vector<std::uint8_t> frame_with(std::string_view comm) {
  guest_sim::frame_writer writer;
  guest_sim::declaration declared;
  declared.source = "process.spawned";
  declared.pid = 42;
  declared.comm = comm;
  declared.monotonic_ns = base;
  writer.start();
  guest_sim::write_map(writer, declared);
  const auto bytes = writer.framed();
  return {bytes.begin(), bytes.end()};
}

file_descriptor connected(const std::string& path) {
  file_descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

}  // namespace

numbered_frames::numbered_frames() : frame_(frame_with(ordinary_comm)), poison_(frame_with(poison_comm)) {
  // The number is the last thing in a frame, big-endian.
  number_offset_ = frame_.size() - sizeof(std::uint64_t);
}

void numbered_frames::append(std::vector<std::uint8_t>& to, std::uint64_t number, bool poison) {
  std::vector<std::uint8_t>& frame = poison ? poison_ : frame_;
  const std::uint64_t written = base + number;
  for (std::size_t i = 0; i < sizeof written; ++i) {
    frame[number_offset_ + i] = static_cast<std::uint8_t>(written >> (8 * (sizeof written - 1 - i)));
  }
  to.insert(to.end(), frame.begin(), frame.end());
}

std::uint64_t numbered_frames::number_in(std::string_view line) {
  constexpr std::string_view key = R"("guestMonotonicNs":")";
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(line.data() + at + key.size(), line.data() + line.size(), number);
  return number > base ? number - base : 0;
}

numbered_guest::numbered_guest(plan what) : plan_(std::move(what)), thread_([this] { run(); }) {}

numbered_guest::~numbered_guest() { stop(); }

void numbered_guest::stop() {
  stopping_ = true;
  join();
}

void numbered_guest::join() {
  if (thread_.joinable()) thread_.join();
}

void numbered_guest::run() {
  const file_descriptor fd = connected(plan_.socket);
  if (!fd) {
    failure_ = plan_.socket + ": " + std::generic_category().message(errno);
    return;
  }
  numbered_frames frames;
  std::vector<std::uint8_t> bytes;
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t at_once = plan_.rate == 0 ? batch_frames : 1;
  for (std::uint64_t next = 1; next <= plan_.frames && !stopping_;) {
    bytes.clear();
    const std::uint64_t end = std::min(next + at_once, plan_.frames + 1);
    std::uint64_t poisoned = 0;
    for (; next < end; ++next) {
      const bool poison = plan_.poison_every != 0 && next % plan_.poison_every == 0 && next != plan_.frames;
      frames.append(bytes, next, poison);
      poisoned += poison ? 1 : 0;
    }
    if (plan_.rate != 0) {
      const auto due = began + std::chrono::nanoseconds{std::chrono::seconds{1}} * (next - 1) / plan_.rate;
      std::this_thread::sleep_until(due);
    }
    if (!write_all(fd.get(), bytes)) return;
    sent_ = next - 1;
    poisoned_ += poisoned;
  }
}

bool numbered_guest::write_all(int fd, const std::vector<std::uint8_t>& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (wrote < 0 && errno != EINTR) {
      failure_ = plan_.socket + ": " + std::generic_category().message(errno);
      return false;
    }
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace cellos::soak
