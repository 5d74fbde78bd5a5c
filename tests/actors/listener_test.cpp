#define CAF_SUITE listener
#include "actors/listener.hpp"

#include "actors/supervision.hpp"
#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// A LISTENER on an intake of the test's, whose DECODER is the test itself.
struct fixture : host_fixture {
  fixture() : intake(std::make_shared<manual_intake>()) {
    listener = sys.spawn(make_listener, run, intake, std::uint64_t{1}, std::cref(*environment));
    consume_messages();
  }

  ~fixture() override {
    if (listener) caf::anon_send_exit(listener, caf::exit_reason::kill);
    consume_messages();
  }

  void give_decoder() {
    caf::anon_send(listener, caf::actor_cast<decoder_actor>(self));
    consume_messages();
  }

  void read_chunk() {
    intake->receive(frame_of("process.spawned", 1), 1, now());
    consume_messages();
  }

  /// Sequences of the chunks that wait in the test's mailbox.
  std::vector<std::uint64_t> delivered() {
    std::vector<std::uint64_t> seen;
    while (!self->mailbox().empty()) {
      self->receive([&](const chunk_ptr& chunk, const chunk_credit_ptr& with) {
        seen.push_back(chunk->sequence);
        credit = with;
      });
    }
    return seen;
  }

  /// By the credit of the chunk that was delivered last.
  void acknowledge(std::uint64_t sequence) {
    credit->acknowledge(sequence);
    consume_messages();
  }

  using sequences = std::vector<std::uint64_t>;

  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:1"});
  std::shared_ptr<manual_intake> intake;
  /// Of the chunk that was delivered last.
  chunk_credit_ptr credit;
  listener_actor listener;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(listener_tests, fixture)

CAF_TEST(nothing is read before there is a decoder) {
  CAF_CHECK_EQUAL(intake->attachments, 0);
  give_decoder();
  CAF_CHECK_EQUAL(intake->attachments, 1);
}

CAF_TEST(chunks go to the decoder in order and stay unacknowledged) {
  give_decoder();
  read_chunk();
  read_chunk();
  CAF_CHECK_EQUAL(delivered(), (sequences{1, 2}));
  CAF_CHECK_EQUAL(intake->kept.size(), 2u);
}

CAF_TEST(the credit that goes with a chunk leads back to the intake) {
  give_decoder();
  read_chunk();
  read_chunk();
  CAF_CHECK_EQUAL(delivered(), (sequences{1, 2}));
  acknowledge(1);
  CAF_REQUIRE_EQUAL(intake->kept.size(), 1u);
  CAF_CHECK_EQUAL(intake->kept.front()->sequence, 2u);
}

CAF_TEST(a replay that is asked for by credit comes once) {
  give_decoder();
  read_chunk();
  CAF_CHECK_EQUAL(delivered(), sequences{1});
  credit->replay();
  consume_messages();
  CAF_CHECK_EQUAL(delivered(), sequences{1});
}

CAF_TEST(credit of a listener that is gone counts and of a cell that is gone is nobodys) {
  give_decoder();
  read_chunk();
  CAF_CHECK_EQUAL(delivered(), sequences{1});
  caf::anon_send_exit(listener, caf::exit_reason::kill);
  consume_messages();
  acknowledge(1);
  CAF_CHECK(intake->kept.empty());
  credit->replay();
  consume_messages();
  CAF_CHECK(delivered().empty());
  listener = listener_actor{};
  intake.reset();
  acknowledge(2);
}

CAF_TEST(an intake that nobody holds goes with what it delivers to) {
  give_decoder();
  read_chunk();
  CAF_CHECK_EQUAL(delivered(), sequences{1});
  const std::weak_ptr<manual_intake> seen = intake;
  intake.reset();
  caf::anon_send_exit(listener, caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK(seen.expired());
}

CAF_TEST(a successor of the decoder gets everything unacknowledged again) {
  give_decoder();
  read_chunk();
  read_chunk();
  read_chunk();
  CAF_CHECK_EQUAL(delivered().size(), 3u);
  acknowledge(1);
  give_decoder();
  CAF_CHECK_EQUAL(delivered(), (sequences{2, 3}));
}

CAF_TEST(a replay sends again what is unacknowledged and nothing else) {
  give_decoder();
  read_chunk();
  read_chunk();
  CAF_CHECK_EQUAL(delivered().size(), 2u);
  acknowledge(1);
  caf::anon_send(listener, replay_atom::value);
  consume_messages();
  CAF_CHECK_EQUAL(delivered(), sequences{2});
}

CAF_TEST(a drain is answered when the last chunk is acknowledged) {
  give_decoder();
  read_chunk();
  CAF_CHECK_EQUAL(delivered().size(), 1u);
  auto drained = self->request(listener, caf::infinite, drain_atom::value);
  consume_messages();
  CAF_CHECK(intake->drain_wanted);
  CAF_CHECK(self->mailbox().empty());
  acknowledge(1);
  std::uint64_t frames = 0;
  drained.receive([&](std::uint64_t received) { frames = received; },
                  [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  CAF_CHECK_EQUAL(frames, 1u);
}

CAF_TEST(a drain is answered after a replay that finds everything acknowledged) {
  give_decoder();
  read_chunk();
  CAF_CHECK_EQUAL(delivered().size(), 1u);
  auto drained = self->request(listener, caf::infinite, drain_atom::value);
  consume_messages();
  // By the credit of a listener before this one; what carried this one's was lost.
  intake->acknowledge(1);
  credit->replay();
  consume_messages();
  std::uint64_t frames = 0;
  drained.receive([&](std::uint64_t received) { frames = received; },
                  [](const caf::error& why) { CAF_FAIL(explanation(why)); });
  CAF_CHECK_EQUAL(frames, 1u);
}

CAF_TEST(a listener ends with its supervisor) {
  // A supervisor that has spawned nothing of its own and watches this one.
  // With an argument: CAF reaches through a null pointer for the arguments of a function that has none.
  const auto supervisor = sys.spawn(
      [](caf::event_based_actor* owner, const listener_actor& child) -> caf::behavior {
        monitor_child(owner, child);
        return {[](int) {}};
      },
      listener);
  consume_messages();
  self->monitor(listener);
  caf::anon_send_exit(supervisor, caf::exit_reason::kill);
  consume_messages();
  bool ended = false;
  self->receive([&](const caf::down_msg&) { ended = true; }, caf::after(0s) >> [] {});
  CAF_CHECK(ended);
}

CAF_TEST_FIXTURE_SCOPE_END()
