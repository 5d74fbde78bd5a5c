#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE socket_binding
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

/// `_9001` behind it makes 107 bytes, which is all that the kernel takes.
constexpr std::size_t longest_base = 102;

bool is_there(const fs::path& path) { return fs::symlink_status(path).type() != fs::file_type::not_found; }

/// Sends a few frames, and answers with what the host must have got.
sent_report serve(const daemon_home& home, const cell_settings& cell) {
  return simulate({.socket = home.socket_of(cell), .frames = 20});
}

std::string refusal_of(const daemon_process& daemon, std::string_view cell_id) {
  return daemon.wait_for_line(" cell_refused cell=" + std::string{cell_id} + " ");
}

bool has(std::string_view line, std::string_view part) { return line.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST(an_admitted_cell_accepts_connections_as_soon_as_it_is_reported) {
  daemon_settings settings;
  for (int i = 0; i < 40; ++i) settings.cells.push_back({.id = "c" + std::to_string(i)});
  const daemon_home home{settings};
  daemon_process daemon{home};
  for (const auto& cell : settings.cells) {
    daemon.wait_for_line(" cell_admitted cell=" + cell.id + " ");
    CAF_CHECK(accepts_connections(home.socket_of(cell)));
  }
  daemon.wait_for_line(" daemon_ready cells=40 refused=0");
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(a_stale_socket_file_is_replaced) {
  const daemon_settings settings{.cells = {{.id = "left-behind"}, {.id = "killed"}}};
  const daemon_home home{settings};
  listen_at(home.socket_of("left-behind")).reset();
  CAF_REQUIRE(is_there(home.socket_of("left-behind")));
  {
    auto killed = daemon_process::ready(home);
    killed.send(SIGKILL);
    CAF_CHECK_EQUAL(killed.wait(), 128 + SIGKILL);
    CAF_CHECK(!accepts_connections(home.socket_of("killed")));
  }
  auto daemon = daemon_process::ready(home);
  for (const auto& cell : settings.cells) CAF_CHECK_EQUAL(serve(home, cell).declarations, 20u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), R"("guestMonotonicNs")"), 40u);
}

CAF_TEST(a_cell_that_cannot_be_bound_is_refused_with_its_reason_and_the_others_are_served) {
  const daemon_settings settings{.cells = {{.id = "a-good"},
                                           {.id = "live"},
                                           {.id = "file"},
                                           {.id = "link"},
                                           {.id = "no-dir", .vsock_uds_base = "/nonexistent/v.sock"},
                                           {.id = "z-good"}}};
  const daemon_home home{settings};
  const file_descriptor live = listen_at(home.socket_of("live"));
  write_file(home.socket_of("file"), "precious");
  const file_descriptor target = listen_at(home / "target");
  fs::create_symlink(home / "target", home.socket_of("link"));

  auto daemon = daemon_process::ready(home);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " daemon_ready cells=2 refused=4"), 1u);
  const auto check_refusal = [&](const cell_settings& cell, std::string_view reason) {
    const std::string line = refusal_of(daemon, cell.id);
    CAF_MESSAGE(line);
    CAF_CHECK(has(line, "bind_failed: " + home.socket_of(cell) + ": "));
    CAF_CHECK(has(line, reason));
  };
  check_refusal(settings.cells[1], "another process listens there");
  check_refusal(settings.cells[2], "is not a socket");
  check_refusal(settings.cells[3], "is a symbolic link");
  check_refusal(settings.cells[4], "its directory does not exist");
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " cell_admitted "), 2u);
  const sent_report first = serve(home, settings.cells[0]);
  const sent_report last = serve(home, settings.cells[5]);
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  CAF_CHECK(accepts_connections(home.socket_of("live")));
  CAF_CHECK_EQUAL(content_of(home.socket_of("file")), "precious");
  CAF_CHECK(fs::is_symlink(home.socket_of("link")));
  const run_records runs{home.evidence_dir(), {settings.cells[0], settings.cells[5]}};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("a-good"), first)), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("z-good"), last)), "");
}

CAF_TEST(a_path_that_no_socket_can_have_is_an_error_in_the_configuration) {
  const daemon_home home;
  std::string longest = home / "x";
  longest.resize(longest_base, 'x');
  home.configure({.cells = {{.id = "c1", .vsock_uds_base = longest + "x"}}});
  daemon_process daemon{home};
  CAF_CHECK_EQUAL(daemon.wait(), 3);
  CAF_MESSAGE(daemon.err());
  CAF_CHECK(has(daemon.err(), home.configuration_file() + ":"));
  CAF_CHECK(has(daemon.err(), "vsock_uds_base"));
  CAF_CHECK(!is_there(home.evidence_dir()));

  home.configure({.cells = {{.id = "c1", .vsock_uds_base = longest}}});
  auto fits = daemon_process::ready(home);
  CAF_CHECK(accepts_connections(longest + "_9001"));
  CAF_CHECK_EQUAL(fits.stop(), 0);
  CAF_CHECK(!is_there(longest + "_9001"));
}

CAF_TEST(a_stopped_daemon_removes_its_socket_files_and_nobody_elses) {
  const daemon_settings settings{.cells = {{.id = "own"}, {.id = "vanished"}, {.id = "file"}, {.id = "taken"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  fs::remove(home.socket_of("vanished"));
  fs::remove(home.socket_of("file"));
  write_file(home.socket_of("file"), "precious");
  fs::remove(home.socket_of("taken"));
  const file_descriptor taken = listen_at(home.socket_of("taken"));
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK(!is_there(home.socket_of("own")));
  CAF_CHECK(!is_there(home.socket_of("vanished")));
  CAF_CHECK_EQUAL(content_of(home.socket_of("file")), "precious");
  CAF_CHECK(accepts_connections(home.socket_of("taken")));
}

CAF_TEST(a_refused_cell_is_bound_on_reload_once_the_obstacle_is_gone) {
  const daemon_settings settings{.cells = {{.id = "good"}, {.id = "blocked"}}};
  const daemon_home home{settings};
  write_file(home.socket_of("blocked"), "in the way");
  auto daemon = daemon_process::ready(home);
  refusal_of(daemon, "blocked");
  raw_guest lasting{home.socket_of("good")};
  lasting.write_frames(1);

  daemon.reload();
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " reloaded cells=1 refused=1"), 1u);
  fs::remove(home.socket_of("blocked"));
  daemon.reload();
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " reloaded cells=2 refused=0"), 1u);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " cell_admitted cell=blocked "), 1u);
  const sent_report sent = serve(home, settings.cells[1]);
  // The connection has survived both reloads.
  lasting.write_frames(9);
  lasting.close();
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("blocked"), sent)), "");
  CAF_CHECK_EQUAL(runs.of("good").declarations, 10u);
  CAF_CHECK_EQUAL(runs.of("good").totals->connections, 1u);
}

CAF_TEST(a_bad_file_on_reload_changes_nothing) {
  const daemon_settings settings{.cells = {{.id = "c1"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  home.write_configuration("host_id = \"x\"\nno_such_key = 1\n");
  daemon.send(SIGHUP);
  const std::string line = daemon.wait_for_line(home.configuration_file() + ":2:");
  CAF_CHECK(has(line, " reload_refused "));
  CAF_CHECK(has(line, "no_such_key"));
  CAF_CHECK_EQUAL(serve(home, settings.cells[0]).declarations, 20u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
}

CAF_TEST(a_reload_retires_cells_that_are_gone_and_replaces_cells_that_changed) {
  const daemon_settings before{.cells = {{.id = "stays"}, {.id = "goes"}, {.id = "moves"}}};
  const daemon_home home{before};
  auto daemon = daemon_process::ready(home);
  const std::string new_base = home / "elsewhere";
  home.configure({.cells = {{.id = "stays"}, {.id = "moves", .vsock_uds_base = new_base}}});
  daemon.reload();
  CAF_CHECK(accepts_connections(home.socket_of("stays")));
  CAF_CHECK(!is_there(home.socket_of("goes")));
  CAF_CHECK(!is_there(home.socket_of("moves")));
  CAF_CHECK(accepts_connections(new_base + "_9001"));
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " cell_retired cell=goes "), 1u);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const auto log = read_events(home.evidence_dir());
  CAF_CHECK_EQUAL(events_of(log, "stays", "run.v1.started").size(), 1u);
  CAF_CHECK_EQUAL(events_of(log, "goes", "run.v1.ended").size(), 1u);
  CAF_CHECK_EQUAL(events_of(log, "moves", "run.v1.started").size(), 2u);
  CAF_CHECK_EQUAL(events_of(log, "moves", "run.v1.ended").size(), 2u);
}
