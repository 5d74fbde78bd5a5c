#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cellos::test {

/// A real HTTP server on loopback that takes events, and answers each request as a test says.
class http_receiver {
 public:
  struct request {
    std::string path;
    /// Names in lower case.
    std::map<std::string, std::string> headers;
    std::string body;
  };
  struct answer {
    unsigned status = 204;
    std::string body{};
    std::map<std::string, std::string> headers{};
  };
  /// `number`: of the request, from 0.
  using script = std::function<answer(std::size_t number, const request&)>;

  /// With PEM texts of a certificate and its key over TLS.
  explicit http_receiver(script answers, const std::string& certificate = {}, const std::string& key = {});
  http_receiver(const http_receiver&) = delete;
  http_receiver& operator=(const http_receiver&) = delete;
  ~http_receiver();

  std::string url() const;
  std::vector<request> requests() const;
  /// The events of all requests that were answered with 2xx, each as a line.
  std::string lines() const;

 private:
  struct server;

  const script answers_;
  const bool is_secure_;
  mutable std::mutex mutex_;
  std::vector<request> requests_;
  std::string lines_;
  std::unique_ptr<server> server_;
};

}  // namespace cellos::test
