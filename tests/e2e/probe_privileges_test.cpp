// The real daemon: who has the probes' capabilities once it has begun.
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/os/capabilities.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/process_status.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE probe_privileges
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr capability_set of_probes = capability(CAP_NET_ADMIN) | capability(CAP_SYS_ADMIN) | capability(CAP_SYS_PTRACE);
constexpr uid_t nobody = 65534;

constexpr std::array<const char*, 5> all_sets{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

std::string probes_table(const std::string& who) {
  return "[probes]\nperiod = '300ms'\ntimeout = '250ms'\nwitness_window = '1s'\nprivileged_reader = '" + who + "'\n";
}

bool may_give_capabilities() {
  if ((present_capabilities().permitted & of_probes) == of_probes && ::geteuid() == 0) return true;
  CAF_MESSAGE("skipped: it needs the capabilities of root");
  return false;
}

/// The reader's two halves.
struct both_halves {
  pid_t keeper = 0;
  pid_t answerer = 0;
};

both_halves reader_of(pid_t daemon) {
  both_halves found;
  const bool are_there = holds_within(test_timeout, [&] {
    const auto children = children_of(daemon);
    if (children.size() != 1) return false;
    const auto grandchildren = children_of(children.front());
    if (grandchildren.size() != 1) return false;
    found = {children.front(), grandchildren.front()};
    return status_of(found.answerer, "Name") == "cellos-reader" && capabilities_of(found.answerer, "CapEff") != 0;
  });
  if (!are_there) throw std::runtime_error{"the daemon has no reader"};
  return found;
}

/// As systemd has one of that user begin, with these capabilities and no others.
command as_nobody_with(capability_set given) {
  return {.before_exec = [given] {
    ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    (void)::syscall(SYS_setresgid, nobody, nobody, nobody);
    (void)::syscall(SYS_setresuid, nobody, nobody, nobody);
    (void)set_capabilities({given, given, 0});
    keep_over_exec(given);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  }};
}

/// As a unit does whose SystemCallFilter has no capset.
void forbid_capset() {
  std::array program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0);
}

void give_to_nobody(const daemon_home& home) {
  (void)shell("chown -R " + std::to_string(nobody) + " " +
              std::filesystem::path{home.configuration_file()}.parent_path().string());
}

}  // namespace

CAF_TEST(once_it_has_begun_the_daemon_has_none_of_them_and_its_reader_exactly_these) {
  if (!may_give_capabilities()) return;
  const daemon_home home{{.cells = {{.id = "c"}}, .tables = probes_table("always")}};
  auto daemon = daemon_process::ready(home);
  CAF_CHECK(
      daemon.err().find(" privileged_reader_started capabilities=\"CAP_NET_ADMIN CAP_SYS_PTRACE CAP_SYS_ADMIN\"") !=
      std::string::npos);
  for (const char* set : all_sets) CAF_CHECK_EQUAL(capabilities_of(daemon.pid(), set) & of_probes, 0u);
  // In each of its threads.
  for (const auto& task : std::filesystem::directory_iterator{proc_path(daemon.pid(), "task")}) {
    const auto thread = static_cast<pid_t>(std::stol(task.path().filename().string()));
    CAF_CHECK_EQUAL(capabilities_of(thread, "CapPrm") & of_probes, 0u);
  }
  CAF_CHECK_EQUAL(status_of(daemon.pid(), "NoNewPrivs"), "1");
  const both_halves reader = reader_of(daemon.pid());
  CAF_CHECK_EQUAL(capabilities_of(reader.keeper, "CapPrm"), of_probes);
  CAF_CHECK_EQUAL(capabilities_of(reader.keeper, "CapEff"), 0u);
  CAF_CHECK_EQUAL(capabilities_of(reader.answerer, "CapPrm"), of_probes);
  CAF_CHECK_EQUAL(capabilities_of(reader.answerer, "CapEff"), of_probes);
  for (const pid_t each : {reader.keeper, reader.answerer}) {
    for (const char* set : {"CapInh", "CapBnd", "CapAmb"}) CAF_CHECK_EQUAL(capabilities_of(each, set), 0u);
    CAF_CHECK_EQUAL(status_of(each, "NoNewPrivs"), "1");
    CAF_CHECK_EQUAL(status_of(each, "Seccomp"), "2");
    CAF_CHECK(content_of(proc_path(each, "environ")).empty());
    for (const auto& open : std::filesystem::directory_iterator{proc_path(each, "fd")}) {
      CAF_CHECK(std::stoi(open.path().filename().string()) < 8);
    }
  }
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK(!is_running(reader.keeper));
  CAF_CHECK(holds_within(test_timeout, [&] { return !is_running(reader.answerer); }));
}

CAF_TEST(the_reader_ends_with_a_daemon_that_is_killed) {
  if (!may_give_capabilities()) return;
  const daemon_home home{{.cells = {{.id = "c"}}, .tables = probes_table("always")}};
  auto daemon = daemon_process::ready(home);
  const both_halves reader = reader_of(daemon.pid());
  daemon.send(SIGKILL);
  (void)daemon.wait();
  CAF_CHECK(holds_within(test_timeout, [&] { return !is_running(reader.keeper) && !is_running(reader.answerer); }));
}

CAF_TEST(a_daemon_that_is_not_root_reads_a_table_of_another_namespace_and_has_no_capability_for_it) {
  const network_test_namespace network;
  if (!may_give_capabilities() || !network ||
      !network.run("sh -c 'nft add table inet cell1 && nft add counter inet cell1 syn'")) {
    CAF_MESSAGE("skipped: no nftables table can be made here");
    return;
  }
  const daemon_home home;
  home.configure({.tables = probes_table("auto") + "[[cell]]\nid = 'c'\nrun_id = 'r'\nvsock_uds_base = '" +
                            (home / "c").string() + "'\nspec_signature_hash = 's'\nnft_table = 'inet cell1'\n" +
                            "tap = 'cfc-tap'\nnetwork_namespace = '" + network.path() + "'\n"});
  give_to_nobody(home);
  daemon_process daemon{home, as_nobody_with(of_probes)};
  daemon.wait_for_line(" daemon_ready ");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CAF_CHECK_EQUAL(capabilities_of(daemon.pid(), set), 0u);
  }
  CAF_CHECK_EQUAL(status_of(daemon.pid(), "NoNewPrivs"), "1");
  CAF_CHECK_EQUAL(capabilities_of(reader_of(daemon.pid()).answerer, "CapEff"), of_probes);
  const auto count = [&](const char* what) { return count_in_log(home.evidence_dir(), what); };
  CAF_CHECK(holds_within(test_timeout,
                         [&] { return count(R"("name":"syn")") > 0 && count(R"("interface":"cfc-tap")") > 0; }));
  // One that hangs, and one that is killed: what it reads goes on, and each is said.
  ::kill(reader_of(daemon.pid()).answerer, SIGSTOP);
  daemon.wait_for_line(" privileged_reader_failed ");
  daemon.wait_for_line(" privileged_reader_started ", 2);
  const auto before = count(R"("name":"syn")");
  ::kill(reader_of(daemon.pid()).answerer, SIGKILL);
  daemon.wait_for_line(" privileged_reader_started ", 3);
  CAF_CHECK(holds_within(test_timeout, [&] { return count(R"("name":"syn")") > before; }));
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " privileged_reader_failed "), 2u);
}

CAF_TEST(how_another_users_vmm_ended_is_known_through_the_reader) {
  if (!may_give_capabilities()) return;
  const daemon_home home;
  home.configure({.tables = probes_table("auto") + "record = ['process']\n[[cell]]\nid = 'c'\nrun_id = 'r'\n" +
                            "vsock_uds_base = '" + (home / "c").string() + "'\nspec_signature_hash = 's'\n"});
  give_to_nobody(home);
  daemon_process daemon{home, as_nobody_with(capability(CAP_SYS_PTRACE))};
  daemon.wait_for_line(" daemon_ready ");
  // Of root, as we are; not reaped before it is waited for.
  simulator vmm{{.socket = home.socket_of("c"),
                 .frames = 6,
                 .scenario = "silent-after-N",
                 .further = {"--silent-after", "5", "--hold", "10m"}}};
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), R"("alive":true)") > 0; }));
  vmm.send(SIGKILL);
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), R"("signal":9)") > 0; }));
  (void)vmm.wait();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(there_is_no_reader_where_nothing_needs_one_and_none_where_none_is_wanted) {
  const daemon_home home{{.cells = {{.id = "c"}}, .tables = probes_table("auto")}};
  auto daemon = daemon_process::ready(home);
  CAF_CHECK(children_of(daemon.pid()).empty() || ::geteuid() != 0);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  if (!may_give_capabilities()) return;
  home.configure({.cells = {{.id = "c"}}, .tables = probes_table("never")});
  give_to_nobody(home);
  daemon_process unwanted{home, as_nobody_with(of_probes)};
  unwanted.wait_for_line(" daemon_ready ");
  CAF_CHECK(children_of(unwanted.pid()).empty());
  CAF_CHECK_EQUAL(capabilities_of(unwanted.pid(), "CapEff"), of_probes);
  CAF_CHECK_EQUAL(unwanted.stop(), 0);
}

CAF_TEST(where_capabilities_cannot_be_given_up_it_says_so_and_starts_only_if_it_may_do_without) {
  if (!may_give_capabilities()) return;
  const daemon_home home{{.cells = {{.id = "c"}}, .tables = probes_table("auto")}};
  give_to_nobody(home);
  command unlet = as_nobody_with(capability(CAP_NET_ADMIN));
  unlet.before_exec = [become = unlet.before_exec] {
    become();
    forbid_capset();
  };
  daemon_process lenient{home, unlet};
  lenient.wait_for_line(" daemon_ready ");
  CAF_CHECK(lenient.err().find("SystemCallFilter=capset") != std::string::npos);
  CAF_CHECK(children_of(lenient.pid()).empty());
  CAF_CHECK_EQUAL(lenient.stop(), 0);
  home.configure({.cells = {{.id = "c"}}, .tables = probes_table("always")});
  give_to_nobody(home);
  daemon_process strict{home, unlet};
  CAF_CHECK_EQUAL(strict.wait(), 3);
  CAF_CHECK(strict.err().find("cannot give up the probes' capabilities: ") != std::string::npos);
  // And one that has nothing to give.
  daemon_process poor{home, as_nobody_with(0)};
  CAF_CHECK_EQUAL(poor.wait(), 3);
  CAF_CHECK(poor.err().find("config/systemd/examples/probes.conf") != std::string::npos);
}
