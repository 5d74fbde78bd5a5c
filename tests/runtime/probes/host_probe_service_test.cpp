#include "runtime/probes/host_probe_service.hpp"

#include <poll.h>
#include <signal.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <sstream>

#include <nlohmann/json.hpp>

#include "runtime/os/system_clocks.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE host_probe_service
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// A process that connects a socket and stays.
class connected_process {
 public:
  connected_process(const std::string& path, const file_descriptor& listening) : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const raw_guest guest{path};
      for (;;) ::pause();
    }
    pollfd coming{listening.get(), POLLIN, 0};
    ::poll(&coming, 1, -1);
    accepted_ = file_descriptor{::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  }
  connected_process(const connected_process&) = delete;
  connected_process& operator=(const connected_process&) = delete;
  ~connected_process() { end(SIGKILL, true); }

  int connection() const { return accepted_.get(); }
  /// Not reaped: its parent has yet to look, as an orchestrator has.
  void end(int signal, bool reap) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    siginfo_t gone{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &gone, WEXITED | WNOWAIT);
    if (!reap) return;
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  file_descriptor accepted_;
};

struct fixture {
  fixture() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(operator_log);
    events = std::make_unique<operator_events>(std::make_shared<spdlog::logger>("test", sink), log_format::text);
    cell.cell_id = "cell-1";
    cell.run_id = "run-1";
    settings.period = 200ms;
    settings.timeout = 100ms;
  }

  void start() {
    service = std::make_unique<host_probe_service>(settings, system_wall_clock(), *events);
    service->attach(1, [this](const host_stamp_ptr& of, probe_reading_ptr reading) {
      const std::lock_guard hold{guard};
      heard.emplace_back(of->run_id, *reading);
    });
  }
  void watch() { service->watch(run, cell, board); }
  std::size_t heard_of(host_probe probe) {
    const std::lock_guard hold{guard};
    return static_cast<std::size_t>(
        std::count_if(heard.begin(), heard.end(), [&](const auto& each) { return each.second.probe_source == probe; }));
  }
  std::optional<vmm_state> vmm() const {
    const auto seen = board->read();
    return seen.vmm ? std::optional{seen.vmm->state} : std::nullopt;
  }

  temporary_directory dir;
  std::string path = dir / "v.sock_9001";
  file_descriptor listening = listen_at(path);
  std::ostringstream operator_log;
  std::unique_ptr<operator_events> events;
  probe_settings settings;
  cell_specification cell;
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"h", "cell-1", "run-1", "s"});
  sighting_board_ptr board = std::make_shared<sighting_board>();
  std::mutex guard;
  std::vector<std::pair<std::string, probe_reading>> heard;
  std::unique_ptr<host_probe_service> service;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_probe_service_tests, fixture)

CAF_TEST(the_vmm_is_known_from_its_connection_without_configuration_and_nothing_is_put_on_record) {
  start();
  watch();
  CAF_CHECK(!vmm());
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
  CAF_CHECK(holds_within(test_timeout, [&] { return board->read().cpu_moving.has_value(); }));
  CAF_CHECK_EQUAL(heard_of(host_probe::process), 0u);
  CAF_CHECK(operator_log.str().empty());
}

CAF_TEST(whoever_connected_before_the_cell_is_watched_is_known_then) {
  start();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  watch();
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
}

CAF_TEST(a_vmm_that_was_killed_is_seen_to_be_at_once_and_how) {
  settings.period = 10min;
  settings.timeout = 1s;
  settings.record = {host_probe::process};
  start();
  watch();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
  peer.end(SIGKILL, false);
  service->disconnected(cell);
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::signalled; }));
  CAF_CHECK_EQUAL(board->read().vmm->number.value_or(0), 9u);
  CAF_CHECK(holds_within(test_timeout, [&] { return heard_of(host_probe::process) == 2; }));
  const std::lock_guard hold{guard};
  CAF_CHECK(nlohmann::json::parse(heard.back().second.inputs).at("pid") == peer.pid());
  CAF_CHECK(heard.back().second.host_received_at.has_value());
}

CAF_TEST(of_a_vmm_that_was_reaped_it_is_known_that_it_ended) {
  start();
  watch();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
  peer.end(SIGTERM, true);
  service->disconnected(cell);
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::ended; }));
  CAF_CHECK(!board->read().vmm->number);
}

CAF_TEST(of_a_vmm_that_ended_before_anybody_looked_it_is_known_too) {
  start();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  peer.end(SIGTERM, true);
  watch();
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::ended; }));
  CAF_CHECK(operator_log.str().empty());
}

CAF_TEST(a_later_connection_is_of_another_vmm) {
  start();
  watch();
  connected_process first{path, listening};
  service->connected(cell, first.connection());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
  first.end(SIGKILL, true);
  service->disconnected(cell);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return vmm() == vmm_state::ended; }));
  connected_process second{path, listening};
  service->connected(cell, second.connection());
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
}

CAF_TEST(a_source_that_fails_is_reported_once_and_once_that_it_is_back) {
  cell.probes.fc_metrics = dir / "metrics";
  start();
  watch();
  const auto errors = [&] {
    return service->counted()
        .by_probe[static_cast<std::size_t>(host_probe::fc_metrics)]
        .errors[static_cast<std::size_t>(probe_error_kind::io)];
  };
  CAF_CHECK(holds_within(test_timeout, [&] { return errors() >= 3; }));
  std::ofstream{dir / "metrics"} << R"({"utc_timestamp_ms":1,"net":{"tx_count":5}})"
                                 << "\n";
  CAF_CHECK(holds_within(test_timeout, [&] { return heard_of(host_probe::fc_metrics) >= 1; }));
  service.reset();
  const std::string text = operator_log.str();
  CAF_CHECK_EQUAL(std::count(text.begin(), text.end(), '\n'), 2);
  CAF_CHECK(text.find("probe_failed cell=cell-1 run=run-1 probe=host.fc_metrics kind=io") != std::string::npos);
  CAF_CHECK(text.find("probe_recovered cell=cell-1 run=run-1 probe=host.fc_metrics") != std::string::npos);
}

CAF_TEST(nothing_is_read_of_a_run_that_is_over) {
  settings.record = {host_probe::process};
  start();
  watch();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return heard_of(host_probe::process) >= 1; }));
  service->unwatch(run);
  const auto before = heard_of(host_probe::process);
  CAF_CHECK(!holds_within(600ms, [&] { return heard_of(host_probe::process) > before; }));
}

CAF_TEST(a_run_that_was_never_watched_leaves_nothing_behind) {
  start();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  service->unwatch(run);
  peer.end(SIGKILL, true);
  // The same one again, whose VMM has yet to connect.
  watch();
  CAF_CHECK(!holds_within(600ms, [&] { return vmm().has_value(); }));
}

CAF_TEST(a_run_that_is_admitted_again_keeps_the_vmm_that_connected_meanwhile) {
  start();
  watch();
  connected_process peer{path, listening};
  service->connected(cell, peer.connection());
  const auto before = run;
  run = std::make_shared<const host_stamp>(*run);
  board = std::make_shared<sighting_board>();
  watch();
  service->unwatch(before);
  CAF_CHECK(holds_within(test_timeout, [&] { return vmm() == vmm_state::alive; }));
}

CAF_TEST(a_cell_says_itself_whose_readings_are_put_on_record) {
  settings.record = {host_probe::process};
  start();
  CAF_CHECK(service->recorded(cell) == std::set<host_probe>{host_probe::process});
  cell.probes.recorded = std::set<host_probe>{};
  CAF_CHECK(service->recorded(cell).empty());
  cell.probes.tap = "tap0";
  cell.probes.exec = std::vector<std::string>{"/bin/true"};
  CAF_CHECK(service->recorded(cell) == (std::set<host_probe>{host_probe::tap_link, host_probe::exec}));
}

CAF_TEST_FIXTURE_SCOPE_END()
