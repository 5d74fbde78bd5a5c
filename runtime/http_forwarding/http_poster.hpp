#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/http_forwarding/http_delivery.hpp"
#include "runtime/http_forwarding/http_settings.hpp"

namespace cellos {

/// Posts to one receiver by way of libcurl, on a thread of its own, which is left to itself where it hangs: names are
/// resolved for as long as the resolver likes. Nothing here waits for a receiver. One caller.
class http_poster {
 public:
  explicit http_poster(const http_settings& settings);
  http_poster(const http_poster&) = delete;
  http_poster& operator=(const http_poster&) = delete;
  /// Waits for the thread for as long as a request that is given up takes to end, not for one that hangs.
  ~http_poster();

  /// The one before, if it still runs, is given up.
  void post(event_post request);
  struct posted {
    std::uint64_t number = 0;
    post_answer answer;
  };
  /// Waits for an answer until then at most; also of a request that was given up.
  std::optional<posted> take_answer(std::chrono::milliseconds at_most);

 private:
  struct worker;

  const std::shared_ptr<const http_settings> settings_;
  std::shared_ptr<worker> worker_;
};

}  // namespace cellos
