#define CAF_SUITE sink_turns
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::testing;
using namespace std::chrono_literals;

namespace {

/// Signs nothing, and counts what would have been signed of each cell.
struct counting_seal final : event_seal {
  explicit counting_seal(std::uint64_t& count) : sealed(count) {}
  std::string_view blank(seal_kind) const override { return ",\"s\":\"\""; }
  event_digest seal(std::string&, std::span<const rendered_event> events, event_digest) override {
    sealed += events.size();
    return {};
  }
  std::uint64_t& sealed;
};

struct counting_sealing final : event_sealing {
  std::unique_ptr<event_seal> begin(const chain_constants& constants) const override {
    return std::make_unique<counting_seal>(sealed[std::string{constants.subject.substr(subject_prefix.size())}]);
  }
  const std::string& key_id() const override { return key; }
  const std::string& former_key_id() const override { return none; }
  std::uint64_t events_per_signature() const override { return 1; }
  signing_statement statement() const override { return {signing_statement::kind::event, 0, {}}; }
  std::string digest_text(const event_digest&) const override { return "digest"; }

  static constexpr std::string_view subject_prefix = "urn:cellos:cell:";
  std::string key = "key";
  std::string none;
  mutable std::map<std::string, std::uint64_t> sealed;
};

constexpr std::size_t chunk_frames = 60;
constexpr std::size_t chunks = 40;

struct fixture : host_fixture {
  fixture() {
    environment->sealing = sealing;
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
  sys.spawn([&](caf::event_based_actor* asker) {
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
  sys.spawn([&](caf::event_based_actor* asker) {
    asker->request(host, caf::infinite, admit_atom::value, cell("new")).then([&](const cell_status& admitted) {
      answered = admitted.newly_admitted;
    });
  });
  CAF_REQUIRE(steps_until([&] { return answered; }));
  CAF_CHECK(flood_sealed() < chunks * chunk_frames / 2);
}

CAF_TEST(a silence does not overtake the frames before it) {
  auto short_window = cell("short");
  short_window.keepalive_window = 500ms;
  CAF_REQUIRE(admit(short_window));
  queue_up(false);
  const std::vector chunk(chunk_frames, frame_of("process.spawned", 1));
  for (std::size_t i = 0; i < 20; ++i) receive("short", chunk);
  consume_messages();
  pass(1s);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 1u);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_resumed"), 0u);
  CAF_CHECK_EQUAL(sealing->sealed["short"], 1 + 20 * chunk_frames + 1);
}

CAF_TEST(a run that is closed takes what it has queued with it) {
  queue_up(false);
  std::optional<run_totals> closed;
  sys.spawn([&](caf::event_based_actor* asker) {
    asker->request(host, caf::infinite, retire_atom::value, std::string{"floods-1"})
        .then([&](const run_totals& totals) { closed = totals; });
  });
  CAF_REQUIRE(steps_until([&] { return closed.has_value(); }));
  CAF_CHECK_EQUAL(closed->appended, chunks * chunk_frames);
  CAF_CHECK_EQUAL(closed->in_flight(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
