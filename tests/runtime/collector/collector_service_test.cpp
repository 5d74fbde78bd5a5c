#define CAF_SUITE collector_service
#include "runtime/collector/collector_service.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

#include "runtime/forwarding/forwarding_service.hpp"
#include "tests/support/fleet_fixture.hpp"
#include "tests/support/sharing_scheduler.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Real threads and a real disk; a connection is a handle.
struct fixture : collector_connector {
  ~fixture() override {
    forwarding.reset();
    collector.reset();
  }

  void start_collector() {
    collector_service_settings settings;
    settings.dir = kept.path();
    auto opened = collector_service::open(settings, seen);
    CAF_REQUIRE(opened.service);
    collector = std::move(opened.service);
    collector->start(system);
  }
  void start_forwarding() {
    auto opened = forwarding_service::open({"host-a", host.dir / "log", {"the collector"}},
                                           {system, *this, noted, [this] { return host.log->committed_position(); },
                                            [this](segment_position at) { delivered_segment = at.segment; }});
    CAF_REQUIRE(opened.service);
    forwarding = std::move(opened.service);
  }

  void connect(std::size_t, outcome_function outcome) override {
    auto session = collector ? collector->spawn_session({"host-a", "here"}) : nullptr;
    outcome(session, session ? "" : "nobody listens");
  }
  void hang_up(const caf::strong_actor_ptr& session) override {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(session), caf::exit_reason::user_shutdown);
  }
  std::string compare() {
    const log_text log = host.text();
    copies_check check{log};
    for (const auto& copy : std::filesystem::directory_iterator{kept / "host-a"}) check.look_at(copy.path());
    return check.finish();
  }

  temporary_directory kept;
  test_host host{std::uint64_t{1} << 20};
  sharing_scheduler configuration;
  caf::actor_system system{configuration};
  noted_collector_events seen;
  noted_forwarding_events noted;
  std::atomic<std::uint64_t> delivered_segment = 0;
  std::unique_ptr<collector_service> collector;
  std::unique_ptr<forwarding_service> forwarding;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(collector_service_tests, fixture)

CAF_TEST(what_is_appended_meanwhile_is_kept_and_durable) {
  start_collector();
  start_forwarding();
  for (int i = 0; i < 40; ++i) host.append(1000);
  CAF_CHECK(forwarding->drain(30s));
  CAF_CHECK_EQUAL(compare(), "");
  CAF_CHECK(collector->commits() > 0);
  CAF_CHECK_EQUAL(collector->commit_failures(), 0u);
  CAF_CHECK_EQUAL(delivered_segment.load(), host.log->committed_position().segment);
  const auto hosts = collector->hosts(test_timeout);
  CAF_REQUIRE(hosts && hosts->size() == 1);
  CAF_CHECK(hosts->front().reached.kept == host.log->committed_position());
}

CAF_TEST(a_collector_that_stops_leaves_no_session_and_the_next_goes_on) {
  start_collector();
  start_forwarding();
  host.append(2000);
  CAF_CHECK(forwarding->drain(30s));
  collector->stop();
  CAF_CHECK_EQUAL(collector->sessions(), 0u);
  CAF_CHECK(!collector->spawn_session({"host-a", "here"}));
  host.append(2000);
  CAF_CHECK(!forwarding->drain(50ms));
  // Nobody asks for a session while the one is made of the other.
  forwarding.reset();
  collector.reset();
  start_collector();
  start_forwarding();
  CAF_CHECK(forwarding->drain(30s));
  CAF_CHECK_EQUAL(compare(), "");
}

CAF_TEST(a_forwarder_that_a_bug_ended_is_replaced) {
  start_collector();
  start_forwarding();
  host.append(100);
  CAF_CHECK(forwarding->drain(30s));
  const auto first = forwarding->status(test_timeout);
  CAF_REQUIRE(first);
  caf::anon_send_exit(forwarding->forwarder(), caf::exit_reason::kill);
  CAF_CHECK(holds_within(test_timeout, [&] { return forwarding->replaced() == 1; }));
  host.append(100);
  CAF_CHECK(forwarding->drain(30s));
  CAF_CHECK_EQUAL(compare(), "");
}

CAF_TEST(a_directory_that_cannot_be_had_is_refused_with_a_reason) {
  start_collector();
  collector_service_settings settings;
  settings.dir = kept.path();
  CAF_CHECK(collector_service::open(settings, seen).refusal.find("cannot be claimed") != std::string::npos);
  write_file(host.dir / "log" / "log-id", "nonsense");
  const auto refused = forwarding_service::open({"host-a", host.dir / "log", {"c"}}, {system, *this, noted, {}, {}});
  CAF_CHECK(!refused.service);
  CAF_CHECK(refused.refusal.find("log-id") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
