#include "tests/bench/support/plain_loop.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "messages/cloud_event.hpp"
#include "messages/wire_codec.hpp"
#include "messages/wire_format.hpp"
#include "runtime/guest_sim/stop_signal.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/socket_service/bound_cell.hpp"
#include "tests/bench/support/ingest_cells.hpp"

namespace cellos::bench {

namespace {

constexpr std::size_t read_bytes = 64 * 1024;
/// As many as the SINK gathers.
constexpr std::size_t write_bytes = 512 * 1024;

[[noreturn]] void fail(const char* call) { throw std::system_error{errno, std::system_category(), call}; }

file_descriptor checked(int fd, const char* call) {
  if (fd < 0) fail(call);
  return file_descriptor{fd};
}

host_stamp_ptr stamp_of(const cell_specification& cell) {
  return std::make_shared<const host_stamp>(
      host_stamp{std::string{host_id}, cell.cell_id, cell.run_id, cell.spec_signature_hash});
}

/// Of the daemon's form, and as long.
std::string chain_of(const cell_specification& cell, wall_time opened) {
  const auto epoch = std::chrono::duration_cast<std::chrono::milliseconds>(opened.time_since_epoch());
  return std::string{host_id} + "/" + cell.cell_id + "/" + cell.run_id + "/" + std::to_string(epoch.count());
}

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

class plain_loop {
 public:
  plain_loop(const std::vector<cell_specification>& cells, const std::filesystem::path& out)
      : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        log_(checked(::open(out.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640), "open")) {
    watch(stop_.fd());
    for (const cell_specification& cell : cells) bind(cell);
    lines_.reserve(write_bytes * 2);
  }

  void run(std::chrono::microseconds pause) {
    std::array<epoll_event, 256> ready;
    while (!stopping_ || connections_open_ > 0) {
      if (pause.count() > 0) std::this_thread::sleep_for(pause);
      const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
      if (count < 0) fail("epoll_wait");
      for (int i = 0; i < count; ++i) visit(ready[static_cast<std::size_t>(i)].data.fd);
    }
    write_lines();
  }

 private:
  struct served_cell {
    unix_listener listening;
    run_projection events;
  };
  struct guest {
    file_descriptor socket;
    served_cell* cell = nullptr;
    /// The beginning of a frame that is not whole.
    std::vector<std::uint8_t> tail;
  };

  void watch(int fd) {
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest) != 0) fail("epoll_ctl");
    if (guests_.size() <= static_cast<std::size_t>(fd)) guests_.resize(static_cast<std::size_t>(fd) + 1);
  }

  void bind(const cell_specification& cell) {
    unix_listener::outcome bound = bind_cell_socket(cell, real_socket_calls());
    if (!bound.socket) throw std::runtime_error(bound.refusal.explanation);
    cells_.push_back({std::move(bound.socket), run_projection{stamp_of(cell), {chain_of(cell, wall_now())}}});
    watch(cells_.back().listening.fd());
    guests_[static_cast<std::size_t>(cells_.back().listening.fd())].cell = &cells_.back();
  }

  void visit(int fd) {
    if (fd == stop_.fd()) return stop();
    guest& from = guests_[static_cast<std::size_t>(fd)];
    if (from.socket) {
      read_from(from);
    } else {
      accept_from(*from.cell);
    }
  }

  /// Whoever is in a backlog has connected before: theirs is read too.
  void stop() {
    stopping_ = true;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stop_.fd(), nullptr);
    for (served_cell& cell : cells_) accept_from(cell);
  }

  void accept_from(served_cell& cell) {
    while (true) {
      file_descriptor accepted{::accept4(cell.listening.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      if (!accepted) return;
      const int fd = accepted.get();
      watch(fd);
      guests_[static_cast<std::size_t>(fd)] = {std::move(accepted), &cell, {}};
      ++connections_open_;
    }
  }

  void read_from(guest& from) {
    std::copy(from.tail.begin(), from.tail.end(), buffer_.begin());
    const ssize_t got = ::recv(from.socket.get(), buffer_.data() + from.tail.size(), read_bytes, MSG_DONTWAIT);
    if (got > 0) return take(from, std::span{buffer_}.first(from.tail.size() + static_cast<std::size_t>(got)));
    if (got < 0 && errno != ECONNRESET) return;
    from = {};
    --connections_open_;
  }

  void take(guest& from, std::span<const std::uint8_t> rest) {
    const wall_time received = wall_now();
    while (rest.size() >= wire::frame_header_bytes) {
      const std::uint32_t body_bytes = wire::body_length(rest.data());
      if (!wire::is_frameable(body_bytes)) throw std::runtime_error("a guest lost its framing");
      if (rest.size() < wire::frame_header_bytes + body_bytes) break;
      const decoded_frame frame = decode_frame_body(rest.subspan(wire::frame_header_bytes, body_bytes));
      if (frame.refusal == telemetry_errc::none) {
        run_projection& events = from.cell->events;
        events.declaration(lines_, stamp(frame.declaration, *events.attribution(), received));
      }
      rest = rest.subspan(wire::frame_header_bytes + body_bytes);
    }
    from.tail.assign(rest.begin(), rest.end());
    if (lines_.size() >= write_bytes) write_lines();
  }

  void write_lines() {
    for (std::string_view rest = lines_; !rest.empty();) {
      const ssize_t written = ::write(log_.get(), rest.data(), rest.size());
      if (written <= 0) fail("write");
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    lines_.clear();
  }

  guest_sim::stop_signal stop_ = guest_sim::stop_signal::from_process();
  file_descriptor epoll_;
  file_descriptor log_;
  /// Stays where it is while it grows.
  std::deque<served_cell> cells_;
  /// By descriptor; a listening one's has no socket.
  std::vector<guest> guests_;
  std::size_t connections_open_ = 0;
  bool stopping_ = false;
  std::array<std::uint8_t, wire::max_frame_bytes + read_bytes> buffer_{};
  std::string lines_;
};

}  // namespace

void run_plain_loop(const std::vector<cell_specification>& cells, const std::filesystem::path& out,
                    std::chrono::microseconds pause) {
  const auto loop = std::make_unique<plain_loop>(cells, out);
  std::fputs("ready\n", stderr);
  loop->run(pause);
}

}  // namespace cellos::bench
