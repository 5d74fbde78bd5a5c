#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "tests/support/daemon_process.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/service_manager.hpp"

#define CAF_SUITE service_notification
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

const daemon_settings one_cell{.cells = {{.id = "c1"}}};
const cell_settings unbindable{.id = "lost", .vsock_uds_base = "/nowhere/v.sock"};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The thread of the daemon that waits for its sockets; 0 while it does not.
pid_t io_thread_of(const daemon_process& daemon) {
  const std::string tasks = "/proc/" + std::to_string(daemon.pid()) + "/task";
  for (const auto& task : std::filesystem::directory_iterator{tasks}) {
    long call = -1;
    std::ifstream{task.path() / "syscall"} >> call;
    if (call == SYS_epoll_pwait) return std::stoi(task.path().filename());
#ifdef SYS_epoll_wait
    if (call == SYS_epoll_wait) return std::stoi(task.path().filename());
#endif
  }
  return 0;
}

/// One thread of another process, stopped as long as this lives, while its others run on.
class stopped_thread {
 public:
  explicit stopped_thread(pid_t thread) : thread_(thread) {
    CAF_REQUIRE_EQUAL(::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr), 0);
    CAF_REQUIRE_EQUAL(::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr), 0);
    CAF_REQUIRE_EQUAL(::waitpid(thread_, nullptr, __WALL), thread_);
  }
  stopped_thread(const stopped_thread&) = delete;
  stopped_thread& operator=(const stopped_thread&) = delete;
  ~stopped_thread() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }

 private:
  pid_t thread_;
};

}  // namespace

CAF_TEST(ready_is_reported_when_every_cell_accepts_or_is_refused) {
  service_manager manager;
  const daemon_home home{daemon_settings{.cells = {{.id = "c1"}, {.id = "c2"}, unbindable}}};
  daemon_process daemon{home};
  const std::string ready = manager.wait_for("READY=1");
  CAF_CHECK_EQUAL(ready, "READY=1\nSTATUS=Serving 2 cells; 1 could not be bound");
  for (const auto* cell : {"c1", "c2"}) raw_guest{home.socket_of(cell)}.write_frames(1);
  CAF_CHECK_GREATER_OR_EQUAL(manager.count("EXTEND_TIMEOUT_USEC="), 1u);
  CAF_CHECK(has(manager.reported().front(), "STATUS="));
  CAF_CHECK_EQUAL(manager.count("WATCHDOG=1"), 0u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK(has(manager.wait_for("STOPPING=1"), "STATUS=Draining 2 cells"));
}

CAF_TEST(a_reload_is_reported_from_its_beginning_to_its_end) {
  service_manager manager;
  const daemon_home home{one_cell};
  auto daemon = daemon_process::ready(home);
  CAF_REQUIRE(!manager.wait_for("READY=1").empty());

  home.configure(daemon_settings{.cells = {{.id = "c1"}, unbindable}});
  daemon.reload();
  CAF_CHECK(has(manager.wait_for("READY=1", 2), "; 1 could not be bound"));
  const std::string began = manager.wait_for("RELOADING=1");
  CAF_CHECK(has(began, "\nMONOTONIC_USEC="));
  CAF_CHECK_EQUAL(manager.count("RELOADING=1"), 1u);

  home.write_configuration("host_id = 7\n");
  daemon.send(SIGHUP);
  CAF_CHECK(has(manager.wait_for("READY=1", 3), "; the configuration file was refused, the one before it holds"));
  CAF_CHECK_EQUAL(manager.count("RELOADING=1"), 2u);
}

CAF_TEST(a_daemon_that_cannot_start_is_never_ready) {
  service_manager manager;
  const daemon_home home{one_cell};
  const auto holder = daemon_process::ready(home);
  CAF_REQUIRE(!manager.wait_for("READY=1").empty());
  daemon_process second{home};
  CAF_CHECK_EQUAL(second.wait(), 3);
  CAF_CHECK_EQUAL(manager.count("READY=1"), 1u);
}

CAF_TEST(the_watchdog_is_notified_only_while_the_io_thread_answers) {
  service_manager manager{std::chrono::milliseconds{400}};
  const daemon_home home{one_cell};
  auto daemon = daemon_process::ready(home);
  CAF_CHECK(has(manager.wait_for("WATCHDOG=1", 3), "STATUS=Serving 1 cell"));

  pid_t thread = 0;
  CAF_REQUIRE(holds_within(test_timeout, [&] { return (thread = io_thread_of(daemon)) != 0; }));
  {
    const stopped_thread io{thread};
    CAF_CHECK(!manager.wait_for("STATUS=The I/O thread does not answer").empty());
    const std::size_t notified = manager.count("WATCHDOG=1");
    CAF_CHECK(!manager.wait_for("STATUS=The I/O thread does not answer", 4).empty());
    CAF_CHECK_EQUAL(manager.count("WATCHDOG=1"), notified);
  }
  const std::size_t notified = manager.count("WATCHDOG=1");
  CAF_CHECK(!manager.wait_for("WATCHDOG=1", notified + 1).empty());
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}
