#define CAF_SUITE host_chain
#include "actors/host_chain.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "actors/sink.hpp"
#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::error_code disk_full = std::make_error_code(std::errc::no_space_on_device);

/// A HOST CHAIN and a SINK that lists its runs there; the test is their supervisor.
struct fixture : host_fixture {
  ~fixture() override {
    kill(sink);
    kill(host_chain);
    kill(host);
  }

  void start() {
    introduce();
    sink = sys.spawn(make_sink, journal, host_chain, std::cref(*environment));
    consume_messages();
  }

  void introduce() {
    host_chain = sys.spawn(make_host_chain, &chain, std::cref(*environment));
    if (sink) self->send(sink, host_chain);
  }

  template <class Actor>
  void kill(const Actor& actor) {
    if (!actor) return;
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    consume_messages();
  }

  auto ask_to_open() {
    return self->request(sink, caf::infinite, open_run_atom::value, run, run_opening{"test", 10s, {}});
  }

  /// Runs the actors until the HOST CHAIN has something in its mailbox.
  void run_until_host_chain_is_asked() {
    const auto is_asked = [this] {
      return std::any_of(sched.jobs.begin(), sched.jobs.end(), [](caf::resumable* job) {
        const auto* actor = dynamic_cast<caf::scheduled_actor*>(job);
        return actor != nullptr && std::string_view{actor->name()} == host_chain_state::name;
      });
    };
    while (!is_asked()) CAF_REQUIRE(sched.try_run_once());
  }

  void deliver(std::uint64_t sequence) {
    received_chunk chunk;
    chunk.sequence = sequence;
    chunk.connection = 1;
    chunk.received_at = clock.now();
    chunk.frames = 1;
    chunk.bytes = frame_of("process.spawned", sequence);
    auto decoded =
        std::make_shared<const batch>(decode_chunk(std::make_shared<const received_chunk>(std::move(chunk)), run));
    self->send(sink, batch_ptr{std::move(decoded)}, run, chunk_credit_ptr{credit});
  }

  template <class Answer, class Pending>
  Answer answer_to(Pending& pending) {
    Answer answer{};
    consume_messages();
    CAF_REQUIRE(!self->mailbox().empty());
    pending.receive([&](const Answer& given) { answer = given; },
                    [](const caf::error& why) { CAF_FAIL(explanation(why)); });
    return answer;
  }

  void check_run_is_listed_once() {
    CAF_CHECK_EQUAL(log.count("host.v1.run_opened"), 1u);
    CAF_CHECK_EQUAL(log.count("run.v1.started"), 1u);
  }

  host_event_chain chain{"host-a", log, clock, nullptr, std::nullopt, *resources.epochs};
  sink_journal_ptr journal = std::make_shared<sink_journal>(log, clock, nullptr, "SINK 0", resources.epochs);
  host_chain_actor host_chain;
  std::shared_ptr<recorded_credit> credit = std::make_shared<recorded_credit>();
  sink_actor sink;
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:1"});
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_chain_tests, fixture)

CAF_TEST(a run is named once it is in the log with its listing in one append) {
  start();
  auto asked = ask_to_open();
  const auto named = answer_to<std::string>(asked);
  CAF_CHECK_EQUAL(log.appends, 1);
  check_run_is_listed_once();
  CAF_CHECK(log.lines().at(0).find("\"data\":{\"chain\":\"" + named + "\"") != std::string::npos);
}

CAF_TEST(what comes while an opening is on its way is appended behind it) {
  start();
  auto asked = ask_to_open();
  run_until_host_chain_is_asked();
  deliver(1);
  deliver(2);
  (void)answer_to<std::string>(asked);
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 4u);
  CAF_CHECK(lines[1].find("run.v1.started") != std::string::npos);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 2u);
  CAF_CHECK((credit->acknowledged == std::vector<std::uint64_t>{1, 2}));
}

CAF_TEST(a host chain that dies of what it is asked leaves it to its successor) {
  start();
  auto asked = ask_to_open();
  run_until_host_chain_is_asked();
  const auto victim = caf::actor_cast<caf::strong_actor_ptr>(host_chain);
  victim->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
                  caf::make_message(caf::exit_msg{host_chain.address(), caf::exit_reason::kill}), nullptr);
  consume_messages();
  CAF_CHECK(log.text.empty());
  introduce();
  (void)answer_to<std::string>(asked);
  check_run_is_listed_once();
}

CAF_TEST(a sink that dies before it hears of it has its lines in the log once) {
  start();
  (void)ask_to_open();
  run_until_host_chain_is_asked();
  const auto victim = caf::actor_cast<caf::strong_actor_ptr>(sink);
  victim->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
                  caf::make_message(caf::exit_msg{sink.address(), caf::exit_reason::kill}), nullptr);
  consume_messages();
  check_run_is_listed_once();
  CAF_CHECK(journal->for_host_chain() != nullptr);
  sink = sys.spawn(make_sink, journal, host_chain, std::cref(*environment));
  auto again = ask_to_open();
  (void)answer_to<std::string>(again);
  check_run_is_listed_once();
  CAF_CHECK(!journal->has_pending());
}

CAF_TEST(a log that takes nothing is on record in the hosts chain once it takes lines again) {
  start();
  log.refusal = disk_full;
  auto asked = ask_to_open();
  consume_messages();
  pass(1s);
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 1);
  CAF_CHECK(self->mailbox().empty());
  log.refusal = {};
  pass(100ms);
  (void)answer_to<std::string>(asked);
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 0);
  check_run_is_listed_once();
  CAF_CHECK_EQUAL(log.count("host.v1.evidence_blocked"), 1u);
  CAF_CHECK(log.lines().back().find("No space left on device") != std::string::npos);
}

CAF_TEST(without a host chain nothing is read and nobody is answered until there is one) {
  start();
  kill(host_chain);
  auto asked = ask_to_open();
  consume_messages();
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 0);
  pass(200ms);
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 1);
  CAF_CHECK(self->mailbox().empty());
  introduce();
  (void)answer_to<std::string>(asked);
  check_run_is_listed_once();
  CAF_CHECK_EQUAL(environment->progress->blocked_sinks.load(), 0);
}

CAF_TEST(who is no actor of the host has the host supervisor ask for it) {
  resources.host_chain = &chain;
  start_host();
  auto said = std::make_shared<joint_append>();
  said->behind.emplace_back(missing_range{3, 4});
  said->origin = "retention";
  said->number = 1;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto outcome = ask<append_outcome>(append_atom::value, joint_append_ptr{said});
    CAF_REQUIRE(outcome);
    CAF_CHECK(!outcome->refused);
  }
  CAF_CHECK_EQUAL(log.count("host.v1.segments_missing"), 1u);
}

CAF_TEST(a host supervisor replaces it and its sinks go on with the next) {
  resources.host_chain = &chain;
  start_host(2);
  for (int deaths = 0; deaths < 3; ++deaths) {
    for (const activity_ptr& each : activities.present()) {
      if (std::string_view{each->role()} != "HOST CHAIN") continue;
      caf::anon_send_exit(caf::actor_cast<caf::actor>(each->actor()), caf::exit_reason::kill);
    }
    consume_messages();
    CAF_REQUIRE(admit(cell("cell-" + std::to_string(deaths))));
  }
  CAF_CHECK_EQUAL(log.count("host.v1.run_opened"), 3u);
  CAF_REQUIRE(retire("cell-1"));
  CAF_CHECK_EQUAL(log.count("host.v1.run_closed"), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
