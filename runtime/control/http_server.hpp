#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/control/http_message.hpp"
#include "runtime/control/request_check.hpp"
#include "runtime/os/descriptor_plan.hpp"
#include "runtime/os/file_descriptor.hpp"

namespace cellos {

struct http_limits {
  std::size_t body_bytes = 16 * 1024;
  /// Request line and headers.
  std::size_t head_bytes = 16 * 1024;
  /// Those that come beyond wait in the backlog.
  std::size_t connections = most_http_connections;
  /// A connection that neither sends nor takes anything for this long is closed; one that waits for its answer is not.
  std::chrono::seconds idle{15};
  /// However busy it looks: a request has to be whole, and an answer taken, within this long. Streams have no end.
  std::chrono::milliseconds request{30'000};
  std::chrono::milliseconds answer{120'000};
};

/// HTTP/1.1 on one listening socket, served by one thread of its own. A request that waits for its answer holds
/// nobody else up.
class http_server {
 public:
  struct options {
    http_limits limits;
    /// If not empty, only peers with these uids are served (a Unix socket's).
    std::vector<std::uint32_t> allowed_uids{};
    server_names names{};
    /// Called for each request that is refused for its head.
    std::function<void()> refused = nullptr;
  };

  struct opening {
    /// Null when refused.
    std::unique_ptr<http_server> server;
    std::string refusal;
  };

  static opening start(file_descriptor listening, http_handler handler, options settings);

  /// Ends every connection: whoever waits for an answer is answered 503, and streams end. Answers that come later go
  /// nowhere.
  ~http_server();

 private:
  class implementation;
  explicit http_server(std::unique_ptr<implementation> started);

  std::unique_ptr<implementation> implementation_;
};

}  // namespace cellos
