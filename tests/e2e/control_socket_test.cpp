#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/raw_guest.hpp"

#define CAF_SUITE control_socket
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat there {};
  CAF_REQUIRE_EQUAL(::lstat(path.c_str(), &there), 0);
  return there.st_mode & 07777;
}

/// Why a daemon does not start whose control socket's path is taken.
std::string refusal_at(const daemon_home& home) {
  home.configure({.tables = home.control_table()});
  daemon_process daemon{home};
  CAF_CHECK_EQUAL(daemon.wait(), 3);
  return daemon.err();
}

}  // namespace

CAF_TEST(the_socket_is_its_owners_and_groups) {
  controlled_daemon host;
  CAF_CHECK_EQUAL(mode_of(host.home().control_socket()), 0660u);
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  CAF_CHECK(!fs::exists(host.home().control_socket()));
  controlled_daemon open{{.tables = "mode = '0600'\n"}};
  CAF_CHECK_EQUAL(mode_of(open.home().control_socket()), 0600u);
}

CAF_TEST(a_dead_daemons_socket_is_replaced_and_nothing_else_is) {
  {
    const daemon_home home;
    { const auto stale = listen_at(home.control_socket()); }
    CAF_REQUIRE(fs::is_socket(home.control_socket()));
    home.configure({.tables = home.control_table()});
    auto daemon = daemon_process::ready(home);
    CAF_CHECK_EQUAL(http_client{home.control_socket()}.get("/healthz").status, 200);
    CAF_CHECK_EQUAL(daemon.stop(), 0);
  }
  {
    const daemon_home home;
    const auto live = listen_at(home.control_socket());
    CAF_CHECK(refusal_at(home).find("another process listens there") != std::string::npos);
    CAF_CHECK(accepts_connections(home.control_socket()));
  }
  {
    const daemon_home home;
    std::ofstream{home.control_socket()} << "precious";
    CAF_CHECK(refusal_at(home).find("is not a socket") != std::string::npos);
    CAF_CHECK_EQUAL(fs::file_size(home.control_socket()), 8u);
  }
  {
    const daemon_home home;
    fs::create_symlink("elsewhere", home.control_socket());
    CAF_CHECK(refusal_at(home).find("is a symbolic link") != std::string::npos);
    CAF_CHECK(fs::is_symlink(home.control_socket()));
  }
}

CAF_TEST(only_uids_that_are_allowed_are_served) {
  if (::geteuid() != 0) {
    CAF_MESSAGE("only root can play several users");
    return;
  }
  constexpr uid_t allowed = 10002;
  constexpr uid_t other = 10003;
  controlled_daemon host{{.tables = "mode = '0666'\nallow_uids = [10002]\n"}};
  // Where everybody may run it.
  const std::string program = host.home() / "ctl";
  fs::copy_file(program_path("cellos-telemetryctl"), program);
  const auto cells_as = [&](uid_t uid) {
    process ctl{{program, {"cells", "--socket", host.home().control_socket()}, uid}};
    const int code = ctl.wait();
    return std::pair{code, ctl.err()};
  };
  CAF_CHECK_EQUAL(cells_as(allowed).first, 0);
  const auto refused = cells_as(other);
  CAF_CHECK_EQUAL(refused.first, 1);
  CAF_CHECK(refused.second.find("allow_uids") != std::string::npos);
  CAF_CHECK_EQUAL(host.client().get("/cells").status, 200);
}

CAF_TEST(an_owner_who_does_not_exist_is_a_reason_not_to_start) {
  const daemon_home home;
  home.configure({.tables = home.control_table() + "group = 'no-such-group'\n"});
  daemon_process daemon{home};
  CAF_CHECK_EQUAL(daemon.wait(), 3);
  CAF_CHECK(daemon.err().find("there is no group no-such-group") != std::string::npos);
}
