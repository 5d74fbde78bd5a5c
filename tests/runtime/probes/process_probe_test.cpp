#include "runtime/probes/process_probe.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "runtime/probes/peer_probe.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE process_probe
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::inputs_of;
using cellos::test::outcome;
using cellos::test::output_of;
using cellos::test::turn;

namespace {

/// A process of ours that does one thing, and waits if that returns.
class child {
 public:
  explicit child(const std::function<void()>& what) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    what();
    for (;;) ::pause();
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    end(SIGKILL);
    reap();
  }

  pid_t pid() const { return pid_; }
  void end(int signal) const {
    if (!reaped_) ::kill(pid_, signal);
  }
  void reap() {
    if (!std::exchange(reaped_, true)) ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

process_probe probe_of(const child& process) {
  auto found = process_with_pid(process.pid());
  if (!found) throw std::runtime_error{found.error().words};
  return process_probe{std::move(*found)};
}

bool ends(process_probe& probe) {
  return test::holds_within(test::test_timeout, [&] { return output_of(probe.read(turn(1))).at("alive") == false; });
}

}  // namespace

CAF_TEST(a_live_process_is_as_proc_says) {
  child vmm{[] {}};
  auto probe = probe_of(vmm);
  const auto reading = probe.read(turn(1));
  const auto output = output_of(reading);
  CAF_CHECK(output.at("alive") == true);
  CAF_CHECK(output.at("threads") == 1);
  CAF_CHECK(output.at("uid") == ::getuid());
  CAF_CHECK(test::count_in(output, "residentBytes") > 0);
  CAF_CHECK(inputs_of(reading).at("pid") == vmm.pid());
  CAF_CHECK(test::is_canonical(reading->output));
  CAF_CHECK(test::is_canonical(reading->inputs));
  CAF_CHECK(!reading->host_received_at);
}

CAF_TEST(how_a_process_ended_is_seen_until_its_parent_has_reaped_it_and_remembered) {
  child killed{[] {}};
  auto probe = probe_of(killed);
  killed.end(SIGKILL);
  CAF_REQUIRE(ends(probe));
  CAF_CHECK(output_of(probe.read(turn(2))).at("ended") == "signalled");
  CAF_CHECK(output_of(probe.read(turn(2))).at("signal") == SIGKILL);
  killed.reap();
  CAF_CHECK(output_of(probe.read(turn(3))).at("ended") == "signalled");
}

CAF_TEST(an_exit_code_is_reported_and_zero_is_one) {
  for (const int code : {0, 148}) {
    child exits{[code] {
      ::raise(SIGSTOP);
      ::_exit(code);
    }};
    auto probe = probe_of(exits);
    // Lets it begin first, whatever is scheduled when.
    CAF_REQUIRE(
        test::holds_within(test::test_timeout, [&] { return output_of(probe.read(turn(1))).at("state") == "T"; }));
    exits.end(SIGCONT);
    CAF_REQUIRE(ends(probe));
    const auto output = output_of(probe.read(turn(2)));
    CAF_CHECK(output.at("ended") == "exited");
    CAF_CHECK(output.at("exitCode") == code);
  }
}

CAF_TEST(one_that_was_reaped_before_anybody_looked_has_ended_nobody_knows_how) {
  child gone{[] {}};
  auto probe = probe_of(gone);
  gone.end(SIGTERM);
  gone.reap();
  const auto output = output_of(probe.read(turn(1)));
  CAF_CHECK(output.at("alive") == false);
  CAF_CHECK(output.at("ended") == "unknown");
  CAF_CHECK_EQUAL(outcome(process_with_pid(gone.pid())), "io");
}

CAF_TEST(the_peer_of_a_connection_is_the_process_that_connected) {
  test::temporary_directory dir;
  const std::string path = dir / "s";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  const file_descriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  CAF_REQUIRE_EQUAL(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  CAF_REQUIRE_EQUAL(::listen(listener.get(), 1), 0);
  child vmm{[&] {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(1);
  }};
  const file_descriptor connection{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  auto peer = peer_process(connection.get());
  CAF_REQUIRE(peer);
  CAF_CHECK_EQUAL(peer->identity.pid, vmm.pid());
  CAF_CHECK(peer->identity == process_with_pid(vmm.pid())->identity);
  CAF_CHECK(!has_ended(*peer));
  CAF_MESSAGE("named by " << (peer->named_by_pidfd ? "its pidfd" : "its credentials"));
  process_probe probe{std::move(*peer)};
  CAF_CHECK(output_of(probe.read(turn(1))).at("alive") == true);
  vmm.end(SIGKILL);
  CAF_REQUIRE(ends(probe));
  vmm.reap();
  CAF_CHECK(output_of(probe.read(turn(2))).at("signal") == SIGKILL);
  CAF_CHECK_EQUAL(outcome(peer_process(connection.get())), "io");
}

CAF_TEST(whom_nobody_can_look_at_for_want_of_descriptors_has_not_ended) {
  child vmm{[] {}};
  peer_probe probe;
  probe.connected({vmm.pid(), {}, false, {}});
  const auto read_without_descriptors = [&](std::uint64_t number) {
    rlimit usual{};
    ::getrlimit(RLIMIT_NOFILE, &usual);
    const rlimit none{0, usual.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto result = outcome(probe.read(turn(number)));
    ::setrlimit(RLIMIT_NOFILE, &usual);
    return result;
  };
  const std::string first = read_without_descriptors(1);
  CAF_CHECK_EQUAL(first, "io");
  CAF_CHECK(output_of(probe.read(turn(2))).at("alive") == true);
  const std::string later = read_without_descriptors(3);
  CAF_CHECK_EQUAL(later, "io");
  CAF_CHECK(output_of(probe.read(turn(4))).at("alive") == true);
}

CAF_TEST(a_pid_that_came_again_is_another_process) {
  // No pid can be made to come again here in time: a tree with another start time behind the same name stands for it.
  test::temporary_directory proc;
  child vmm{[] {}};
  const auto dir = proc.path() / std::to_string(vmm.pid());
  std::filesystem::create_directory(dir);
  std::string stat = test::content_of("/proc/" + std::to_string(vmm.pid()) + "/stat");
  test::write_file(dir / "stat", stat);
  test::write_file(dir / "status", test::content_of("/proc/" + std::to_string(vmm.pid()) + "/status"));
  auto found = process_with_pid(vmm.pid(), proc.path().string());
  CAF_REQUIRE(found);
  const std::string start = std::to_string(found->identity.start_ticks);
  process_probe probe{std::move(*found)};
  CAF_CHECK(output_of(probe.read(turn(1))).at("alive") == true);
  stat.replace(stat.find(start), start.size(), start + "1");
  test::write_file(dir / "stat", stat);
  CAF_CHECK(output_of(probe.read(turn(2))).at("alive") == false);
}

CAF_TEST(files_of_another_form_are_errors_and_the_next_reading_may_be_one) {
  test::temporary_directory proc;
  child vmm{[] {}};
  const auto dir = proc.path() / std::to_string(vmm.pid());
  std::filesystem::create_directory(dir);
  const std::string stat = test::content_of("/proc/" + std::to_string(vmm.pid()) + "/stat");
  test::write_file(dir / "stat", stat);
  test::write_file(dir / "status", "Uid:\t0\n");
  auto found = process_with_pid(vmm.pid(), proc.path().string());
  CAF_REQUIRE(found);
  process_probe probe{std::move(*found)};
  test::write_file(dir / "stat", "half");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(1))), "malformed_source");
  test::write_file(dir / "stat", std::string(100'000, 'x'));
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2))), "malformed_source");
  test::write_file(dir / "stat", stat);
  CAF_CHECK_EQUAL(outcome(probe.read(turn(3))), "a reading");
}
