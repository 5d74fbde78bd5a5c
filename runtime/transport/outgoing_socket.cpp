#include "runtime/transport/outgoing_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace cellos {
namespace {

/// As RFC 8305 recommends.
constexpr std::chrono::milliseconds head_start{250};

int milliseconds_until(monotonic_time until) {
  const auto left = until - monotonic_time{std::chrono::steady_clock::now()};
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(std::max(left, {})).count());
}

/// Connections that are tried beside each other.
class attempts {
 public:
  explicit attempts(const std::vector<socket_address>& addresses) : addresses_(addresses) {}

  bool all_begun() const { return next_ == addresses_.size(); }
  bool none_open() const { return sockets_.empty(); }
  const std::string& last_failure() const { return last_failure_; }
  /// All failures came from this side of the network: nobody was there to refuse.
  bool nobody_there() const { return !refused_; }
  void begin_again() { next_ = 0; }

  void begin_next() {
    const auto& address = addresses_[next_++];
    file_descriptor socket{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int on = 1;
    if (!socket || ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return failed(errno);
    if (::connect(socket.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) return failed(errno);
    sockets_.push_back(std::move(socket));
  }

  /// Waits at most until then; the first that is connected, if one is. False in `stopped` means go on.
  std::optional<file_descriptor> wait(int stop, monotonic_time until, bool& stopped) {
    std::vector<pollfd> polled{{stop, POLLIN, 0}};
    for (const auto& socket : sockets_) polled.push_back({socket.get(), POLLOUT, 0});
    if (::poll(polled.data(), polled.size(), milliseconds_until(until)) <= 0) return std::nullopt;
    stopped = polled.front().revents != 0;
    for (std::size_t i = sockets_.size(); i-- > 0;) {
      if (polled[i + 1].revents == 0) continue;
      int error = 0;
      socklen_t size = sizeof error;
      if (::getsockopt(sockets_[i].get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
      auto socket = std::move(sockets_[i]);
      sockets_.erase(sockets_.begin() + static_cast<std::ptrdiff_t>(i));
      if (error == 0) return socket;
      failed(error);
    }
    return std::nullopt;
  }

 private:
  void failed(int error) {
    last_failure_ = std::generic_category().message(error);
    const bool away = error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN || error == ENETDOWN;
    refused_ = refused_ || !away;
  }

  const std::vector<socket_address>& addresses_;
  std::size_t next_ = 0;
  std::vector<file_descriptor> sockets_;
  std::string last_failure_ = "no answer";
  bool refused_ = false;
};

bool is_address(const std::string& host) {
  return host.find(':') != std::string::npos ||
         std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

awaited await_socket(int socket, short events, int stop, monotonic_time until) {
  for (;;) {
    pollfd polled[] = {{socket, events, 0}, {stop, POLLIN, 0}};
    const int ready = ::poll(polled, 2, milliseconds_until(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return awaited::late;
    return polled[1].revents != 0 ? awaited::stopped : awaited::ready;
  }
}

std::variant<file_descriptor, std::string> connect_to_any(const std::vector<socket_address>& addresses, int stop,
                                                          monotonic_time until) {
  attempts tried{addresses};
  bool stopped = false;
  monotonic_time next_begins = std::chrono::steady_clock::now();
  for (;;) {
    const monotonic_time now = std::chrono::steady_clock::now();
    if (now >= until) return "no answer in time; see that the machine is up and no firewall drops what is sent to it";
    if (!tried.all_begun() && (now >= next_begins || tried.none_open())) {
      tried.begin_next();
      next_begins = now + head_start;
      continue;
    }
    if (tried.none_open()) {
      if (!tried.nobody_there()) return tried.last_failure() + "; see that a collector listens there";
      // A network that is away says so at once, or after others have asked for the same address: like one that is
      // silent it has until the deadline to come back.
      if (await_socket(-1, 0, stop, std::min(until, now + head_start)) == awaited::stopped) return "this node stops";
      tried.begin_again();
      next_begins = std::chrono::steady_clock::now();
      continue;
    }
    auto connected = tried.wait(stop, tried.all_begun() ? until : std::min(until, next_begins), stopped);
    if (connected) return *std::move(connected);
    if (stopped) return "this node stops";
  }
}

std::variant<std::vector<socket_address>, std::string> resolve_until(const std::string& host, std::uint16_t port,
                                                                     monotonic_time until) {
  if (is_address(host)) return resolve(host, port);
  using found = std::variant<std::vector<socket_address>, std::string>;
  auto promise = std::make_shared<std::promise<found>>();
  auto answer = promise->get_future();
  std::thread{[promise, host, port] { promise->set_value(resolve(host, port)); }}.detach();
  if (answer.wait_until(until) != std::future_status::ready) return "the resolver does not answer";
  return answer.get();
}

}  // namespace cellos
