#include "runtime/guest_sim/frame_maker.hpp"

#include <algorithm>
#include <string>

#include "messages/wire_codec.hpp"

#define CAF_SUITE frame_maker
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;

namespace {

using make_function = made_frame (frame_maker::*)();

constexpr std::array<make_function, 9> every_kind{
    &frame_maker::honest,  &frame_maker::heartbeat,   &frame_maker::forged,
    &frame_maker::garbage, &frame_maker::wrong_major, &frame_maker::mixed,
    &frame_maker::lossy,   &frame_maker::torn,        &frame_maker::bad_length,
};

std::string text_of(const made_frame& made) { return {made.bytes.begin(), made.bytes.end()}; }

std::string stream(std::uint64_t seed, std::uint16_t version, make_function make, int frames) {
  frame_maker maker{seed, version};
  std::string all;
  for (int i = 0; i < frames; ++i) all += text_of((maker.*make)());
  return all;
}

std::uint32_t declared_length(const made_frame& made) { return wire::body_length(made.bytes.data()); }

bool contains(const std::string& where, std::string_view what) { return where.find(what) != std::string::npos; }

}  // namespace

CAF_TEST(a_seed_always_makes_the_same_bytes) {
  for (auto make : every_kind) {
    const auto once = stream(7, wire::content_version_1_1, make, 300);
    CAF_CHECK(once == stream(7, wire::content_version_1_1, make, 300));
    // A heartbeat leaves nothing to chance.
    if (make != &frame_maker::heartbeat) CAF_CHECK(once != stream(8, wire::content_version_1_1, make, 300));
  }
}

CAF_TEST(honest_bytes_never_change_between_releases) {
  const auto bytes = stream(1, wire::content_version_1_0, &frame_maker::honest, 1000);
  std::uint64_t fnv = 0xcbf29ce484222325;
  for (auto byte : bytes) fnv = (fnv ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  CAF_CHECK_EQUAL(fnv, 0xa9a760bb81c1aa47u);
}

CAF_TEST(all_but_torn_frames_and_bad_lengths_are_framed_within_the_limit) {
  std::size_t largest = 0;
  int misframed = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    frame_maker maker{seed, wire::content_version_1_1};
    for (int i = 0; i < 2000; ++i) {
      const auto made = maker.mixed();
      const auto length = declared_length(made);
      if (!wire::is_frameable(length) || length + wire::frame_header_bytes != made.bytes.size()) ++misframed;
      largest = std::max(largest, made.bytes.size());
    }
  }
  CAF_CHECK_EQUAL(misframed, 0);
  CAF_MESSAGE("padded frames reach the limit");
  CAF_CHECK_EQUAL(largest, wire::max_frame_bytes);
}

CAF_TEST(only_what_must_be_accepted_is_numbered) {
  frame_maker maker{3, wire::content_version_1_0};
  std::uint64_t declarations = 0;
  int misnumbered = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto expected = maker.mixed().expected;
    if (expected.refusal == telemetry_errc::none && !expected.heartbeat) ++declarations;
    if (maker.next_index() != declarations + 1) ++misnumbered;
  }
  CAF_CHECK_EQUAL(misnumbered, 0);
  CAF_CHECK(declarations > 1000);
}

CAF_TEST(a_torn_frame_lacks_its_end_and_a_bad_length_stands_alone) {
  frame_maker maker{5, wire::content_version_1_0};
  int torn_within_length = 0;
  int torn_within_body = 0;
  int bad_lengths = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto torn = maker.torn();
    if (!torn.bytes.empty() && torn.bytes.size() < wire::frame_header_bytes) {
      ++torn_within_length;
    } else if (torn.bytes.size() < declared_length(torn) + wire::frame_header_bytes) {
      ++torn_within_body;
    }
    const auto bad = maker.bad_length();
    if (bad.bytes.size() == wire::frame_header_bytes && !wire::is_frameable(declared_length(bad))) ++bad_lengths;
  }
  CAF_CHECK(torn_within_length > 0);
  CAF_CHECK_EQUAL(torn_within_length + torn_within_body, 1000);
  CAF_CHECK_EQUAL(bad_lengths, 1000);
  CAF_CHECK_EQUAL(maker.next_index(), 1u);
}

CAF_TEST(lossy_seq_advances_by_one_and_what_was_lost) {
  frame_maker maker{11, wire::content_version_1_1};
  frame_writer expected;
  std::uint64_t seq = 0;
  std::uint64_t dropped = 0;
  int as_expected = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto made = maker.lossy();
    seq += made.expected.missing_seq;
    dropped += made.expected.dropped;
    expected.start();
    write_loss_pairs(expected, {.source = {}, .comm = {}, .losses = loss_counters{seq, dropped}});
    const auto tail = expected.framed().subspan(wire::frame_header_bytes);
    if (std::ranges::equal(made.bytes.last(tail.size()), tail)) ++as_expected;
    ++seq;
  }
  CAF_CHECK_EQUAL(as_expected, 2000);
  CAF_CHECK(dropped > 0 && seq > 2000);
}

CAF_TEST(seq_starts_over_with_each_connection) {
  frame_maker maker{1, wire::content_version_1_1};
  const auto ends_with_seq = [](const made_frame& made, std::uint8_t seq) {
    const std::string tail = std::string{"cseq"} + static_cast<char>(seq) + "gdropped" + '\0';
    return text_of(made).ends_with(tail);
  };
  CAF_CHECK(ends_with_seq(maker.honest(), 0));
  CAF_CHECK(ends_with_seq(maker.heartbeat(), 1));
  maker.begin_connection();
  CAF_CHECK(ends_with_seq(maker.honest(), 0));
}

CAF_TEST(forged_frames_name_attribution_more_often_than_not) {
  frame_maker maker{2, wire::content_version_1_0};
  int forged = 0;
  for (int i = 0; i < 1000; ++i) forged += maker.forged().expected.forged ? 1 : 0;
  CAF_CHECK(forged > 500 && forged < 1000);
}

CAF_TEST(the_hosts_decoder_comes_to_every_result_known_beforehand) {
  for (auto version : {wire::content_version_1_0, wire::content_version_1_1}) {
    frame_maker maker{6, version};
    int agreed = 0;
    for (int i = 0; i < 50'000; ++i) {
      const auto next_index = maker.next_index();
      const auto made = maker.mixed();
      const auto result = decode_frame_body(made.bytes.subspan(wire::frame_header_bytes));
      const bool accepted = made.expected.refusal == telemetry_errc::none;
      const auto expected_index = made.expected.heartbeat ? next_index - 1 : next_index;
      const bool same = result.refusal == made.expected.refusal &&
                        (!accepted || (result.forged_attribution == made.expected.forged &&
                                       result.declaration.guest_monotonic_ns == expected_index &&
                                       result.seq.has_value() == (version == wire::content_version_1_1)));
      if (same) ++agreed;
    }
    CAF_CHECK_EQUAL(agreed, 50'000);
  }
}

CAF_TEST(comm_names_are_sometimes_hard_to_print) {
  const auto bytes = stream(1, wire::content_version_1_0, &frame_maker::honest, 2000);
  for (auto trap : {"\n", "\x1b[", "\"", "\\", "\xc3\xa9", "\xf0\x9f\x90\xa7"}) CAF_CHECK(contains(bytes, trap));
}
