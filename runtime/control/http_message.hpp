#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// A request and its answer, as the API sees them: no library's types.
namespace cellos {

struct http_request {
  std::string method;
  /// Decoded, without the query.
  std::string path;
  std::map<std::string, std::string, std::less<>> query;
  std::string body;
};

/// A body that comes in pieces until the client leaves or the stream ends.
class http_stream {
 public:
  http_stream() = default;
  http_stream(const http_stream&) = delete;
  http_stream& operator=(const http_stream&) = delete;
  virtual ~http_stream() = default;

  struct piece {
    std::string bytes;
    /// No piece comes after this one.
    bool last = false;
  };

  /// At most `most` bytes. Where there are none yet: empty, and `more` is called once, on any thread, when there are.
  virtual piece take(std::size_t most, std::function<void()> more) = 0;
};

struct http_answer {
  unsigned status = 200;
  std::string body;
  /// Stands for `body`, where many answers have the same.
  std::shared_ptr<const std::string> shared_body = nullptr;
  std::string content_type = "application/json";
  /// Of a 405: the methods there are.
  std::string allow = {};
  /// Of a 503 that passes by itself: seconds until the same request may succeed; 0 stands for no such promise.
  unsigned retry_after = 0;
  /// Instead of a body.
  std::shared_ptr<http_stream> stream = nullptr;

  /// From here on copies of this answer cost no copy of its body.
  void share_body() {
    if (!shared_body) shared_body = std::make_shared<const std::string>(std::move(body));
    body.clear();
  }
};

/// Called once, on any thread.
using http_reply = std::function<void(http_answer)>;

/// Answers a request without making the caller wait: `reply` may come later.
using http_handler = std::function<void(http_request request, http_reply reply)>;

/// `{"error": ..., "field": ..., "hint": ...}`; members without a text are left out.
http_answer refusal(unsigned status, std::string_view error, std::string_view field = {}, std::string_view hint = {});

/// A 503 that passes by itself.
http_answer refusal_for_now(std::string_view error);

}  // namespace cellos
