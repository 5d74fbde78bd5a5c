#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace cellos::test {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

[[noreturn]] void give_up(const std::string& address, const std::string& what) {
  throw std::runtime_error(address + ": " + what);
}

}  // namespace

std::string http_response::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

nlohmann::json http_response::json() const { return nlohmann::json::parse(body); }

http_response http_client::ask(std::string_view method, std::string_view path, std::string_view body) {
  if (!is_connected()) connect();
  std::string request{method};
  request += ' ';
  request += path;
  request += " HTTP/1.1\r\nHost: localhost\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request += "\r\n";
  request += body;
  send(request);
  http_response response = receive(method);
  if (lower(response.header("connection")) == "close") close();
  return response;
}

void http_client::connect() {
  received_.clear();
  const bool is_unix = address_.starts_with('/');
  socket_ = file_descriptor{::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket_) give_up(address_, std::strerror(errno));
  int connected = -1;
  if (is_unix) {
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    address_.copy(there.sun_path, sizeof there.sun_path - 1);
    connected = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&there), sizeof there);
  } else {
    const auto colon = address_.rfind(':');
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address_.c_str() + colon + 1)));
    ::inet_pton(AF_INET, address_.substr(0, colon).c_str(), &there.sin_addr);
    connected = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&there), sizeof there);
  }
  if (connected == 0) return;
  const std::string why = std::strerror(errno);
  socket_.reset();
  give_up(address_, "cannot connect: " + why);
}

void http_client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // Whoever closes early has answered before; the answer says why.
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

http_response http_client::receive(std::string_view method) {
  http_response response;
  const std::string status = take_line();
  if (!status.starts_with("HTTP/1.1 ")) give_up(address_, "not an answer: " + status);
  response.status = std::atoi(status.c_str() + 9);
  for (std::string line = take_line(); !line.empty(); line = take_line()) {
    const auto colon = line.find(": ");
    if (colon != std::string::npos) response.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
  }
  if (response.status == 100) return receive(method);
  if (method == "HEAD") return response;
  if (response.header("transfer-encoding") == "chunked") {
    response.body = take_chunks();
  } else {
    response.body = take(std::strtoul(response.header("content-length").c_str(), nullptr, 10));
  }
  return response;
}

std::string http_client::receive_until(std::string_view mark, std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  auto at = received_.find(mark);
  while (at == std::string::npos) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0 || !receive_some(left)) give_up(address_, "no " + std::string{mark} + " in: " + received_);
    at = received_.find(mark);
  }
  return take(at + mark.size());
}

bool http_client::is_closed_within(std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < deadline) {
    received_.clear();
    const auto left = deadline - std::chrono::steady_clock::now();
    pollfd waiting{socket_.get(), POLLIN, 0};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (::poll(&waiting, 1, static_cast<int>(ms)) <= 0) return false;
    if (!receive_some(left)) return true;
  }
  return false;
}

/// False at the end, or when nothing comes in time.
bool http_client::receive_some(std::chrono::nanoseconds limit) {
  pollfd waiting{socket_.get(), POLLIN, 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  if (::poll(&waiting, 1, static_cast<int>(ms)) <= 0) return false;
  std::array<char, 16 * 1024> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  received_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string http_client::take(std::size_t bytes) {
  while (received_.size() < bytes) {
    if (!receive_some(test_timeout)) give_up(address_, "the answer ends early: " + received_);
  }
  std::string out = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return out;
}

std::string http_client::take_line() {
  std::string line = receive_until("\r\n");
  line.resize(line.size() - 2);
  return line;
}

std::string http_client::take_chunks() {
  std::string body;
  while (true) {
    const std::size_t bytes = std::strtoul(take_line().c_str(), nullptr, 16);
    body += take(bytes);
    (void)take_line();
    if (bytes == 0) return body;
  }
}

nlohmann::json cell_body(const std::string& id, const std::string& vsock_uds_base) {
  return {{"run_id", "run-of-" + id},
          {"vsock_uds_base", vsock_uds_base},
          {"spec_signature_hash", "sha256:spec-of-" + id},
          {"keepalive_window", "10m"}};
}

double metric(std::string_view text, std::string_view series) {
  const std::string line = '\n' + std::string{series} + ' ';
  const auto at = text.find(line);
  if (at == std::string_view::npos) return -1;
  return std::strtod(std::string{text.substr(at + line.size(), 32)}.c_str(), nullptr);
}

}  // namespace cellos::test
