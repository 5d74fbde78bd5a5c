// What a parent may leave to the daemon, and what it asks of the kernel: it starts clean, or says why not.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/text/base64.hpp"
#include "tests/support/controlled_daemon.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/files.hpp"
#include "tests/support/memory_search.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE inherited_environment
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

const daemon_settings one_cell{.cells = {{.id = "c1"}}};
/// Nobody else's: the kernel counts a user's threads.
constexpr uid_t some_user = 54'321;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The value of one line of /proc/PID/status.
std::string status_of(const process& child, std::string_view name) {
  std::ifstream in{"/proc/" + std::to_string(child.pid()) + "/status"};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(std::string{name} + ":\t")) return line.substr(name.size() + 2);
  }
  return {};
}

bool api_answers(const daemon_home& home) {
  return holds_within(test_timeout, [&] {
    try {
      http_client client{home.control_socket()};
      return client.get("/readyz").status == 200;
    } catch (const std::exception&) {
      return false;
    }
  });
}

}  // namespace

CAF_TEST(closed_standard_descriptors_let_no_log_line_into_the_evidence) {
  daemon_settings settings = one_cell;
  const daemon_home home;
  settings.tables = home.control_table();
  home.configure(settings);
  daemon_process daemon{home, {.before_exec = [] {
                          for (const int each : {0, 1, 2}) ::close(each);
                        }}};
  CAF_REQUIRE(api_answers(home));
  for (const int each : {0, 1, 2}) {
    const fs::path link = "/proc/" + std::to_string(daemon.pid()) + "/fd/" + std::to_string(each);
    CAF_CHECK_EQUAL(fs::read_symlink(link).string(), "/dev/null");
  }
  CAF_CHECK_EQUAL(simulate({.socket = home.socket_of("c1"), .frames = 20}).declarations, 20u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  // Throws at a line that is no event.
  CAF_CHECK_GREATER(read_events(home.evidence_dir()).size(), 20u);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "cell_admitted"), 0u);
}

CAF_TEST(a_limit_of_file_sizes_blocks_the_log_and_is_reported_and_the_guests_data_comes_after_it) {
  const daemon_home home{{.cells = {{.id = "c1"}}, .evidence = "fsync = 'never'\n"}};
  daemon_process daemon{home, {.before_exec = [] {
                          ::signal(SIGXFSZ, SIG_DFL);
                          const rlimit limit{64 * 1024, RLIM_INFINITY};
                          ::setrlimit(RLIMIT_FSIZE, &limit);
                        }}};
  daemon.wait_for_line(" daemon_ready ");
  simulator guest{{.socket = home.socket_of("c1"), .frames = 3000}};
  CAF_CHECK(has(daemon.wait_for_line(" evidence_blocked "), std::generic_category().message(EFBIG)));
  const rlimit raised{RLIM_INFINITY, RLIM_INFINITY};
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_FSIZE, &raised, nullptr), 0);
  daemon.wait_for_line(" evidence_resumed");
  CAF_CHECK_EQUAL(guest.wait(), 0);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), R"("guestMonotonicNs")"), 3000u);
}

CAF_TEST(a_limit_of_threads_is_a_refusal_with_its_remedy_whichever_thread_it_hits) {
  if (::geteuid() != 0) {
    CAF_MESSAGE("SKIPPED: only root can start a daemon as a user that nobody else is");
    return;
  }
  const daemon_home home{{.tables = "[scheduler]\nthreads = 4\n"}};
  fs::create_directory(home.evidence_dir());
  CAF_REQUIRE_EQUAL(::chown(home.evidence_dir().c_str(), some_user, some_user), 0);
  std::size_t refused = 0;
  for (rlim_t threads = 1; threads <= 40; threads += threads < 8 ? 1 : 4) {
    daemon_process daemon{home, {.uid = some_user, .before_exec = [threads] {
                                   const rlimit limit{threads, threads};
                                   ::setrlimit(RLIMIT_NPROC, &limit);
                                 }}};
    const bool ready = holds_within(test_timeout, [&] {
      return count_lines(daemon.err(), " daemon_ready ") > 0 || count_lines(daemon.err(), "no further thread") > 0;
    });
    CAF_MESSAGE(threads << " threads: " << daemon.err());
    CAF_REQUIRE(ready);
    if (count_lines(daemon.err(), " daemon_ready ") > 0) {
      CAF_CHECK_EQUAL(daemon.stop(), 0);
      break;
    }
    ++refused;
    CAF_CHECK_EQUAL(daemon.wait(), 3);
    CAF_CHECK(has(daemon.err(), "TasksMax="));
    CAF_CHECK(fs::is_empty(home.evidence_dir()));
  }
  CAF_CHECK_GREATER(refused, 8u);
}

CAF_TEST(signals_that_mean_nothing_are_reported_and_end_nothing) {
  const daemon_home home{one_cell};
  auto daemon = daemon_process::ready(home);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT, SIGRTMIN, SIGRTMAX, SIGPIPE,
                           SIGXFSZ, SIGTTIN, SIGTTOU}) {
    daemon.send(signal);
  }
  const std::string first = daemon.wait_for_line(" signal_ignored ");
  CAF_CHECK(has(first, "sender=" + std::to_string(::getpid())));
  CAF_CHECK_EQUAL(simulate({.socket = home.socket_of("c1"), .frames = 20}).declarations, 20u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), R"("guestMonotonicNs")"), 20u);
}

CAF_TEST(quit_drains_as_terminate_does) {
  for (const int signal : {SIGQUIT, SIGXCPU, SIGPWR}) {
    const daemon_home home{one_cell};
    auto daemon = daemon_process::ready(home);
    daemon.send(signal);
    CAF_CHECK_EQUAL(daemon.wait(), 0);
    CAF_CHECK_EQUAL(count_lines(daemon.err(), " daemon_draining "), 1u);
    CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "run.v1.ended"), 1u);
  }
}

CAF_TEST(blocked_and_ignored_signals_of_the_parent_are_not_the_daemons) {
  const daemon_home home{one_cell};
  daemon_process daemon{home, {.before_exec = [] {
                          sigset_t all;
                          ::sigfillset(&all);
                          ::sigprocmask(SIG_SETMASK, &all, nullptr);
                          for (const int each : {SIGTERM, SIGHUP, SIGCHLD}) ::signal(each, SIG_IGN);
                        }}};
  daemon.wait_for_line(" daemon_ready ");
  daemon.reload();
  CAF_CHECK_EQUAL(std::stoull(status_of(daemon, "SigIgn"), nullptr, 16) & (1u << (SIGCHLD - 1)), 0u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(others_get_nothing_whatever_the_umask_and_what_the_parent_took_stays_taken) {
  const daemon_home home{one_cell};
  daemon_process open{home, {.before_exec = [] { ::umask(0); }}};
  open.wait_for_line(" daemon_ready ");
  CAF_CHECK_EQUAL(status_of(open, "Umask"), "0027");
  CAF_CHECK_EQUAL(open.stop(), 0);
  for (const auto& each : fs::recursive_directory_iterator{home.evidence_dir()}) {
    CAF_MESSAGE(each.path().string());
    const auto too_open = fs::perms::others_all | fs::perms::group_write;
    CAF_CHECK(static_cast<unsigned>(each.status().permissions() & too_open) == 0);
  }
  daemon_process closed{home, {.before_exec = [] { ::umask(0077); }}};
  closed.wait_for_line(" daemon_ready ");
  CAF_CHECK_EQUAL(status_of(closed, "Umask"), "0077");
  CAF_CHECK_EQUAL(closed.stop(), 0);
}

CAF_TEST(a_stray_variable_does_not_lead_openssl_to_another_configuration) {
  const daemon_home home;
  const std::string file = home / "signing.key";
  process keygen{
      {program_path("cellos-telemetryctl"), {"keygen", "--alg", "ecdsa-p256-sha256", "--kid", "k", "--out", file}}};
  CAF_REQUIRE_EQUAL(keygen.wait(), 0);
  static std::string stray;
  stray = home / "openssl.cnf";
  // Nothing but the provider that has nothing.
  std::ofstream{stray} << "openssl_conf = init\n[init]\nproviders = all\n[all]\nnull = one\n[one]\nactivate = 1\n";
  daemon_settings settings = one_cell;
  settings.tables = "[signing]\nalg = 'ecdsa-p256-sha256'\nkid = 'k'\nkey_file = '" + file + "'\n";
  home.configure(settings);
  daemon_process daemon{home, {.before_exec = [] { ::setenv("OPENSSL_CONF", stray.c_str(), 1); }}};
  daemon.wait_for_line(" daemon_ready ");
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(a_crash_leaves_no_core_and_no_user_can_look_into_the_daemon) {
  const daemon_home home{one_cell};
  daemon_process daemon{home, {.before_exec = [] {
                          const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
                          ::setrlimit(RLIMIT_CORE, &limit);
                        }}};
  daemon.wait_for_line(" daemon_ready ");
  rlimit core{1, 1};
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_CORE, nullptr, &core), 0);
  CAF_CHECK_EQUAL(core.rlim_cur + core.rlim_max, 0u);
  struct stat memory {};
  CAF_REQUIRE_EQUAL(::stat(("/proc/" + std::to_string(daemon.pid()) + "/mem").c_str(), &memory), 0);
  CAF_CHECK_EQUAL(memory.st_uid, 0u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(a_key_is_nowhere_in_memory_but_where_no_core_dump_reaches) {
  if (::geteuid() != 0) {
    CAF_MESSAGE("SKIPPED: only root can look into the daemon's memory");
    return;
  }
  for (const std::string algorithm : {"ed25519", "hmac-sha256", "ecdsa-p256-sha256"}) {
    CAF_MESSAGE(algorithm);
    const daemon_home home;
    const std::string file = home / "signing.key";
    process keygen{{program_path("cellos-telemetryctl"), {"keygen", "--alg", algorithm, "--kid", "k", "--out", file}}};
    CAF_REQUIRE_EQUAL(keygen.wait(), 0);
    daemon_settings settings = one_cell;
    settings.tables = "[signing]\nalg = '" + algorithm + "'\nkid = 'k'\nkey_file = '" + file + "'\n";
    home.configure(settings);
    auto daemon = daemon_process::ready(home);
    CAF_CHECK_EQUAL(simulate({.socket = home.socket_of("c1"), .frames = 200}).declarations, 200u);
    daemon.reload();
    std::string text = content_of(file);
    text.resize(text.find_last_not_of('\n') + 1);
    std::array<std::uint8_t, 64> raw{};
    const auto length = decode_any_base64(text, raw);
    CAF_REQUIRE(length.has_value());
    // What the search must be able to find.
    CAF_CHECK_GREATER(copies_in_memory(daemon.pid(), std::string_view{home.host_id}), 0u);
    CAF_CHECK_EQUAL(copies_in_memory(daemon.pid(), text), 0u);
    std::string bytes{reinterpret_cast<const char*>(raw.data()), *length};
    CAF_CHECK_EQUAL(copies_in_memory(daemon.pid(), bytes), 0u);
    // As OpenSSL keeps numbers.
    std::reverse(bytes.begin(), bytes.end());
    CAF_CHECK_EQUAL(copies_in_memory(daemon.pid(), bytes), 0u);
    CAF_CHECK_EQUAL(daemon.stop(), 0);
  }
}

CAF_TEST(a_key_in_the_environment_is_taken_out_of_it_and_still_signs_after_a_reload) {
  const daemon_home home{one_cell};
  static const std::string key = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s";
  daemon_process daemon{home, {.before_exec = [] {
                          ::setenv("CELLOS_HOST_TELEMETRY_SIGN_ALG", "ed25519", 1);
                          ::setenv("CELLOS_HOST_TELEMETRY_SIGN_KID", "k", 1);
                          ::setenv("CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY", key.c_str(), 1);
                        }}};
  daemon.wait_for_line(" daemon_ready ");
  daemon.reload();
  CAF_CHECK(!has(content_of("/proc/" + std::to_string(daemon.pid()) + "/environ"), key));
  if (::geteuid() == 0) CAF_CHECK_EQUAL(copies_in_memory(daemon.pid(), key), 0u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_GREATER(count_in_log(home.evidence_dir(), "dssematerial"), 0u);
}
