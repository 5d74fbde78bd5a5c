#include "messages/decode_chunk.hpp"

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "messages/wire_format.hpp"
#include "tests/support/frame_bodies.hpp"

#define CAF_SUITE decode_chunk
#include "caf/test/dsl.hpp"

using namespace cellos;
using cbor::octets;

namespace {

constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();
constexpr wall_time received_at{std::chrono::nanoseconds{1'796'000'000'000'000'001}};

host_stamp_ptr cell_1() { return std::make_shared<host_stamp>(host_stamp{"host-a", "cell-1", "run-7", "sha256:abc"}); }

std::shared_ptr<received_chunk> chunk_of(const std::vector<octets>& bodies, chunk_ending ending = chunk_ending::none) {
  auto chunk = std::make_shared<received_chunk>();
  for (const octets& body : bodies) {
    const octets frame = framed(body);
    chunk->bytes.insert(chunk->bytes.end(), frame.begin(), frame.end());
  }
  chunk->sequence = 3;
  chunk->received_at = received_at;
  chunk->frames = static_cast<std::uint32_t>(bodies.size());
  chunk->ending = ending;
  return chunk;
}

batch decoded(const std::vector<octets>& bodies, chunk_ending ending = chunk_ending::none) {
  return decode_chunk(chunk_of(bodies, ending), cell_1());
}

octets spawned(std::string_view comm) { return body_of(with(honest_pairs(), "guest_comm", cbor::text(comm))); }
octets heartbeat() { return body_of(with(honest_pairs(), "probe_source", cbor::text("agent.heartbeat"))); }
octets malformed() { return body_of(without(honest_pairs(), "guest_pid")); }
octets unsupported() { return body_of(honest_pairs(0x0200)); }
octets unknown_source() { return body_of(with(honest_pairs(), "probe_source", cbor::text("made.up"))); }
octets forged() { return body_of(plus(honest_pairs(), "cell_id", cbor::text("cell-2"))); }

octets numbered(std::uint64_t seq) {
  return body_of(plus(honest_pairs(wire::content_version_1_1), "seq", cbor::number(seq)));
}
octets dropping(std::uint64_t dropped) {
  return body_of(plus(honest_pairs(wire::content_version_1_1), "dropped", cbor::number(dropped)));
}

}  // namespace

CAF_TEST(declarations_come_in_frame_order) {
  const auto result = decoded({spawned("a"), spawned("b"), spawned("c")});
  CAF_REQUIRE_EQUAL(result.declarations.size(), 3u);
  std::string comms;
  for (const auto& declared : result.declarations) comms += declared.guest_comm;
  CAF_CHECK_EQUAL(comms, "abc");
  CAF_CHECK_EQUAL(result.accepted(), 3u);
  CAF_CHECK_EQUAL(result.refused.total(), 0u);
}

CAF_TEST(a_batch_keeps_its_chunk_alive_because_declarations_borrow_from_it) {
  auto chunk = chunk_of({spawned("borrowed")});
  const auto* const first = reinterpret_cast<const char*>(chunk->bytes.data());
  const auto* const last = first + chunk->bytes.size();
  const std::weak_ptr<const received_chunk> watched = chunk;
  {
    const batch result = decode_chunk(std::move(chunk), cell_1());
    CAF_CHECK(!watched.expired());
    CAF_CHECK(result.declarations[0].guest_comm.data() > first && result.declarations[0].guest_comm.data() < last);
    CAF_CHECK_EQUAL(std::string{result.declarations[0].guest_comm}, "borrowed");
  }
  CAF_CHECK(watched.expired());
}

CAF_TEST(every_declaration_is_stamped_with_the_cell_and_the_time_of_the_chunk) {
  const auto attribution = cell_1();
  const auto result = decode_chunk(chunk_of({forged(), spawned("b")}), attribution);
  CAF_REQUIRE_EQUAL(result.declarations.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    CAF_CHECK(&result.stamped(i).attribution() == attribution.get());
    CAF_CHECK(result.stamped(i).host_received_at() == received_at);
    CAF_CHECK(result.stamped(i).declared() == result.declarations[i]);
  }
}

CAF_TEST(a_refused_frame_is_counted_by_its_kind_and_the_next_goes_on) {
  const auto result = decoded({malformed(), spawned("a"), unsupported(), unsupported(), spawned("b"), unknown_source(),
                               unknown_source(), unknown_source(), spawned("c"), octets{0xFF}});
  CAF_CHECK_EQUAL(result.declarations.size(), 3u);
  CAF_CHECK_EQUAL(result.refused[telemetry_errc::malformed_frame], 2u);
  CAF_CHECK_EQUAL(result.refused[telemetry_errc::unsupported_version], 2u);
  CAF_CHECK_EQUAL(result.refused[telemetry_errc::unknown_probe_source], 3u);
  CAF_CHECK_EQUAL(result.refused[telemetry_errc::torn_frame], 0u);
  CAF_CHECK_EQUAL(result.refused[telemetry_errc::framing_lost], 0u);
}

CAF_TEST(a_chunk_of_refusals_still_makes_a_batch) {
  const auto result = decoded({malformed(), malformed()});
  CAF_CHECK(result.chunk != nullptr && result.chunk->sequence == 3);
  CAF_CHECK(result.attribution != nullptr && *result.attribution == *cell_1());
  CAF_CHECK_EQUAL(result.accepted(), 0u);
  CAF_CHECK_EQUAL(result.refused.total(), 2u);
}

CAF_TEST(heartbeats_are_accepted_and_counted_but_are_no_declarations) {
  const auto result = decoded({heartbeat(), spawned("a"), heartbeat()});
  CAF_CHECK_EQUAL(result.heartbeats, 2u);
  CAF_CHECK_EQUAL(result.declarations.size(), 1u);
  CAF_CHECK_EQUAL(result.accepted(), 3u);
}

CAF_TEST(the_agents_own_telemetry_dropped_is_a_declaration) {
  const auto result = decoded({body_of(with(honest_pairs(), "probe_source", cbor::text("telemetry.dropped")))});
  CAF_REQUIRE_EQUAL(result.declarations.size(), 1u);
  CAF_CHECK(result.declarations[0].source == probe_source::telemetry_dropped);
}

CAF_TEST(forged_attribution_counts_accepted_frames) {
  auto every_key = honest_pairs();
  for (auto key : wire::attribution_keys) every_key = plus(every_key, key, cbor::text("x"));
  auto heartbeat_pairs = with(honest_pairs(), "probe_source", cbor::text("agent.heartbeat"));
  const auto forged_heartbeat = body_of(plus(heartbeat_pairs, "run_id", cbor::null()));
  const auto forged_refused = body_of(plus(without(honest_pairs(), "guest_pid"), "cell_id", cbor::text("x")));
  const auto result = decoded({forged(), body_of(every_key), forged_heartbeat, forged_refused, spawned("a")});
  CAF_CHECK_EQUAL(result.forged_attribution, 3u);
  CAF_CHECK_EQUAL(result.declarations.size(), 3u);
}

CAF_TEST(an_ending_inside_a_frame_is_one_torn_frame) {
  CAF_CHECK_EQUAL(decoded({spawned("a")}, chunk_ending::torn).refused[telemetry_errc::torn_frame], 1u);
  CAF_CHECK_EQUAL(decoded({spawned("a")}, chunk_ending::torn).declarations.size(), 1u);
  CAF_CHECK_EQUAL(decoded({}, chunk_ending::torn).refused.total(), 1u);
}

CAF_TEST(an_ending_by_a_length_out_of_bounds_is_one_framing_lost) {
  CAF_CHECK_EQUAL(decoded({spawned("a")}, chunk_ending::framing_lost).refused[telemetry_errc::framing_lost], 1u);
  CAF_CHECK_EQUAL(decoded({}, chunk_ending::framing_lost).refused.total(), 1u);
}

CAF_TEST(an_ending_between_frames_refuses_nothing) {
  CAF_CHECK_EQUAL(decoded({spawned("a")}, chunk_ending::closed).refused.total(), 0u);
  CAF_CHECK_EQUAL(decoded({}, chunk_ending::closed).accepted(), 0u);
  CAF_CHECK_EQUAL(decoded({}).refused.total(), 0u);
}

CAF_TEST(what_went_in_is_what_comes_out) {
  const octets kinds[] = {spawned("a"),     heartbeat(), malformed(), unsupported(),
                          unknown_source(), forged(),    numbered(4)};
  std::mt19937_64 random{7};
  for (int round = 0; round < 300; ++round) {
    std::vector<octets> bodies(random() % 40);
    for (octets& body : bodies) body = kinds[random() % std::size(kinds)];
    const bool torn = random() % 2 == 0;
    const auto result = decoded(bodies, torn ? chunk_ending::torn : chunk_ending::none);
    if (result.accepted() + result.refused.total() != bodies.size() + (torn ? 1 : 0)) CAF_ERROR("round " << round);
  }
}

CAF_TEST(without_1_1_there_is_no_loss_account) {
  const auto result = decoded({spawned("a"), body_of(plus(honest_pairs(), "seq", cbor::number(9)))});
  CAF_CHECK(!result.losses.has_seq);
  CAF_CHECK(!result.losses.has_dropped);
  CAF_CHECK_EQUAL(result.losses.missing_within, 0u);
}

CAF_TEST(seq_shows_where_a_chunk_begins_and_ends) {
  const auto result = decoded({numbered(5), numbered(6), numbered(7)});
  CAF_CHECK(result.losses.has_seq);
  CAF_CHECK_EQUAL(result.losses.first_seq, 5u);
  CAF_CHECK_EQUAL(result.losses.next_seq, 8u);
  CAF_CHECK_EQUAL(result.losses.missing_within, 0u);
}

CAF_TEST(numbers_that_never_came_are_missing) {
  const auto result = decoded({numbered(0), numbered(3), spawned("without"), numbered(4), numbered(10)});
  CAF_CHECK_EQUAL(result.losses.missing_within, 2u + 5u);
  CAF_CHECK_EQUAL(result.losses.next_seq, 11u);
}

CAF_TEST(a_refused_frame_does_not_carry_its_number) {
  auto refused = with(honest_pairs(wire::content_version_1_1), "probe_source", cbor::text("made.up"));
  const auto result = decoded({numbered(0), body_of(plus(refused, "seq", cbor::number(1))), numbered(2)});
  CAF_CHECK_EQUAL(result.refused.total(), 1u);
  CAF_CHECK_EQUAL(result.losses.missing_within, 1u);
}

CAF_TEST(a_seq_that_goes_back_is_no_loss) {
  const auto result = decoded({numbered(8), numbered(2), numbered(3), numbered(3), numbered(5), numbered(10)});
  CAF_CHECK_EQUAL(result.losses.missing_within, 1u);
  CAF_CHECK_EQUAL(result.losses.first_seq, 8u);
  CAF_CHECK_EQUAL(result.losses.next_seq, 11u);
}

CAF_TEST(loss_accounts_do_not_overflow) {
  const auto result = decoded({numbered(0), numbered(u64_max), numbered(0), numbered(u64_max)});
  CAF_CHECK_EQUAL(result.losses.missing_within, u64_max - 1);
  CAF_CHECK_EQUAL(result.losses.next_seq, u64_max);
}

CAF_TEST(the_highest_drop_counter_counts) {
  const auto result = decoded({dropping(2), dropping(7), spawned("a"), dropping(5)});
  CAF_CHECK(result.losses.has_dropped);
  CAF_CHECK_EQUAL(result.losses.dropped, 7u);
  CAF_CHECK(!result.losses.has_seq);
}

CAF_TEST(heartbeats_carry_counters_too) {
  auto pairs = with(honest_pairs(wire::content_version_1_1), "probe_source", cbor::text("agent.heartbeat"));
  const auto result = decoded({body_of(plus(plus(pairs, "seq", cbor::number(1)), "dropped", cbor::number(2)))});
  CAF_CHECK_EQUAL(result.heartbeats, 1u);
  CAF_CHECK_EQUAL(result.losses.next_seq, 2u);
  CAF_CHECK_EQUAL(result.losses.dropped, 2u);
}

CAF_TEST(any_bytes_make_a_batch) {
  std::mt19937_64 random{11};
  for (int round = 0; round < 2000; ++round) {
    auto chunk = chunk_of({spawned("a"), numbered(1)});
    for (int i = 0; i < 4; ++i) chunk->bytes[random() % chunk->bytes.size()] = static_cast<std::uint8_t>(random());
    chunk->bytes.resize(random() % (chunk->bytes.size() + 1));
    chunk->bytes.shrink_to_fit();
    const auto result = decode_chunk(chunk, cell_1());
    if (result.chunk != chunk) CAF_ERROR("round " << round);
  }
}
