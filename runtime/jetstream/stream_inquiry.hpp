#pragma once

#include <nats/nats.h>

#include <optional>
#include <string>
#include <string_view>

#include "runtime/jetstream/nats_session.hpp"
#include "runtime/jetstream/stream_delivery.hpp"

namespace cellos {

/// Asks a server, over one connection, how far a stream has a host's log, and whether it is one to deliver to. Each
/// question blocks until it is answered, or until the connection's own time for that is over.
class stream_inquiry {
 public:
  /// Both must outlive it.
  stream_inquiry(jsCtx* jetstream, const nats_session_settings& settings)
      : jetstream_(jetstream), settings_(settings) {}

  /// Nothing, with a failure, if the server does not answer. The stream is created where it is missing, if that is
  /// asked for.
  std::optional<stream_tail> tail(std::string& failure);

 private:
  std::string check_stream(stream_tail& into, std::string& failure);
  std::string create_stream();
  bool read_newest(const char* subject, stream_tail::message& into, std::string& failure);
  void look_back(stream_tail& found, std::string_view own_begin, std::string& failure);

  jsCtx* jetstream_;
  const nats_session_settings& settings_;
};

}  // namespace cellos
