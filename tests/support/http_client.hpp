#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "runtime/os/file_descriptor.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

struct http_response {
  int status = 0;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;

  std::string header(const std::string& name) const;
  /// An exception if the body is not JSON.
  nlohmann::json json() const;
};

/// A connection to the control socket, or over TCP, that sends what it is asked to: a server's tests must be able to
/// say things that no client library would. An exception says what did not happen in time.
class http_client {
 public:
  /// A path, or `HOST:PORT` with a numeric IPv4 address.
  explicit http_client(std::string address) : address_(std::move(address)) {}

  /// One request; the connection is used again as long as the server keeps it.
  http_response ask(std::string_view method, std::string_view path, std::string_view body = {});

  http_response get(std::string_view path) { return ask("GET", path); }

  void connect();
  bool is_connected() const { return static_cast<bool>(socket_); }
  void send(std::string_view bytes) const;
  http_response receive(std::string_view method = "GET");
  /// Of an answer whose body has no end: everything up to and including `mark`.
  std::string receive_until(std::string_view mark, std::chrono::nanoseconds limit = test_timeout);
  /// Reads and forgets until the server closes. False if it does not within `limit`.
  bool is_closed_within(std::chrono::nanoseconds limit);
  void close() { socket_.reset(); }

 private:
  bool receive_some(std::chrono::nanoseconds limit);
  std::string take(std::size_t bytes);
  std::string take_line();
  std::string take_chunks();

  const std::string address_;
  file_descriptor socket_;
  std::string received_;
};

/// The body of a PUT for a cell whose run and specification are named after it.
nlohmann::json cell_body(const std::string& id, const std::string& vsock_uds_base);

/// The value of one series in Prometheus' text form, labels as written; -1 if it is not there.
double metric(std::string_view text, std::string_view series);

}  // namespace cellos::test
