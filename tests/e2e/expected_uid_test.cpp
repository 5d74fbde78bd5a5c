#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/run_record.hpp"

#define CAF_SUITE expected_uid
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr uid_t cells_own = 10002;
constexpr uid_t somebody_else = 10003;

}  // namespace

CAF_TEST(the_expected_user_is_served) {
  const daemon_settings settings{.cells = {{.id = "c1", .expected_uid = ::geteuid()}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  const sent_report sent = simulate({.socket = home.socket_of("c1"), .frames = 20});
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("c1"), sent)), "");
}

CAF_TEST(connections_of_any_other_user_are_refused) {
  const daemon_settings settings{.cells = {{.id = "c1", .expected_uid = cells_own}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  if (::geteuid() != 0) {
    CAF_MESSAGE("only root can play several users: what follows is what anybody else sees");
    const std::string line = daemon.wait_for_line(" cell_refused cell=c1 ");
    CAF_CHECK(line.find("cannot give it to expected_uid 10002") != std::string::npos);
    return;
  }
  struct stat given {};
  CAF_REQUIRE_EQUAL(::stat(home.socket_of("c1").c_str(), &given), 0);
  CAF_CHECK_EQUAL(given.st_uid, cells_own);
  // The group is how a later daemon without capabilities finds the file stale.
  CAF_CHECK_EQUAL(given.st_gid, ::getegid());
  CAF_CHECK_EQUAL(given.st_mode & 07777u, 0660u);
  // Where everybody may run it.
  const std::string program = home / "guest-sim";
  std::filesystem::copy_file(program_path("cellos-guest-sim"), program);
  const auto simulation_of = [&](uid_t uid) {
    // Slow enough to notice that the host has closed.
    return simulation{.socket = home.socket_of("c1"),
                      .frames = 40,
                      .further = {"--rate", "100", "--connect-timeout", "100ms"},
                      .uid = uid,
                      .program = program};
  };

  // Whom no file mode keeps out: only SO_PEERCRED shows them.
  simulator root{simulation_of(0)};
  CAF_CHECK_EQUAL(root.wait(), 1);
  const std::string line = daemon.wait_for_line(" connection_refused cell=c1 ");
  CAF_CHECK(line.find("expected_uid") != std::string::npos);
  // Whom the socket's mode keeps out.
  simulator other{simulation_of(somebody_else)};
  CAF_CHECK_EQUAL(other.wait(), 3);
  simulator own{simulation_of(cells_own)};
  const sent_report sent = own.finish();
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(sent.declarations, 40u);
  CAF_CHECK_EQUAL(joined(differences(runs.of("c1"), sent)), "");
}
