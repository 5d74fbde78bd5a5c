#include "tests/support/raw_guest.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "runtime/guest_sim/frame_writer.hpp"

namespace cellos::test {

namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

file_descriptor new_socket() {
  return file_descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

}  // namespace

void raw_guest::write_frames(std::uint64_t count) {
  // At once: the kernel charges each write of a frame as much as it charges a whole page.
  std::vector<std::uint8_t> all;
  for (; count > 0; --count) {
    const auto bytes = maker_.honest().bytes;
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  write(all);
}

void raw_guest::write_frame(std::string_view probe_source, std::string_view guest_comm) {
  guest_sim::frame_writer writer;
  writer.start();
  guest_sim::declaration declared;
  declared.source = probe_source;
  declared.comm = guest_comm;
  declared.monotonic_ns = maker_.next_index();
  guest_sim::write_map(writer, declared);
  maker_.skip(1);
  write(writer.framed());
}

void raw_guest::write_half_a_frame() {
  const auto whole = maker_.honest().bytes;
  write(whole.first(whole.size() / 2));
}

void raw_guest::write(std::span<const std::uint8_t> bytes) {
  const auto deadline = std::chrono::steady_clock::now() + test_timeout;
  while (!bytes.empty()) {
    const std::size_t taken = connection_.write_some(bytes);
    bytes = bytes.subspan(taken);
    if (taken > 0) continue;
    if (connection_.wait_writable(deadline, never_) != guest_sim::wake::ready) {
      throw std::runtime_error("the host reads no more");
    }
  }
}

bool raw_guest::is_closed_within(std::chrono::nanoseconds limit) const {
  return connection_.wait_closed(std::chrono::steady_clock::now() + limit, never_) == guest_sim::wake::ready;
}

file_descriptor listen_at(const std::string& path) {
  constexpr int backlog = 8;
  file_descriptor listening = new_socket();
  const sockaddr_un address = address_of(path);
  if (::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listening.get(), backlog) != 0) {
    throw std::system_error{errno, std::system_category(), path};
  }
  return listening;
}

bool accepts_connections(const std::string& path) {
  const file_descriptor socket = new_socket();
  const sockaddr_un address = address_of(path);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace cellos::test
