// ctest: TIMEOUT 120
#define CAF_SUITE forwarder_remoting
#include <sys/wait.h>
#include <unistd.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/fleet_fixture.hpp"
#include "tests/support/sharing_scheduler.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// A collector in a process of its own, over plain TCP on the loopback: node ids are made of process ids. The process
/// is made while this one has no threads, and begins when it is asked to.
class collector_process {
 public:
  explicit collector_process(const std::filesystem::path& dir) {
    int go[2];
    int report[2];
    if (::pipe(go) != 0 || ::pipe(report) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(go[1]);
      char begin = 0;
      if (::read(go[0], &begin, 1) == 1) serve(dir, report[1]);
      ::_exit(0);
    }
    ::close(go[0]);
    ::close(report[1]);
    go_ = file_descriptor{go[1]};
    report_ = file_descriptor{report[0]};
  }
  collector_process(const collector_process&) = delete;
  collector_process& operator=(const collector_process&) = delete;
  ~collector_process() { kill(); }

  /// The port it listens on.
  std::uint16_t begin() {
    std::uint16_t port = 0;
    if (::write(go_.get(), "!", 1) != 1 || ::read(report_.get(), &port, sizeof port) != sizeof port) return 0;
    return port;
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  static void serve(const std::filesystem::path& dir, int report) {
    sharing_scheduler configuration;
    configuration.load<caf::io::middleman>();
    caf::actor_system system{configuration};
    noted_collector_events events;
    auto store = collector_store::open(dir).store;
    commit_queue commits{*store};
    const ingest_environment environment{*store, commits, events, {}};
    const auto supervisor =
        system.spawn(make_collector_supervisor, collector_settings{}, std::vector<std::string>{}, &events);
    const auto session = spawn_ingest_session(system, {"host-a", "loopback"}, supervisor, environment);
    const auto port = system.middleman().publish(caf::actor_cast<ingest_actor>(session), 0, "127.0.0.1");
    const std::uint16_t bound = port ? *port : 0;
    if (::write(report, &bound, sizeof bound) != sizeof bound) return;
    const committer thread{commits};
    for (;;) ::pause();
  }

  pid_t pid_ = 0;
  file_descriptor go_;
  file_descriptor report_;
};

class remoting_connector final : public collector_connector {
 public:
  explicit remoting_connector(caf::actor_system& system) : system_(system) {}

  void connect(std::size_t, outcome_function outcome) override {
    // A test may wait where production may not.
    const auto reached = system_.middleman().remote_actor<ingest_actor>("127.0.0.1", port);
    if (reached)
      outcome(caf::actor_cast<caf::strong_actor_ptr>(*reached), "");
    else
      outcome(nullptr, system_.render(reached.error()));
  }
  void hang_up(const caf::strong_actor_ptr&) override {}

  std::atomic<std::uint16_t> port{0};

 private:
  caf::actor_system& system_;
};

forwarder_status drain(caf::scoped_actor& self, const forwarder_actor& forwarder) {
  forwarder_status status;
  const drain_request request{std::chrono::steady_clock::now() + 30s};
  self->request(forwarder, 40s, request)
      .receive([&](const forwarder_status& is) { status = is; }, [](const caf::error&) { CAF_FAIL("no status"); });
  return status;
}

}  // namespace

CAF_TEST(a_log_reaches_a_collector_of_another_process_and_goes_on_after_it_was_killed) {
  memory_directory kept;
  collector_process first{kept.path()};
  collector_process second{kept.path()};
  test_host host;
  host.append(3000);

  sharing_scheduler configuration;
  configuration.load<caf::io::middleman>();
  caf::actor_system system{configuration};
  remoting_connector connector{system};
  connector.port = first.begin();
  CAF_REQUIRE(connector.port != 0);
  evidence_source source{host.dir / "log", [&] { return host.log->committed_position(); }};
  noted_forwarding_events events;
  const forwarder_environment environment{source, connector, events, {}};
  forwarder_settings settings;
  settings.delivery.host_id = "host-a";
  settings.delivery.log = read_or_make_log_id(host.dir / "log").id;
  settings.delivery.boot_nonce = 1;
  settings.dir = host.dir / "log";
  settings.collectors = {"loopback"};
  const auto forwarder = system.spawn(make_forwarder, settings, std::cref(environment));
  caf::scoped_actor self{system};
  CAF_CHECK(drain(self, forwarder).is_complete);

  first.kill();
  host.append(3000);
  connector.port = second.begin();
  CAF_REQUIRE(connector.port != 0);
  CAF_CHECK(drain(self, forwarder).is_complete);
  CAF_CHECK(events.count(delivery_note::collector_lost, "loopback") > 0);
  self->send_exit(forwarder, caf::exit_reason::kill);
  self->wait_for(forwarder);

  const log_text log = host.text();
  copies_check check{log};
  for (const auto& copy : std::filesystem::directory_iterator{kept / "host-a"}) check.look_at(copy.path());
  CAF_CHECK_EQUAL(check.finish(), "");
}
