#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/jetstream/stream_delivery.hpp"
#include "runtime/jetstream/stream_message.hpp"

namespace cellos {

/// What became of something that a stream_link was asked for.
struct link_event {
  enum class kind : std::uint8_t { connected, lost, found, answered };
  kind what = kind::connected;
  std::uint64_t session = 0;
  /// Of a loss.
  std::string cause{};
  stream_tail tail{};
  std::uint64_t number = 0;
  stream_answer answer{};
};

/// Connections to a stream's servers. Nothing here waits for a server. One caller.
///
/// A seam: NATS in production.
class stream_link {
 public:
  stream_link() = default;
  stream_link(const stream_link&) = delete;
  stream_link& operator=(const stream_link&) = delete;
  virtual ~stream_link() = default;

  /// Each as stream_action has it; the events that follow come from take_events().
  virtual void connect(std::uint64_t session) = 0;
  virtual void hang_up(std::uint64_t session) = 0;
  virtual void ask_tail(std::uint64_t session) = 0;
  virtual void publish(std::uint64_t session, std::vector<stream_message> messages) = 0;

  /// Of connections that were hung up as well. Waits until there are some, or for `at_most`.
  virtual std::vector<link_event> take_events(std::chrono::milliseconds at_most) = 0;
};

}  // namespace cellos
