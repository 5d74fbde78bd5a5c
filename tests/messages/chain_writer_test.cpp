#include "messages/chain_writer.hpp"

#include <memory>
#include <string>

#include "tests/support/plain_sealing.hpp"

#define CAF_SUITE chain_writer
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr wall_time now{std::chrono::seconds{1'700'000'000}};

struct fixture {
  std::shared_ptr<seal_script> script = std::make_shared<seal_script>();
  std::string out;

  event_sealing_ptr sealing(std::uint64_t events_per_signature, const std::string& key = "first",
                            const std::string& former = {}) const {
    return std::make_shared<const plain_sealing>(key, former, events_per_signature, script);
  }

  static void write_data(std::string& to) { to += R"({"a":"b"})"; }

  static chain_writer writer(const event_sealing_ptr& sealing, chain_position at = {"host-a/1"}) {
    return {std::move(at), "/cellos/host/host-a", "urn:cellos:host:host-a", sealing};
  }

  void begin(chain_writer& chain) {
    chain.begin([&](const std::string& former) {
      chain.key_change(out, now, event_type::host_key_changed, former, write_data);
    });
  }

  void add(chain_writer& chain, event_type type) { chain.event(out, now, type, write_data); }

  /// A group of one event.
  void write(chain_writer& chain, event_type type = event_type::process_spawned) {
    begin(chain);
    add(chain, type);
    chain.commit(out);
  }

  /// Sequence and type of each line.
  std::string written() const {
    std::string all;
    for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1) {
      const auto line = parse_event_line(std::string_view{out}.substr(at, out.find('\n', at) - at));
      CAF_REQUIRE(line.has_value());
      all += std::to_string(parse_sequence(line->sequence).value_or(0)) + " ";
      all += std::string{event_name_in(line->type).value_or("?")} + "\n";
    }
    return all;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(chain_writer_tests, fixture)

CAF_TEST(events are numbered and linked from wherever the chain stands) {
  auto chain = writer(sealing(1));
  write(chain);
  write(chain);
  CAF_CHECK_EQUAL(chain.next_event(), 3u);
  CAF_CHECK(chain.position().digest == (event_digest{'2', '1'}));
  CAF_CHECK_EQUAL(chain.end().sequence, 2u);
  CAF_CHECK_EQUAL(chain.end().digest, std::to_string('2'));
  auto successor = writer(sealing(1), chain.position());
  write(successor);
  CAF_CHECK(successor.position().digest == (event_digest{'3', '2'}));
  CAF_CHECK_EQUAL(written(), "1 guest.v1.process_spawned\n2 guest.v1.process_spawned\n3 guest.v1.process_spawned\n");
}

CAF_TEST(without a sealing there are neither digests nor signatures) {
  auto chain = writer(nullptr);
  write(chain, event_type::run_started);
  CAF_CHECK(!chain.position().sealed);
  CAF_CHECK(chain.position().digest == no_event);
  CAF_CHECK_EQUAL(chain.position().key_id, "");
  CAF_CHECK_EQUAL(chain.end().digest, "");
  CAF_CHECK_EQUAL(chain.unsigned_events(), 0u);
  CAF_CHECK(!chain.is_checkpoint_due());
}

CAF_TEST(what the table says is always signed is so at any rate and the rest where each event is) {
  auto rarely = writer(sealing(100));
  write(rarely);
  write(rarely, event_type::agent_silenced);
  write(rarely, event_type::agent_resumed);
  CAF_CHECK_EQUAL(script->kinds, "csc");
  script->kinds.clear();
  auto each = writer(sealing(1));
  write(each);
  write(each, event_type::agent_silenced);
  CAF_CHECK_EQUAL(script->kinds, "ss");
}

CAF_TEST(a checkpoint is due after so many events without a signature) {
  auto chain = writer(sealing(3));
  begin(chain);
  add(chain, event_type::process_spawned);
  add(chain, event_type::process_exited);
  CAF_CHECK(!chain.is_checkpoint_due());
  add(chain, event_type::process_exited);
  CAF_CHECK(chain.is_checkpoint_due());
  chain.commit(out);
  CAF_CHECK_EQUAL(chain.unsigned_events(), 3u);
  write(chain, event_type::run_checkpoint);
  CAF_CHECK_EQUAL(chain.unsigned_events(), 0u);
  CAF_CHECK(!chain.is_checkpoint_due());
}

CAF_TEST(without a key nothing is due) {
  auto chain = writer(sealing(2, ""));
  for (int i = 0; i < 5; ++i) write(chain);
  CAF_CHECK_EQUAL(chain.unsigned_events(), 0u);
  CAF_CHECK(!chain.is_checkpoint_due());
}

CAF_TEST(a group that does not come to its end never was) {
  auto chain = writer(sealing(3));
  write(chain);
  const std::string before = out;
  const chain_position stood = chain.position();
  begin(chain);
  add(chain, event_type::process_spawned);
  add(chain, event_type::process_spawned);
  out = before;
  CAF_CHECK_EQUAL(chain.next_event(), stood.next_event);
  CAF_CHECK(chain.position().digest == stood.digest);
  CAF_CHECK_EQUAL(chain.unsigned_events(), 1u);
  write(chain);
  CAF_CHECK_EQUAL(written(), "1 guest.v1.process_spawned\n2 guest.v1.process_spawned\n");
}

CAF_TEST(nor does one that no key signs) {
  auto chain = writer(sealing(1));
  write(chain);
  const std::string before = out;
  script->calls_until_failure = 0;
  begin(chain);
  add(chain, event_type::process_spawned);
  CAF_CHECK(fails_to_sign([&] { chain.commit(out); }));
  out = before;
  CAF_CHECK_EQUAL(chain.next_event(), 2u);
  script->calls_until_failure = 100;
  write(chain);
  CAF_CHECK(chain.position().digest == (event_digest{'2', '1'}));
}

CAF_TEST(what is sealed within a group is complete there) {
  auto chain = writer(sealing(100));
  begin(chain);
  add(chain, event_type::process_spawned);
  chain.seal(out);
  const chain_position part = chain.sealed_position();
  CAF_CHECK_EQUAL(part.next_event, 2u);
  CAF_CHECK(part.digest == (event_digest{'1', 0}));
  CAF_CHECK_EQUAL(chain.next_event(), 1u);
  add(chain, event_type::process_spawned);
  chain.commit(out);
  CAF_CHECK(chain.position().digest == (event_digest{'2', '1'}));
  CAF_CHECK_EQUAL(script->kinds, "cc");
}

CAF_TEST(a change of keys is reported by the first event under the new one) {
  auto chain = writer(sealing(1));
  write(chain);
  CAF_CHECK(chain.change_key(sealing(1, "second", "first")));
  // Until it is reported, the former key vouches for the chain.
  CAF_CHECK_EQUAL(chain.position().key_id, "first");
  write(chain);
  write(chain);
  CAF_CHECK_EQUAL(chain.position().key_id, "second");
  CAF_CHECK_EQUAL(written(),
                  "1 guest.v1.process_spawned\n2 host.v1.key_changed\n3 guest.v1.process_spawned\n"
                  "4 guest.v1.process_spawned\n");
  CAF_CHECK_EQUAL(script->kinds, "shss");
}

CAF_TEST(a change that was not written is still to be reported) {
  auto chain = writer(sealing(1));
  write(chain);
  const std::string before = out;
  chain.change_key(sealing(1, "second"));
  begin(chain);
  out = before;
  CAF_CHECK_EQUAL(chain.position().key_id, "first");
  // Twice changed, it is the key that signed last that is named.
  chain.change_key(sealing(1, "third"));
  CAF_CHECK_EQUAL(chain.position().key_id, "first");
  write(chain);
  CAF_CHECK_EQUAL(written(), "1 guest.v1.process_spawned\n2 host.v1.key_changed\n3 guest.v1.process_spawned\n");
  // The former key is not at hand.
  CAF_CHECK_EQUAL(script->kinds, "sss");
}

CAF_TEST(a chain that another key vouched for last goes on with the change) {
  auto chain = writer(sealing(1, "second"), {"host-a/1", 5, true, event_digest{9}, "first"});
  write(chain);
  CAF_CHECK_EQUAL(written(), "5 host.v1.key_changed\n6 guest.v1.process_spawned\n");
  out.clear();
  auto same = writer(sealing(1, "second"), chain.position());
  write(same);
  CAF_CHECK_EQUAL(written(), "7 guest.v1.process_spawned\n");
}

CAF_TEST(a chain without digests stays without and another rate is no change of keys) {
  auto plain = writer(nullptr);
  CAF_CHECK(!plain.change_key(sealing(1)));
  write(plain);
  CAF_CHECK(!plain.position().sealed);
  out.clear();
  auto chain = writer(sealing(1));
  CAF_CHECK(!chain.change_key(nullptr));
  CAF_CHECK(!chain.change_key(chain.sealing()));
  CAF_CHECK(chain.change_key(sealing(100)));
  write(chain);
  CAF_CHECK_EQUAL(written(), "1 guest.v1.process_spawned\n");
  CAF_CHECK_EQUAL(script->kinds, "c");
}

CAF_TEST(what was saved comes back with its key) {
  auto chain = writer(sealing(1));
  write(chain);
  const chain_writer::state before = chain.save();
  const std::string lines = out;
  chain.change_key(sealing(1, "second"));
  write(chain);
  chain.restore(before);
  out = lines;
  CAF_CHECK_EQUAL(chain.position().key_id, "first");
  write(chain);
  CAF_CHECK_EQUAL(written(), "1 guest.v1.process_spawned\n2 guest.v1.process_spawned\n");
  CAF_CHECK(chain.position().digest == (event_digest{'2', '1'}));
}

CAF_TEST_FIXTURE_SCOPE_END()
