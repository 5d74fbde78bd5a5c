#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

/// Speaks as much of NATS' protocol as a client of one connection needs, and answers what a test says: what no server
/// would, too.
class hostile_nats_server {
 public:
  /// `answers`: to requests of JetStream's API, by the subject's beginning. `after_publish`: raw bytes to the
  /// subscription `SID` (that word is replaced) when something else was published.
  hostile_nats_server(std::map<std::string, std::string> answers, std::string after_publish)
      : answers_(std::move(answers)), after_publish_(std::move(after_publish)) {
    listener_ = file_descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener_.get(), address, size) != 0 || ::listen(listener_.get(), 1) != 0 ||
        ::getsockname(listener_.get(), address, &size) != 0) {
      throw std::runtime_error{"no listener"};
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  hostile_nats_server(const hostile_nats_server&) = delete;
  hostile_nats_server& operator=(const hostile_nats_server&) = delete;
  /// The client should have hung up.
  ~hostile_nats_server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    client_ = file_descriptor{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!client_) return;
    say("INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,\"max_payload\":1048576}\r\n");
    for (std::string line; read_line(line);) hear(line);
  }

  void hear(const std::string& line) {
    const auto words = split(line);
    if (words[0] == "PING") return say("PONG\r\n");
    if (words[0] == "SUB") subscriptions_[words[1].substr(0, words[1].find('*'))] = words.back();
    if (words[0] != "PUB" && words[0] != "HPUB") return;
    read_bytes(std::stoul(words.back()) + 2);
    const std::string& reply = words[2];
    for (const auto& [begin, answer] : answers_) {
      if (words[1].starts_with(begin)) return say(message(reply, answer));
    }
    std::string raw = after_publish_;
    if (const auto at = raw.find("SID"); at != std::string::npos) raw.replace(at, 3, sid_of(reply));
    say(raw);
  }

  std::string sid_of(const std::string& subject) const {
    for (const auto& [begin, sid] : subscriptions_) {
      if (subject.starts_with(begin)) return sid;
    }
    return "0";
  }
  std::string message(const std::string& subject, const std::string& payload) const {
    return "MSG " + subject + ' ' + sid_of(subject) + ' ' + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
  }

  static std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> words(1);
    for (const char c : line) {
      if (c == ' ')
        words.emplace_back();
      else
        words.back() += c;
    }
    while (words.size() < 3) words.emplace_back();
    while (words.size() > 3 && words.back().empty()) words.pop_back();
    return words;
  }
  bool fill() {
    char part[4096];
    const auto count = ::recv(client_.get(), part, sizeof part, 0);
    if (count <= 0) return false;
    came_.append(part, static_cast<std::size_t>(count));
    return true;
  }
  bool read_line(std::string& line) {
    std::size_t end = 0;
    while ((end = came_.find("\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    line = came_.substr(0, end);
    came_.erase(0, end + 2);
    return true;
  }
  void read_bytes(std::size_t bytes) {
    while (came_.size() < bytes) {
      if (!fill()) return came_.clear();
    }
    came_.erase(0, bytes);
  }
  void say(std::string_view bytes) { (void)::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  const std::map<std::string, std::string> answers_;
  const std::string after_publish_;
  file_descriptor listener_;
  file_descriptor client_;
  std::uint16_t port_ = 0;
  std::string came_;
  std::map<std::string, std::string> subscriptions_;
  std::thread thread_;
};

}  // namespace cellos::test
