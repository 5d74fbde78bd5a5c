#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::guest_sim {

/// What a host that knows framing, and no CBOR, makes of a stream.
struct framing_walk {
  std::vector<std::string> bodies;
  std::uint64_t torn = 0;
  std::uint64_t framing_lost = 0;
  std::uint64_t connections = 0;
  std::uint64_t bytes = 0;

  std::uint64_t frames() const { return bodies.size() + torn + framing_lost; }
};

/// Binds a socket in a directory of its own and walks, on a thread, whatever is sent to it.
class framing_host {
 public:
  /// `on_bytes` is called with the sum of bytes read so far; once it says false nothing more is read until `finish`.
  explicit framing_host(std::function<bool(std::uint64_t)> on_bytes = [](std::uint64_t) { return true; })
      : on_bytes_(std::move(on_bytes)), finish_(eventfd(0, EFD_CLOEXEC)) {
    path_ = directory_ / "v.sock_9001";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    listener_ = file_descriptor{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_.get(), 128) != 0) {
      throw std::runtime_error("bind");
    }
    thread_ = std::thread([this] { serve(); });
  }

  framing_host(const framing_host&) = delete;
  framing_host& operator=(const framing_host&) = delete;

  ~framing_host() { finish(); }

  const std::string& path() const { return path_; }

  /// Everything sent on connections that are closed by now.
  const framing_walk& finish() {
    if (thread_.joinable()) {
      eventfd_write(finish_.get(), 1);
      thread_.join();
    }
    return walk_;
  }

 private:
  struct peer {
    file_descriptor fd;
    std::string rest;
    bool open = true;
  };

  void serve() {
    bool finishing = false;
    bool reading = true;
    while (true) {
      std::vector<pollfd> watched{{finishing ? -1 : finish_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      for (const auto& [number, each] : peers_) watched.push_back({reading ? each.fd.get() : -1, POLLIN, 0});
      const int woken = poll(watched.data(), watched.size(), finishing ? 0 : -1);
      if (woken == 0 && peers_.empty()) return;
      if (watched[0].revents != 0) finishing = reading = true;
      std::size_t place = 2;
      for (auto& [number, each] : peers_) {
        if (watched[place++].revents != 0 && !read_from(each)) reading = finishing;
      }
      if (watched[1].revents != 0) accept_one();
      std::erase_if(peers_, [](const auto& each) { return !each.second.open; });
    }
  }

  void accept_one() {
    peers_[++walk_.connections] = {file_descriptor{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)}, {}};
  }

  bool read_from(peer& from) {
    char buffer[65536];
    const auto got = recv(from.fd.get(), buffer, sizeof buffer, 0);
    if (got <= 0) {
      if (!from.rest.empty()) ++walk_.torn;
      from.open = false;
      return true;
    }
    walk_.bytes += static_cast<std::uint64_t>(got);
    from.rest.append(buffer, static_cast<std::size_t>(got));
    take_frames(from);
    return on_bytes_(walk_.bytes);
  }

  void take_frames(peer& from) {
    std::size_t begin = 0;
    while (from.open && from.rest.size() - begin >= 4) {
      std::uint32_t length = 0;
      for (std::size_t i = 4; i > 0; --i) length = length << 8 | static_cast<std::uint8_t>(from.rest[begin + i - 1]);
      if (length == 0 || length > 4096) {
        ++walk_.framing_lost;
        from.open = false;
      } else if (from.rest.size() - begin < 4 + length) {
        break;
      } else {
        walk_.bodies.push_back(from.rest.substr(begin + 4, length));
        begin += 4 + length;
      }
    }
    from.rest.erase(0, begin);
  }

  std::function<bool(std::uint64_t)> on_bytes_;
  file_descriptor finish_;
  file_descriptor listener_;
  test::temporary_directory directory_;
  std::string path_;
  /// By number, so that an older connection is read first.
  std::map<std::uint64_t, peer> peers_;
  framing_walk walk_;
  std::thread thread_;
};

}  // namespace cellos::guest_sim
