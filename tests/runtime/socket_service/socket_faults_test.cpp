// Each system call of the socket service failed in turn, at its first use, its second, and so on until the whole story
// runs without meeting the fault.

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "tests/support/raw_guest.hpp"
#include "tests/support/served_cell.hpp"

#define CAF_SUITE socket_faults
#include "caf/test/dsl.hpp"

// ctest: TIMEOUT 180

using namespace cellos;
using namespace cellos::test;

namespace {

enum class call : std::uint8_t {
  socket,
  fchmod,
  bind,
  lstat,
  listen,
  accept,
  recv,
  peer_credentials,
  epoll_ctl,
  epoll_wait,
  shutdown,
};

/// The real calls, but for one that fails once.
class failing_calls final : public socket_calls {
 public:
  failing_calls(call which, int error, std::uint64_t at) : which_(which), error_(error), at_(at) {}

  bool struck() const { return struck_; }

  int socket() override { return fails(call::socket) ? -1 : real_.socket(); }
  int fchmod(int fd, mode_t mode) override { return fails(call::fchmod) ? -1 : real_.fchmod(fd, mode); }
  int bind(int fd, const sockaddr* address, socklen_t size) override {
    return fails(call::bind) ? -1 : real_.bind(fd, address, size);
  }
  int lstat(const char* path, struct stat* into) override { return fails(call::lstat) ? -1 : real_.lstat(path, into); }
  int listen(int fd, int backlog) override { return fails(call::listen) ? -1 : real_.listen(fd, backlog); }
  int accept(int fd) override { return fails(call::accept) ? -1 : real_.accept(fd); }
  ssize_t recv(int fd, void* into, std::size_t bytes) override {
    return fails(call::recv) ? -1 : real_.recv(fd, into, bytes);
  }
  int peer_credentials(int fd, ucred* into) override {
    return fails(call::peer_credentials) ? -1 : real_.peer_credentials(fd, into);
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return fails(call::epoll_ctl) ? -1 : real_.epoll_ctl(epoll, operation, fd, event);
  }
  int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) override {
    return fails(call::epoll_wait) ? -1 : real_.epoll_wait(epoll, events, most, timeout_ms);
  }
  int shutdown(int fd, int how) override { return fails(call::shutdown) ? -1 : real_.shutdown(fd, how); }

 private:
  bool fails(call now) {
    if (now != which_ || ++uses_ != at_) return false;
    struck_ = true;
    errno = error_;
    return true;
  }

  const call which_;
  const int error_;
  const std::uint64_t at_;
  std::atomic<std::uint64_t> uses_{0};
  std::atomic<bool> struck_{false};
  socket_calls& real_ = real_socket_calls();
};

struct fault {
  const char* name;
  call which;
  int error;
  /// The guest is hung up on, and has to come again.
  bool costs_a_connection = false;
};

constexpr std::array faults{
    fault{"socket EMFILE", call::socket, EMFILE},
    fault{"socket ENOBUFS", call::socket, ENOBUFS},
    fault{"fchmod EIO", call::fchmod, EIO},
    fault{"bind EACCES", call::bind, EACCES},
    fault{"bind ENOMEM", call::bind, ENOMEM},
    fault{"lstat EIO", call::lstat, EIO},
    fault{"listen EADDRINUSE", call::listen, EADDRINUSE},
    fault{"accept EINTR", call::accept, EINTR},
    fault{"accept ECONNABORTED", call::accept, ECONNABORTED},
    fault{"accept EMFILE", call::accept, EMFILE, true},
    fault{"accept ENFILE", call::accept, ENFILE, true},
    fault{"accept ENOBUFS", call::accept, ENOBUFS, true},
    fault{"accept ENOMEM", call::accept, ENOMEM, true},
    fault{"recv EINTR", call::recv, EINTR},
    fault{"recv EAGAIN", call::recv, EAGAIN},
    fault{"recv ENOMEM", call::recv, ENOMEM},
    fault{"recv ECONNRESET", call::recv, ECONNRESET, true},
    fault{"recv EIO", call::recv, EIO, true},
    fault{"peer_credentials EINVAL", call::peer_credentials, EINVAL, true},
    fault{"epoll_ctl ENOMEM", call::epoll_ctl, ENOMEM},
    fault{"epoll_ctl ENOSPC", call::epoll_ctl, ENOSPC},
    fault{"epoll_wait EINTR", call::epoll_wait, EINTR},
    fault{"shutdown ENOTCONN", call::shutdown, ENOTCONN},
};

constexpr std::uint64_t frames_each = 3;
/// The longest any call is used in the story below, and some.
constexpr std::uint64_t most_uses = 200;

/// Connects and writes, again when the host hung up, until the host has counted the frames.
bool is_heard(served_cell& cell) {
  const std::uint64_t wanted = cell.counts().frames_received + frames_each;
  for (int attempt = 0; attempt < 5; ++attempt) {
    raw_guest guest{cell.socket()};
    try {
      guest.write_frames(frames_each);
    } catch (const std::exception&) {
      continue;  // hung up on while writing
    }
    bool hung_up = false;
    const bool settled = holds_within(patience, [&] {
      hung_up = guest.is_closed_within(std::chrono::nanoseconds{0});
      return hung_up || cell.counts().frames_received >= wanted;
    });
    if (cell.counts().frames_received == wanted) return true;
    if (!settled) return false;
  }
  return false;
}

/// A cell's life. Empty, or what went wrong.
std::string live_through(served_cell& cell, bool costs_a_connection) {
  if (!cell.bind() && !cell.bind()) return "cannot be bound the second time: " + cell.refusal();
  if (!is_heard(cell) || !is_heard(cell)) return "frames do not come in";
  // Written and not waited for: draining reads what is there.
  raw_guest last{cell.socket()};
  try {
    last.write_frames(frames_each);
  } catch (const std::exception&) {
    if (!costs_a_connection) return "hangs up on a guest";
  }
  if (!cell.drain()) return "does not drain";
  std::uint64_t frames = 0;
  for (const chunk_ptr& chunk : cell.take()) frames += chunk->frames;
  const intake_counts counts = cell.counts();
  if (frames != counts.frames_received) return "delivers other frames than it counts";
  if (counts.frames_received < (costs_a_connection ? 2 : 3) * frames_each) return "lost frames";
  if (counts.connections_open != 0) return "keeps connections";
  return {};
}

}  // namespace

CAF_TEST(a_cell_is_served_whichever_system_call_fails) {
  const std::size_t before = open_descriptors();
  for (const fault& each : faults) {
    bool struck = true;
    for (std::uint64_t at = 1; struck && at <= most_uses; ++at) {
      failing_calls calls{each.which, each.error, at};
      std::string story;
      {
        socket_service_options options;
        options.calls = &calls;
        served_cell cell{options};
        story = live_through(cell, each.costs_a_connection);
      }
      struck = calls.struck();
      if (!story.empty()) CAF_ERROR(each.name << " at use " << at << ": " << story);
      // `epoll_wait` is used as often as the machine likes.
      if (each.which == call::epoll_wait && at == 10) break;
    }
    CAF_CHECK_EQUAL(open_descriptors(), before);
  }
}
