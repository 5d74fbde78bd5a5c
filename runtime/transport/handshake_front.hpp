#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/transport/current_tls_context.hpp"
#include "runtime/transport/socket_address.hpp"
#include "runtime/transport/transport_counts.hpp"
#include "runtime/transport/transport_settings.hpp"

namespace cellos {

/// A connection whose peer has shown who it is.
struct arrival {
  file_descriptor socket;
  /// Both null for a plain connection.
  std::shared_ptr<const tls_context> context;
  ssl_ptr ssl;
  /// Empty for a plain connection.
  std::string host_id;
  std::string address;
};

/// Accepts connections and shakes hands with them, on a thread of its own, so that nobody who has no certificate costs
/// CAF anything.
///
/// Who says nothing costs a descriptor until the deadline: OpenSSL is not asked before the first byte. When as many as
/// may be are shaking hands, whoever is silent gives way to who comes, and then whoever is slow, so that a crowd of
/// them keeps nobody out; a crowd of hosts that connect again together waits its turn.
class handshake_front {
 public:
  /// `welcome` is called on the front's thread. Without a context connections are plain. All but `listener` outlive it.
  handshake_front(file_descriptor listener, const current_tls_context& tls, const server_limits& limits,
                  transport_counts& counts, std::function<void(arrival)> welcome);
  handshake_front(const handshake_front&) = delete;
  handshake_front& operator=(const handshake_front&) = delete;
  /// The thread has ended, and the listener is closed.
  ~handshake_front();

 private:
  struct handshake {
    file_descriptor socket;
    std::string address;
    monotonic_time until;
    short waits_for = POLLIN;
    /// Since the first byte.
    std::shared_ptr<const tls_context> context{};
    ssl_ptr ssl{};
    bool over = false;
  };

  void run();
  /// Waits for whatever comes first; true if there is somebody to accept.
  bool await_something();
  void serve(monotonic_time now);
  /// True once it is over, well or badly.
  bool proceed(handshake& with);
  void finish(handshake& with);
  void accept_some(monotonic_time now);
  /// When it may be closed in favour of somebody who comes.
  monotonic_time gives_way(const handshake& with) const;
  /// From when on another one has room; long ago if there is.
  monotonic_time room_from() const;

  file_descriptor listener_;
  file_descriptor wake_;
  const current_tls_context& tls_;
  const server_limits limits_;
  transport_counts& counts_;
  const std::function<void(arrival)> welcome_;
  std::atomic<bool> stopping_{false};
  /// By arrival.
  std::vector<handshake> handshakes_;
  /// Of the same order, behind the wake-up and the listener.
  std::vector<pollfd> polled_;
  /// Nobody is accepted before.
  monotonic_time accepts_from_{};
  std::thread thread_;
};

}  // namespace cellos
