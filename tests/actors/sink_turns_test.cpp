#define CAF_SUITE sink_turns
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "actors/sink.hpp"
#include "messages/chain_name.hpp"
#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Signs nothing, and counts what would have been signed of each cell.
struct counting_seal final : event_seal {
  explicit counting_seal(std::uint64_t& count) : sealed(count) {}
  std::string_view placeholder(seal_kind) const override { return "\",\"s\":\""; }
  event_digest seal(std::string&, std::span<const rendered_event> events, event_digest) override {
    sealed += events.size();
    return {};
  }
  std::uint64_t& sealed;
};

struct counting_sealing final : event_sealing {
  std::unique_ptr<event_seal> begin(const chain_constants& constants) const override {
    return std::make_unique<counting_seal>(sealed[std::string{constants.subject.substr(cell_subject_begin.size())}]);
  }
  const std::string& key_id() const override { return key; }
  const std::string& former_key_id() const override { return none; }
  std::uint64_t events_per_signature() const override { return 1; }
  signing_statement statement() const override { return {signing_statement::kind::event, 0, {}}; }
  std::string digest_text(const event_digest&) const override { return "digest"; }

  std::string key = "key";
  std::string none;
  mutable std::map<std::string, std::uint64_t> sealed;
};

constexpr std::size_t chunk_frames = 60;
constexpr std::size_t chunks = 40;

struct fixture : host_fixture {
  fixture() {
    resources.sealing = sealing;
    start_host();
    for (const char* id : {"floods-1", "floods-2", "quiet"}) CAF_REQUIRE(admit(cell(id)));
  }

  /// Everything is decoded and waits in the SINK, whose log takes nothing.
  void queue_up(bool quiet) {
    log.refusal = std::make_error_code(std::errc::no_space_on_device);
    receive("quiet", {frame_of("process.spawned", 1)});
    consume_messages();
    const std::vector chunk(chunk_frames, frame_of("process.spawned", 1));
    for (std::size_t i = 0; i < chunks; ++i) {
      for (const char* id : {"floods-1", "floods-2"}) receive(id, chunk);
    }
    if (quiet) receive("quiet", {frame_of("process.exited", 1)});
    consume_messages();
    sealing->sealed["floods-1"] = sealing->sealed["floods-2"] = sealing->sealed["quiet"] = 0;
    log.refusal = {};
    clock.time += 100ms;
    advance_time(100ms);
  }

  /// With an argument: CAF reaches through a null pointer for the arguments of a function that has none.
  template <class Question>
  void spawn_asking(Question question) {
    sys.spawn([](caf::event_based_actor* asker, const Question& asks) { asks(asker); }, std::move(question));
  }

  std::uint64_t flood_sealed() { return sealing->sealed["floods-1"] + sealing->sealed["floods-2"]; }

  /// A message an actor, as if each had a thread of its own.
  template <class Condition>
  bool steps_until(Condition holds) {
    while (!holds()) {
      if (!sched.try_run_once()) return false;
      std::rotate(sched.jobs.begin(), sched.jobs.begin() + (sched.jobs.empty() ? 0 : 1), sched.jobs.end());
    }
    return true;
  }

  std::shared_ptr<counting_sealing> sealing = std::make_shared<counting_sealing>();
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(sink_turns_tests, fixture)

CAF_TEST(a quiet cell has its turn before the floods are through) {
  queue_up(true);
  CAF_REQUIRE(steps_until([this] { return sealing->sealed["quiet"] > 0; }));
  CAF_CHECK(flood_sealed() <= 4 * chunk_frames);
  consume_messages();
  CAF_CHECK_EQUAL(flood_sealed(), 2 * chunks * chunk_frames);
  CAF_CHECK(sockets.intake("floods-1")->kept.empty());
}

CAF_TEST(floods have turns of the same cost) {
  queue_up(false);
  CAF_REQUIRE(steps_until([this] { return flood_sealed() >= chunks * chunk_frames; }));
  const auto one = sealing->sealed["floods-1"];
  const auto other = sealing->sealed["floods-2"];
  CAF_CHECK((one > other ? one - other : other - one) <= 2 * chunk_frames);
}

CAF_TEST(a question is answered before the floods are through) {
  queue_up(false);
  bool answered = false;
  spawn_asking([&](caf::event_based_actor* asker) {
    asker->request(host, caf::infinite, status_atom::value).then([&](const std::vector<cell_status>& cells) {
      answered = cells.size() == 3;
    });
  });
  CAF_REQUIRE(steps_until([&] { return answered; }));
  CAF_CHECK(flood_sealed() < chunks * chunk_frames / 2);
}

CAF_TEST(a run is opened before the floods are through) {
  queue_up(false);
  bool answered = false;
  spawn_asking([&](caf::event_based_actor* asker) {
    asker->request(host, caf::infinite, admit_atom::value, cell("new")).then([&](const cell_status& admitted) {
      answered = admitted.newly_admitted;
    });
  });
  CAF_REQUIRE(steps_until([&] { return answered; }));
  CAF_CHECK(flood_sealed() < chunks * chunk_frames / 2);
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

/// A SINK by itself: everything is in its mailbox before it takes the first message.
struct lone_sink : host_fixture {
  lone_sink() {
    sink =
        sys.spawn(make_sink, std::make_shared<sink_journal>(log, clock), host_chain_actor{}, std::cref(*environment));
    self->send(sink, open_run_atom::value, run, run_opening{"test", 10s, {}});
    consume_messages();
  }
  ~lone_sink() override { caf::anon_send_exit(sink, caf::exit_reason::kill); }
  lone_sink(const lone_sink&) = delete;
  lone_sink& operator=(const lone_sink&) = delete;

  void send_chunks(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto chunk = std::make_shared<received_chunk>();
      chunk->sequence = ++sent;
      chunk->received_mono = received;
      chunk->frames = chunk_frames;
      auto made = std::make_shared<batch>();
      made->attribution = run;
      made->chunk = std::move(chunk);
      made->declarations.resize(chunk_frames);
      self->send(sink, batch_ptr{std::move(made)}, run, chunk_credit_ptr{credit});
    }
  }

  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});
  monotonic_time received{1h};
  std::shared_ptr<recorded_credit> credit = std::make_shared<recorded_credit>();
  std::uint64_t sent = 0;
  sink_actor sink;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(lone_sink_tests, lone_sink)

CAF_TEST(a silence does not overtake the frames before it) {
  send_chunks(3);
  self->send(sink, run, agent_silenced{10s, received, received + 11s});
  consume_messages();
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 1u);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_resumed"), 0u);
  CAF_CHECK(log.lines().back().find("agent_silenced") != std::string::npos);
}

CAF_TEST(a run that is closed takes what it has queued with it) {
  send_chunks(3);
  auto closing = self->request(sink, caf::infinite, close_run_atom::value, run,
                               run_closing{run_end_reason::retired, 3 * chunk_frames, 1});
  consume_messages();
  closing.receive(
      [](const run_totals& totals) {
        CAF_CHECK_EQUAL(totals.appended, 3 * chunk_frames);
        CAF_CHECK_EQUAL(totals.in_flight(), 0u);
      },
      [](const caf::error& why) { CAF_ERROR(explanation(why)); });
}

CAF_TEST_FIXTURE_SCOPE_END()
