#define CAF_SUITE restart_recovery
#include "runtime/daemon/restart_recovery.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "actors/sink_journal.hpp"
#include "messages/cloud_event.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/journal_key.hpp"
#include "tests/support/flushed_journal.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/recorded_log.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using json = nlohmann::json;

std::shared_ptr<const signing_key> a_key() {
  const std::array<std::uint8_t, 32> seed{7};
  return std::make_shared<const signing_key>(
      std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, "the-key", seed)));
}

event_sealing_ptr each_event() { return std::make_shared<const host_sealing>(a_key(), nullptr, 1); }
event_sealing_ptr checkpoints() { return std::make_shared<const host_sealing>(a_key(), nullptr, 1000); }

/// A host with one open run; what a successor writes behind it.
struct fixture {
  manual_clock clock;
  std::string chain;
  std::string first_host_chain;

  recorded_log log_of(const event_sealing_ptr& sealing) {
    recorded_log log{statement_of(sealing)};
    const auto epochs = std::make_shared<chain_epochs>();
    host_event_chain host_chain{"host-a", log, clock, sealing, std::nullopt, *epochs};
    host_chain.record(daemon_start{"test"});
    first_host_chain = host_chain.end().chain;
    sink_journal sink{log, clock, sealing, "SINK", epochs};
    chain = sink.open_run(std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"}),
                          {"test", 10s, {}});
    CAF_CHECK(!test::flush(sink, host_chain));
    return log;
  }

  recovery_conclusions restart(recorded_log& log, const std::string& host, const event_sealing_ptr& sealing) {
    auto found = recovered_from(log.text, {log.journal, own_keys(sealing), "boot-1", 1});
    chain_epochs epochs{found.highest_epoch};
    std::optional<host_event_chain> host_chain;
    CAF_CHECK(!record_restart(found, {host, "test", log, clock, epochs, sealing}, host_chain));
    CAF_CHECK(host_chain.has_value());
    return found;
  }

  static std::vector<json> events_of(const recorded_log& log, const std::string& of_chain) {
    std::vector<json> events;
    for (std::size_t begin = 0; begin < log.text.size();) {
      const std::size_t end = log.text.find('\n', begin);
      auto event = json::parse(log.text.substr(begin, end - begin));
      if (event["chain"] == of_chain) events.push_back(std::move(event));
      begin = end + 1;
    }
    return events;
  }

  static std::string types_of(const std::vector<json>& events) {
    std::string out;
    for (const json& each : events) {
      out += (out.empty() ? "" : " ") + each["type"].get<std::string>().substr(event_type_prefix.size());
    }
    return out;
  }

  static std::string last_host_chain(const recorded_log& log) {
    const auto& records = log.journal.records;
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
      for (const chain_head& head : record->heads) {
        if (!head.run) return head.position.chain;
      }
    }
    return {};
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(restart_recovery_tests, fixture)

CAF_TEST(an open run goes on behind the gap) {
  recorded_log log = log_of(each_event());
  const auto found = restart(log, "host-a", each_event());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 3u);
  CAF_CHECK_EQUAL(types_of(events_of(log, chain)), "run.v1.started guest.v1.telemetry_dropped");
  CAF_CHECK_EQUAL(types_of(events_of(log, first_host_chain)), "host.v1.started host.v1.run_opened host.v1.started");
  CAF_MESSAGE("and once more");
  const auto again = restart(log, "host-a", each_event());
  CAF_CHECK_EQUAL(again.open_runs.at(0).next_event, 4u);
}

CAF_TEST(what is adopted is on record in both chains in one append) {
  const event_sealing_ptr digests = std::make_shared<const host_sealing>(nullptr, nullptr, 1u << 30);
  recorded_log log = log_of(checkpoints());
  auto left = recovered_from(log.text, {log.journal, own_keys(checkpoints()), "boot-1", 1}).open_runs.at(0);
  run_ledger forger{std::make_shared<const host_stamp>(left.attribution), left, digests};
  forger.silence(log.text, clock.now(), {10s, monotonic_time{}, monotonic_time{11s}});
  const auto found = restart(log, "host-a", checkpoints());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(!found.open_runs[0].adopted);
  const auto run = events_of(log, chain);
  CAF_CHECK(types_of(run).ends_with("run.v1.adopted guest.v1.telemetry_dropped"));
  const json& adopted = run.at(run.size() - 2);
  CAF_CHECK_EQUAL(adopted["data"]["adoptedFrom"], "2");
  CAF_CHECK_EQUAL(adopted["data"]["adoptedTo"], "2");
  CAF_CHECK(adopted.contains("dssematerial"));
  const json range = events_of(log, first_host_chain).back();
  CAF_CHECK(range["type"].get<std::string>().ends_with("host.v1.range_adopted"));
  CAF_CHECK_EQUAL(range["data"]["chain"], chain);
  CAF_CHECK_EQUAL(range["data"]["digest"], adopted["data"]["digest"]);
  CAF_CHECK_EQUAL(log.journal.records.back().heads.size(), 2u);
}

CAF_TEST(a run that is cut back is abandoned and closed in one append) {
  recorded_log log = log_of(each_event());
  restart(log, "host-a", each_event());
  // telemetry_dropped, which is not the last append any more.
  std::optional<host_event_chain> host_chain;
  const std::size_t end = log.text.size();
  const std::size_t dropped = log.text.rfind("\n{", end - 2) + 1;
  recorded_log cut = log;
  cut.text.resize(dropped);
  cut.journal.records.push_back({{1, end}, 0, {1, 0}, {}});
  const std::size_t appends = cut.journal.records.size();
  const auto found = restart(cut, "host-a", each_event());
  CAF_CHECK(found.open_runs.empty());
  const auto host = events_of(cut, first_host_chain);
  CAF_CHECK(types_of(host).ends_with("host.v1.started host.v1.chain_abandoned host.v1.run_closed"));
  CAF_CHECK_EQUAL(host.back()["data"]["lastSequence"], "2");
  CAF_CHECK_EQUAL(host.at(host.size() - 2)["data"]["cause"], "cut_back");
  CAF_CHECK_EQUAL(cut.journal.records.size(), appends + 2);
}

CAF_TEST(another host ends what was open as the former one and begins anew) {
  recorded_log log = log_of(each_event());
  const auto found = restart(log, "host-b", each_event());
  CAF_CHECK(found.open_runs.empty());
  CAF_CHECK_EQUAL(types_of(events_of(log, chain)), "run.v1.started guest.v1.telemetry_dropped run.v1.ended");
  const auto former = events_of(log, first_host_chain);
  CAF_CHECK_EQUAL(types_of(former), "host.v1.started host.v1.run_opened host.v1.run_closed host.v1.stopped");
  CAF_CHECK_EQUAL(former.back()["source"], "/cellos/host/host-a");
  const auto host = events_of(log, last_host_chain(log));
  CAF_CHECK_EQUAL(types_of(host), "host.v1.started");
  CAF_CHECK_EQUAL(host[0]["source"], "/cellos/host/host-b");
  CAF_CHECK_EQUAL(host[0]["data"]["formerChain"], first_host_chain);
  CAF_CHECK_EQUAL(host[0]["data"]["formerSequence"], "4");
}

CAF_TEST(another way of signing ends what was open in the former way) {
  recorded_log log = log_of(each_event());
  const auto found = restart(log, "host-a", checkpoints());
  CAF_CHECK(found.open_runs.empty());
  for (const json& each : events_of(log, chain)) CAF_CHECK(each.contains("dssematerial"));
  CAF_CHECK_EQUAL(types_of(events_of(log, first_host_chain)),
                  "host.v1.started host.v1.run_opened host.v1.run_closed host.v1.stopped");
  const auto host = events_of(log, last_host_chain(log));
  CAF_REQUIRE_EQUAL(host.size(), 1u);
  CAF_CHECK_EQUAL(host[0]["data"]["signing"]["mode"], "checkpoint");
  CAF_CHECK_EQUAL(host[0]["data"]["formerChain"], first_host_chain);
}

CAF_TEST(signing switched off ends what was open without a key) {
  recorded_log log = log_of(each_event());
  CAF_CHECK(restart(log, "host-a", nullptr).open_runs.empty());
  const auto run = events_of(log, chain);
  CAF_CHECK_EQUAL(types_of(run), "run.v1.started guest.v1.telemetry_dropped run.v1.ended");
  CAF_CHECK(run.back().contains("prevdigest"));
  const auto host = events_of(log, last_host_chain(log));
  CAF_REQUIRE_EQUAL(host.size(), 1u);
  CAF_CHECK_EQUAL(host[0]["data"]["signing"]["mode"], "off");
}

CAF_TEST(orphans are ended with a closing each) {
  recorded_log log = log_of(each_event());
  auto found = recovered_from(log.text, {log.journal, own_keys(each_event()), "boot-1", 1});
  chain_epochs epochs{found.highest_epoch};
  std::optional<host_event_chain> host_chain;
  CAF_REQUIRE(!record_restart(found, {"host-a", "test", log, clock, epochs, each_event()}, host_chain));
  CAF_CHECK(!end_orphans(found.open_runs, clock, each_event(), *host_chain));
  const auto again = recovered_from(log.text, {log.journal, own_keys(each_event()), "boot-1", 1});
  CAF_CHECK(again.open_runs.empty());
  CAF_CHECK(again.closings.empty());
  CAF_CHECK(again.findings.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
