// A connection that cannot be watched is looked at twice a second: most of this is waiting.
// ctest: TIMEOUT 300
#define CAF_SUITE socket_faults
#include <spdlog/logger.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "caf/test/dsl.hpp"
#include "runtime/guest_sim/connection.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/runtime/socket_service/faulty_socket_calls.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct sweep {
  const char* name;
  socket_call call;
  std::vector<int> errors;
};

const std::vector<sweep> sweeps{
    {"socket", socket_call::socket, {EMFILE, ENFILE, ENOBUFS, ENOMEM}},
    {"fchmod", socket_call::fchmod, {EIO, EINTR}},
    {"bind", socket_call::bind, {ENOMEM, EIO, EADDRINUSE}},
    {"listen", socket_call::listen, {EADDRINUSE, ENOBUFS}},
    {"open_directory", socket_call::open_directory, {EMFILE, ENOMEM, EACCES, EIO}},
    {"lstat", socket_call::lstat, {EIO, ENOMEM, EACCES}},
    {"unlink", socket_call::unlink, {EIO, EBUSY}},
    {"accept4", socket_call::accept4, {EINTR, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EIO}},
    {"peer_credentials", socket_call::peer_credentials, {EIO, ENOBUFS}},
    {"recv", socket_call::recv, {EINTR, EAGAIN, ENOBUFS, ENOMEM, EIO}},
    {"shutdown", socket_call::shutdown, {ENOTCONN, EIO}},
    {"poll", socket_call::poll, {EINTR, ENOMEM}},
    {"epoll_create", socket_call::epoll_create, {EMFILE, ENOMEM}},
    {"epoll_ctl", socket_call::epoll_ctl, {ENOMEM, ENOSPC, EIO}},
    {"epoll_wait", socket_call::epoll_wait, {EINTR, EIO}},
    {"eventfd", socket_call::eventfd, {EMFILE, ENOMEM}},
    {"read", socket_call::read, {EINTR, EIO}},
    {"write", socket_call::write, {EIO}},
    {"open_null", socket_call::open_null, {EMFILE, ENOMEM}},
};

/// One life of a cell: two guests one after the other, a lost socket file between them, guests that leave while there
/// is no credit, and its end.
class life {
 public:
  life(faulty_socket_calls& calls, int error) : calls_(calls), error_(error) {
    cell_.cell_id = "cell-1";
    cell_.vsock_uds_base = home_ / "cell-1";
    cell_.expected_uid = ::geteuid();
  }

  void run() {
    start();
    // A refusal names its reason; asked again, the host binds.
    auto bound = service_->bind(cell_);
    if (!bound.intake) {
      CAF_CHECK(calls_.struck());
      CAF_CHECK(!bound.refusal.explanation.empty());
      bound = service_->bind(cell_);
    }
    CAF_REQUIRE(bound.intake);
    {
      collected_chunks collected{bound.intake};
      serve(collected, *bound.intake, frames_each);
      lose_file(*bound.intake);
      serve(collected, *bound.intake, 2 * frames_each);
      leave(collected, *bound.intake);
      finish(collected, *bound.intake);
    }
    bound.intake = nullptr;
    service_.reset();
  }

 private:
  /// A service that cannot start says so, and leaves nothing behind.
  void start() {
    const socket_service_options options{.chunks_per_cell = 2, .connections_per_cell = 2, .drain_timeout = 2s};
    try {
      service_.emplace(options, events_, calls_);
    } catch (const std::system_error& refused) {
      CAF_CHECK(calls_.struck());
      CAF_CHECK_EQUAL(refused.code().value(), error_);
      service_.emplace(options, events_, calls_);
    }
  }

  static constexpr std::uint64_t frames_each = 20;
  static constexpr std::uint64_t leaving = 4;

  /// Frames from a new connection until the host has as many; one that it closes makes the guest come again.
  void serve(collected_chunks& collected, const cell_intake& intake, std::uint64_t wanted) {
    CAF_REQUIRE(test::holds_within(test::test_timeout, [&] {
      try {
        auto guest = guest_sim::connection::open(cell_.socket_path(), 5s, never_);
        const std::uint64_t before = collected.frames();
        for (std::uint64_t i = before; i < wanted; ++i) guest.write_some(numbered_frame(i + 1));
        // The scan for connections that could not be watched comes twice a second.
        const bool answered = test::holds_within(5s, [&] {
          collected.acknowledge();
          return collected.frames() >= wanted ||
                 guest.wait_closed(std::chrono::steady_clock::now(), never_) == guest_sim::wake::ready;
        });
        CAF_CHECK(answered);
      } catch (const guest_sim::connection_failure&) {
        CAF_CHECK(calls_.struck());
      }
      collected.acknowledge();
      return collected.frames() >= wanted;
    }));
    CAF_CHECK_EQUAL(intake.counts().frames_received, collected.frames());
  }

  /// Asked again, the host binds again; it never says that guests find a socket that they do not.
  void lose_file(cell_intake& intake) {
    std::filesystem::remove(cell_.socket_path());
    auto refused = intake.ensure_bound();
    if (refused) {
      CAF_CHECK(calls_.struck());
      CAF_CHECK(!refused->explanation.empty());
      refused = intake.ensure_bound();
    }
    CAF_CHECK(!refused);
    CAF_CHECK(std::filesystem::is_socket(cell_.socket_path()));
  }

  /// More guests than there is credit for or room for connections, all before the host looks, each with a frame: none
  /// keeps its descriptor, and none is lost.
  void leave(collected_chunks& collected, const cell_intake& intake) {
    const std::uint64_t before = collected.frames();
    calls_.close_gate(true);
    (void)service_->answers_within(0ns);  // wakes it
    CAF_CHECK(test::holds_within(test::test_timeout, [&] { return calls_.is_held(); }));
    try {
      for (std::uint64_t i = 1; i <= leaving; ++i) {
        auto guest = guest_sim::connection::open(cell_.socket_path(), 5s, never_);
        guest.write_some(numbered_frame(before + i));
      }
    } catch (const guest_sim::connection_failure&) {
      CAF_CHECK(calls_.struck());
    }
    calls_.close_gate(false);
    const bool let_go = test::holds_within(5s, [&] { return intake.counts().connections_open == 0; });
    CAF_CHECK(let_go);
    const bool all = test::holds_within(calls_.struck() ? 1s : 5s, [&] {
      collected.acknowledge();
      return collected.frames() == before + leaving;
    });
    if (!calls_.struck() || passes_by_itself()) CAF_CHECK(all);
    CAF_CHECK_EQUAL(intake.counts().frames_received, collected.frames());
  }

  void finish(collected_chunks& collected, cell_intake& intake) {
    std::atomic<bool> drained{false};
    // One more guest that the host has not looked at may be in the backlog.
    auto last = guest_sim::connection::open(cell_.socket_path(), 5s, never_);
    const std::uint64_t before = collected.frames();
    try {
      last.write_some(numbered_frame(before + 1));
    } catch (const guest_sim::connection_failure&) {
      CAF_CHECK(calls_.struck());  // refused, which is an answer
    }
    intake.drain([&] { drained = true; });
    CAF_CHECK(test::holds_within(test::test_timeout, [&] {
      collected.acknowledge();
      return drained.load();
    }));
    CAF_CHECK_EQUAL(intake.counts().frames_received, collected.frames());
    if (!calls_.struck() || error_ == EINTR || passes_by_itself()) CAF_CHECK_EQUAL(collected.frames(), before + 1);
    CAF_CHECK_EQUAL(intake.counts().connections_open, 0u);
    // What passes by itself ends no connection: nobody had to come again.
    if (passes_by_itself()) CAF_CHECK_EQUAL(intake.counts().connections_accepted, 3 + leaving);
  }

  bool passes_by_itself() const {
    switch (calls_.failing()) {
      case socket_call::recv: return error_ != EIO;
      // What is not shut down is closed at the cell's deadline; a wake-up that is lost comes with the next scan.
      case socket_call::shutdown:
      case socket_call::epoll_create:
      case socket_call::epoll_ctl:
      case socket_call::epoll_wait:
      case socket_call::eventfd:
      case socket_call::read:
      case socket_call::write:
      case socket_call::open_null: return true;
      default: return false;
    }
  }

  faulty_socket_calls& calls_;
  int error_;
  test::temporary_directory home_;
  guest_sim::stop_signal never_;
  operator_events events_{std::make_shared<spdlog::logger>("test", std::make_shared<soak::event_counter>()),
                          log_format::text};
  cell_specification cell_;
  std::optional<socket_service> service_;
};

}  // namespace

CAF_TEST(whichever system call fails the cell serves again and nothing leaks) {
  for (const sweep& each : sweeps) {
    for (const int error : each.errors) {
      constexpr std::uint64_t most = 40;
      for (std::uint64_t nth = 1; nth <= most; ++nth) {
        const auto before = open_descriptors();
        faulty_socket_calls calls;
        calls.fail(each.call, nth, error);
        life{calls, error}.run();
        CAF_CHECK_EQUAL(open_descriptors(), before);
        if (!calls.struck()) break;
      }
    }
    CAF_MESSAGE(each.name);
  }
}
