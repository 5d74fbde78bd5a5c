// Standard error is a pipe that nobody reads.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE unread_log
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Lines that a daemon writes for each cell that comes and goes, and cells enough for a full pipe and a full queue.
constexpr std::size_t most_cells = 20'000;

struct unread_pipe {
  file_descriptor read;
  file_descriptor write;

  unread_pipe() {
    std::array<int, 2> ends{};
    CAF_REQUIRE_EQUAL(::pipe2(ends.data(), O_CLOEXEC), 0);
    read = file_descriptor{ends[0]};
    write = file_descriptor{ends[1]};
    // The least there is.
    ::fcntl(write.get(), F_SETPIPE_SZ, 4096);
  }

  /// What can be read until `part` comes.
  std::string read_until(std::string_view part) const {
    std::string text;
    std::array<char, 65536> buffer;
    CAF_CHECK(holds_within(test_timeout, [&] {
      pollfd watched{read.get(), POLLIN, 0};
      if (::poll(&watched, 1, 0) == 1) {
        const ssize_t got = ::read(read.get(), buffer.data(), buffer.size());
        if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
      }
      return text.find(part) != std::string::npos;
    }));
    return text;
  }
};

struct fixture {
  daemon_home home;
  unread_pipe pipe;

  daemon_process start() {
    home.configure({.cells = {{.id = "steady"}}, .tables = home.control_table()});
    return {home, {.before_exec = [this] { ::dup2(pipe.write.get(), STDERR_FILENO); }}};
  }
  http_client client() const {
    CAF_REQUIRE(holds_within(test_timeout, [this] {
      try {
        return http_client{home.control_socket()}.get("/readyz").status == 200;
      } catch (const std::exception&) {
        return false;
      }
    }));
    return http_client{home.control_socket()};
  }
  /// Refusals of a PUT are lines too, and cost no disk.
  static void make_lines(http_client& client, const daemon_home& home) {
    const std::string body = cell_body("x", home / ("no-such-directory/" + std::string(60, 'x'))).dump();
    for (std::size_t i = 0; i < most_cells; ++i) {
      CAF_REQUIRE_EQUAL(client.ask("PUT", "/cells/x", body).status, 422);
      if (i % 256 == 0 && metric(client.get("/metrics").body, "cellos_telemetry_log_lines_lost_total") > 0) return;
    }
    CAF_FAIL("no line was lost");
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(unread_log_tests, fixture)

CAF_TEST(the_daemon_works_while_nobody_reads_and_says_afterwards_what_was_lost) {
  auto daemon = start();
  auto asking = client();
  make_lines(asking, home);
  CAF_CHECK_EQUAL(simulate({.socket = home.socket_of("steady"), .frames = 500}).declarations, 500u);
  CAF_CHECK_EQUAL(asking.get("/readyz").status, 200);
  const std::string text = pipe.read_until("log_lines_lost lines=");
  CAF_CHECK(text.find("daemon_started") != std::string::npos);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(the_daemon_drains_and_ends_though_nobody_reads) {
  auto daemon = start();
  auto asking = client();
  make_lines(asking, home);
  CAF_CHECK_EQUAL(daemon.stop(20s), 0);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "run.v1.ended"), 1u);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "host.v1.stopped"), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
