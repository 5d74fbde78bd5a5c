#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

/// The API's socket of a VMM: one connection after the other, one request each, as far as FlushMetrics goes.
class firecracker_api_stand_in {
 public:
  static constexpr const char* done = "HTTP/1.1 204 No Content\r\n\r\n";

  /// Flushes, and answers so; says nothing until the other side gives up, if `answer` is empty.
  firecracker_api_stand_in(
      const std::filesystem::path& path, std::string answer, std::function<void()> flush = [] {})
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        answer_(std::move(answer)),
        flush_(std::move(flush)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 4) != 0) {
      throw std::runtime_error{"no socket at " + path.string()};
    }
    thread_ = std::thread{[this] {
      while (serve_one()) {}
    }};
  }
  firecracker_api_stand_in(const firecracker_api_stand_in&) = delete;
  firecracker_api_stand_in& operator=(const firecracker_api_stand_in&) = delete;
  ~firecracker_api_stand_in() { end(); }

  /// What it was asked last.
  std::string end() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    return request_;
  }
  int flushes() const { return flushes_; }

 private:
  bool serve_one() {
    const file_descriptor connection{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection) return false;
    request_.clear();
    char bytes[1000];
    while (request_.find("Metrics\"}") == std::string::npos) {
      const auto count = ::recv(connection.get(), bytes, sizeof bytes, 0);
      if (count <= 0) return true;
      request_.append(bytes, static_cast<std::size_t>(count));
    }
    flush_();
    ++flushes_;
    if (answer_.empty()) {
      ::recv(connection.get(), bytes, sizeof bytes, 0);
    } else {
      ::send(connection.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }
    return true;
  }

  file_descriptor listener_;
  const std::string answer_;
  const std::function<void()> flush_;
  std::string request_;
  std::atomic<int> flushes_{0};
  std::thread thread_;
};

}  // namespace cellos::test
