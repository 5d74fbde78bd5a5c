#define CAF_SUITE decoder
#include "actors/decoder.hpp"

#include <stdexcept>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// A DECODER whose SINK and LISTENER are the test itself.
struct fixture : host_fixture {
  fixture() { progress->last_accepted = now(); }

  ~fixture() override {
    caf::anon_send_exit(decoder, caf::exit_reason::kill);
    consume_messages();
  }

  void start(std::vector<quarantined_chunk> quarantined = {}) {
    decoder = sys.spawn(make_decoder, run, progress, caf::actor_cast<sink_actor>(self), std::move(quarantined),
                        std::cref(*environment));
    consume_messages();
  }

  chunk_ptr chunk_of(std::uint64_t sequence, std::vector<std::uint8_t> bytes, std::uint32_t frames = 1) {
    received_chunk made;
    made.sequence = sequence;
    made.connection = 1;
    made.received_mono = now();
    made.frames = frames;
    made.bytes = std::move(bytes);
    return std::make_shared<const received_chunk>(std::move(made));
  }

  void decode(chunk_ptr chunk) {
    caf::anon_send(decoder, std::move(chunk), credit);
    consume_messages();
  }

  /// The batch that waits in the test's mailbox.
  batch_ptr batch_made() {
    batch_ptr made;
    self->receive(
        [&](const batch_ptr& arrived, const host_stamp_ptr& of, const chunk_credit_ptr&) {
          CAF_CHECK(of == run);
          made = arrived;
        },
        caf::after(0s) >> [] {});
    return made;
  }

  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:1"});
  chunk_credit_ptr credit = std::make_shared<recorded_credit>();
  decoder_progress_ptr progress = std::make_shared<decoder_progress>();
  decoder_actor decoder;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(decoder_tests, fixture)

CAF_TEST(every chunk makes one batch whatever is in it) {
  start();
  decode(chunk_of(1, frame_of("process.spawned", 1)));
  const batch_ptr accepted = batch_made();
  CAF_REQUIRE(accepted);
  CAF_CHECK_EQUAL(accepted->declarations.size(), 1u);
  decode(chunk_of(2, malformed_frame()));
  const batch_ptr refused = batch_made();
  CAF_REQUIRE(refused);
  CAF_CHECK(refused->declarations.empty());
  CAF_CHECK_EQUAL(refused->refused[telemetry_errc::malformed_frame], 1u);
  decode(chunk_of(3, {}, 0));
  CAF_CHECK(batch_made());
}

CAF_TEST(a batch has the cells own attribution and keeps its chunk) {
  start();
  const chunk_ptr chunk = chunk_of(1, frame_of("process.spawned", 1));
  decode(chunk);
  const batch_ptr made = batch_made();
  CAF_REQUIRE(made);
  CAF_CHECK(made->attribution == run);
  CAF_CHECK(made->chunk == chunk);
}

CAF_TEST(an accepted frame is a sign of life and a refused one is not ) {
  start();
  const monotonic_time admitted = progress->last_accepted;
  pass(50ms);
  decode(chunk_of(1, malformed_frame()));
  CAF_CHECK(progress->last_accepted.load() == admitted);
  decode(chunk_of(2, frame_of("process.spawned", 1)));
  CAF_CHECK(progress->last_accepted.load() == now());
}

CAF_TEST(a chunk that comes again does not move the last sign of life back) {
  start();
  const chunk_ptr early = chunk_of(1, frame_of("process.spawned", 1));
  pass(50ms);
  decode(chunk_of(2, frame_of("process.spawned", 2)));
  const monotonic_time latest = progress->last_accepted;
  decode(early);
  CAF_CHECK(progress->last_accepted.load() == latest);
}

CAF_TEST(the last accepted time is answered after what was sent before) {
  start();
  pass(20ms);
  caf::anon_send(decoder, chunk_of(1, frame_of("process.spawned", 1)), credit);
  auto asked = self->request(decoder, caf::infinite, barrier_atom::value);
  consume_messages();
  CAF_CHECK(batch_made());
  asked.receive([&](monotonic_time answered) { CAF_CHECK(answered == now()); },
                [](const caf::error& why) { CAF_FAIL(explanation(why)); });
}

CAF_TEST(a chunk of the quarantine is not decoded and its stand in goes to the sink) {
  environment->decode = [](const chunk_ptr&, const host_stamp_ptr&) -> batch { throw std::logic_error{"decoded"}; };
  start({{7, 3, "file-7"}});
  decode(chunk_of(7, frame_of("process.spawned", 1)));
  bool stood_in = false;
  self->receive(
      [&](quarantine_atom, const host_stamp_ptr& of, const quarantined_chunk& chunk, const chunk_credit_ptr&) {
        stood_in = of == run && chunk.sequence == 7 && chunk.frames == 3 && chunk.file == "file-7";
      },
      caf::after(0s) >> [] {});
  CAF_CHECK(stood_in);
}

CAF_TEST(a decoder that dies leaves the sequence that it died at) {
  environment->decode = [](const chunk_ptr&, const host_stamp_ptr&) -> batch { throw std::runtime_error{"poison"}; };
  start();
  self->monitor(decoder);
  decode(chunk_of(9, frame_of("process.spawned", 1)));
  bool died = false;
  self->receive([&](const caf::down_msg&) { died = true; }, caf::after(0s) >> [] {});
  CAF_CHECK(died);
  CAF_CHECK_EQUAL(progress->decoding.load(), 9u);
}

CAF_TEST(between chunks no sequence is to blame) {
  start();
  decode(chunk_of(1, frame_of("process.spawned", 1)));
  CAF_CHECK(batch_made());
  CAF_CHECK_EQUAL(progress->decoding.load(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
