#define CAF_SUITE host_event_chain
#include "actors/host_event_chain.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "caf/test/dsl.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/line_digest.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/plain_sealing.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::error_code disk_full = std::make_error_code(std::errc::no_space_on_device);

event_sealing_ptr sealed_by(const std::string& key_id) {
  auto key = std::make_shared<const signing_key>(signing_key::generate(signing_algorithm::ed25519, key_id));
  return std::make_shared<const host_sealing>(std::move(key), nullptr, 1);
}

struct fixture {
  memory_log log;
  manual_clock clock;
  chain_epochs epochs;
  std::optional<host_event_chain> chain;

  void start(const event_sealing_ptr& sealing = nullptr, const std::optional<chain_position>& left = std::nullopt) {
    chain.emplace("host-a", log, clock, sealing, left, epochs);
  }

  void say(const host_statement& said) { CAF_CHECK(!chain->record(said)); }

  /// The suffixes of the event types that are in the log, each with its sequence: "started 1".
  std::vector<std::string> reported() const {
    std::vector<std::string> out;
    for (const std::string& line : log.lines()) {
      if (line.find("{\"specversion\"") != 0) {
        out.push_back(line);
        continue;
      }
      const auto event = nlohmann::json::parse(line);
      const auto type = event["type"].get<std::string>();
      out.push_back(type.substr(type.rfind('.') + 1) + " " +
                    std::to_string(std::stoull(event["sequence"].get<std::string>())));
    }
    return out;
  }

  nlohmann::json last_data() const { return nlohmann::json::parse(log.lines().back())["data"]; }

  const chain_head& head() const {
    const auto name = nlohmann::json::parse(log.lines().back())["chain"].get<std::string>();
    const chain_head* known = log.head(name);
    CAF_REQUIRE(known != nullptr);
    return *known;
  }

  using events = std::vector<std::string>;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_event_chain_tests, fixture)

CAF_TEST(its events are numbered and each is in the log at once) {
  start();
  say(daemon_start{"1.2.3"});
  say(run_begin_mark{"cell-1/run-1/5"});
  say(run_end_mark{"cell-1/run-1/5", 9, ""});
  say(missing_range{3, 4});
  say(daemon_stop{});
  CAF_CHECK((reported() == events{"started 1", "run_opened 2", "run_closed 3", "segments_missing 4", "stopped 5"}));
  CAF_CHECK_EQUAL(log.appends, 5);
  CAF_CHECK_EQUAL(head().position.next_event, 6u);
}

CAF_TEST(what it says of runs comes with their lines in one append) {
  start();
  say(daemon_start{"1.2.3"});
  const int before = log.appends;
  CAF_CHECK(!chain->append(
      {.before = {run_begin_mark{"a"}}, .lines = "line of a\nline of b\n", .behind = {run_end_mark{"b", 4, ""}}}));
  CAF_CHECK_EQUAL(log.appends, before + 1);
  CAF_CHECK((reported() == events{"started 1", "run_opened 2", "line of a", "line of b", "run_closed 3"}));
  const auto listings = head().listings;
  CAF_REQUIRE_EQUAL(listings.size(), 2u);
  CAF_CHECK(listings[0].chain == "a" && listings[0].what == run_listing::kind::opened);
  CAF_CHECK(listings[1].chain == "b" && listings[1].what == run_listing::kind::closed);
}

CAF_TEST(an append that is refused never happened) {
  start(sealed_by("key-1"));
  say(daemon_start{"1.2.3"});
  const auto digest = head().position.digest;
  log.refusal = disk_full;
  const joint_append both{.before = {run_begin_mark{"a"}}, .lines = "line of a\n"};
  CAF_CHECK(chain->append(both) == disk_full);
  CAF_CHECK(chain->record(daemon_stop{}) == disk_full);
  log.refusal = {};
  CAF_CHECK((reported() == events{"started 1"}));
  CAF_CHECK_EQUAL(chain->end().end.sequence, 1u);
  CAF_CHECK(head().position.digest == digest);
  CAF_CHECK(!chain->append(both));
  CAF_CHECK((reported() == events{"started 1", "run_opened 2", "line of a"}));
}

CAF_TEST(an append of which something cannot be signed never happened) {
  const auto script = std::make_shared<seal_script>();
  start(std::make_shared<const plain_sealing>("key-1", "", 1, script));
  say(daemon_start{"1.2.3"});
  const joint_append three{.before = {run_begin_mark{"a"}},
                           .lines = "line of a\n",
                           .behind = {run_end_mark{"b", 4, ""}, run_end_mark{"c", 5, ""}},
                           .origin = "SINK 0",
                           .number = 1};
  for (int calls = 0; calls < 3; ++calls) {
    script->calls_until_failure = calls;
    CAF_CHECK(fails_to_sign([&] { (void)chain->append(three); }));
    CAF_CHECK((reported() == events{"started 1"}));
    CAF_CHECK_EQUAL(chain->end().end.sequence, 1u);
  }
  script->calls_until_failure = 3;
  CAF_CHECK(!chain->append(three));
  CAF_CHECK((reported() == events{"started 1", "run_opened 2", "line of a", "run_closed 3", "run_closed 4"}));
}

CAF_TEST(what was appended is not appended again whoever asks) {
  start();
  joint_append first{.lines = "line of a\n", .behind = {run_end_mark{"a", 1, ""}}, .origin = "SINK 0", .number = 1};
  joint_append second = first;
  second.number = 2;
  joint_append of_another = first;
  of_another.origin = "SINK 1";
  log.refusal = disk_full;
  CAF_CHECK(chain->append(first) == disk_full);
  log.refusal = {};
  CAF_CHECK(!chain->append(first));
  CAF_CHECK(!chain->append(first));
  CAF_CHECK_EQUAL(log.count("host.v1.run_closed"), 1u);
  CAF_CHECK(!chain->append(of_another));
  CAF_CHECK(!chain->append(second));
  CAF_CHECK(!chain->append(first));
  CAF_CHECK_EQUAL(log.count("host.v1.run_closed"), 3u);
}

CAF_TEST(a chain that was left is gone on with) {
  start(sealed_by("key-1"), chain_position{"host-a/7", 12, true, event_digest{1}, "key-1"});
  say(daemon_start{"1.2.3"});
  CAF_CHECK((reported() == events{"started 12"}));
  CAF_CHECK_EQUAL(nlohmann::json::parse(log.lines().back())["chain"].get<std::string>(), "host-a/7");
  CAF_CHECK(head().position.digest == line_digest(log.lines().back()));
}

CAF_TEST(a chain without digests is not gone on with by a host that seals) {
  start(sealed_by("key-1"), chain_position{"host-a/7", 12, false, no_event, ""});
  say(daemon_start{"1.2.3"});
  CAF_CHECK((reported() == events{"started 1"}));
  CAF_CHECK_NOT_EQUAL(nlohmann::json::parse(log.lines().back())["chain"].get<std::string>(), "host-a/7");
}

CAF_TEST(another key is reported once and before the first event that it seals) {
  start(sealed_by("key-1"));
  say(daemon_start{"1.2.3"});
  chain->change_key(sealed_by("key-2"));
  CAF_CHECK_EQUAL(log.lines().size(), 1u);
  say(run_begin_mark{"a"});
  say(daemon_stop{});
  CAF_CHECK((reported() == events{"started 1", "key_changed 2", "run_opened 3", "stopped 4"}));
  CAF_CHECK_EQUAL(head().position.key_id, "key-2");
  CAF_CHECK(head().position.digest == line_digest(log.lines().back()));
}

CAF_TEST(a start under another key than the chain was left with reports it) {
  start(sealed_by("key-2"), chain_position{"host-a/7", 12, true, event_digest{1}, "key-1"});
  say(daemon_start{"1.2.3"});
  CAF_CHECK((reported() == events{"key_changed 12", "started 13"}));
}

CAF_TEST(a removal of many chains is reported in parts that come together) {
  start();
  evidence_removal removal;
  removal.first_segment = 1;
  removal.last_segment = 2;
  for (int i = 0; i < 100; ++i) removal.chains.push_back({"chain-" + std::to_string(i), 5, "", false, std::nullopt});
  say(removal);
  CAF_CHECK((reported() == events{"evidence_removed 1", "evidence_removed 2", "evidence_removed 3"}));
  CAF_CHECK_EQUAL(log.appends, 1);
  CAF_CHECK_EQUAL(last_data()["parts"].get<std::string>(), "3");
}

CAF_TEST(who takes its place learns where it stands) {
  start(sealed_by("key-1"));
  say(daemon_start{"1.2.3"});
  say(daemon_stop{});
  const former_chain left = chain->end();
  CAF_CHECK_EQUAL(left.chain, head().position.chain);
  start();
  say(daemon_start{"1.2.4", left});
  CAF_CHECK(log.text.find("\"" + left.chain + "\"", log.text.rfind("\n", log.text.size() - 2)) != std::string::npos);
  const events all = reported();
  CAF_CHECK_EQUAL(all.back(), "started 1");
}

CAF_TEST(what a node says of other nodes is exactly this) {
  start();
  const auto data_of = [&](const node_statement& said) {
    say(std::make_shared<const node_statement>(said));
    const std::string line = log.lines().back();
    return line.substr(line.find("\"data\":") + 7);
  };
  const std::string observed = R"("output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2})";
  CAF_CHECK_EQUAL(data_of(seen_host{"host-b"}), R"({"hostId":"host-a","ofHost":"host-b",)" + observed + "}}");
  CAF_CHECK_EQUAL(data_of(resumed_host{"host-b"}), R"({"hostId":"host-a","ofHost":"host-b",)" + observed + "}}");
  CAF_CHECK_EQUAL(data_of(silenced_host{"host-b", 16s, 15s}),
                  R"({"hostId":"host-a","ofHost":"host-b","output":{"epistemicStatus":"observed",)"
                  R"("ruleClass":"opacity","tier":2},"silenceWindowNs":"15000000000","unheardForNs":"16000000000"}})");
  CAF_CHECK_EQUAL(data_of(forked_history{"host-b", "ab", {3, 7}, "host-b/ab.fork-1"}),
                  R"({"hostId":"host-a","keptIn":"host-b/ab.fork-1","logId":"ab","ofHost":"host-b","offset":"7",)" +
                      observed + R"(,"segment":"3"}})");
  CAF_CHECK_EQUAL(
      data_of(forked_history{"", "ab", {3, 7}, "c-1:7440"}),
      R"({"collector":"c-1:7440","hostId":"host-a","logId":"ab","offset":"7",)" + observed + R"(,"segment":"3"}})");
  CAF_CHECK_EQUAL(
      data_of(witnessed_log{"host-b", "ab", 1, {3, 7}, "00ff", 2, "ff00"}),
      R"({"bytesDigest":"ff00","digest":"00ff","fork":"1","from":"2","hostId":"host-a","logId":"ab","ofHost":"host-b","offset":"7",)" +
          observed + R"(,"segment":"3"}})");
  CAF_CHECK(reported() ==
            (events{"host_seen 1", "resumed 2", "silenced 3", "history_forked 4", "history_forked 5", "witnessed 6"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
