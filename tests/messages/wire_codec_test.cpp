#include "messages/wire_codec.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "messages/wire_format.hpp"
#include "tests/support/frame_bodies.hpp"

#define CAF_SUITE wire_codec
#include "caf/test/dsl.hpp"

// Unknown keys have a suite of their own, wire_codec_unknown_keys; so have damaged bodies, wire_codec_sweep.

using namespace cellos;

namespace {

constexpr std::uint64_t u16_max = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();

/// 1.1, 1.7 and 1.255: those that know `seq` and `dropped`.
constexpr std::uint16_t later_minors[] = {0x0101, 0x0107, 0x01FF};

std::string result(const cbor::octets& body) { return std::string{to_string(decode_frame_body(body).refusal)}; }
std::string result(const body_pairs& pairs) { return result(body_of(pairs)); }

std::string labelled(std::string_view label, std::string_view word) {
  return std::string{label} + ": " + std::string{word};
}

struct named_value {
  std::string_view name;
  cbor::octets value;
};

/// One value of every kind that is not an unsigned integer and not a definite text string.
std::vector<named_value> values_of_other_kinds() {
  using namespace cbor;
  return {
      {"negative", negative(0)},
      {"smallest negative", negative(u64_max)},
      {"bytes", bytes("bash")},
      {"indefinite bytes", open_ended(major::bytes, {bytes("bash")})},
      {"indefinite text", open_ended(major::text, {text("bash")})},
      {"array", array({number(1)})},
      {"empty array", array({})},
      {"indefinite array", open_ended(major::array, {number(1)})},
      {"map", map({text("a"), number(1)})},
      {"empty map", map({})},
      {"indefinite map", open_ended(major::map, {})},
      {"tagged number", tag(1, number(256))},
      {"tagged text", tag(0, text("process.spawned"))},
      {"half float", half_float(0x3C00)},
      {"single float", single_float(0x43800000)},
      {"double float", double_float(0x4070000000000000)},
      {"true", boolean(true)},
      {"false", boolean(false)},
      {"null", null()},
      {"undefined", undefined()},
      {"unassigned simple", simple(0)},
      {"two-byte simple", simple(255)},
      {"break", stop()},
  };
}

const std::vector<std::string> five_keys{"content_version", "probe_source", "guest_pid", "guest_comm",
                                         "guest_monotonic_ns"};

bool is_text_key(std::string_view key) { return key == "probe_source" || key == "guest_comm"; }

/// What `key` comes to, for every value that is not of its kind.
void check_refuses_other_kinds(const body_pairs& pairs, const std::string& key) {
  for (const auto& [name, value] : values_of_other_kinds()) {
    const std::string label = key + " as " + std::string{name};
    CAF_CHECK_EQUAL(labelled(label, result(with(pairs, key, value))), labelled(label, "malformed_frame"));
  }
  const auto other = is_text_key(key) ? cbor::number(1) : cbor::text("1");
  CAF_CHECK_EQUAL(labelled(key, result(with(pairs, key, other))), labelled(key, "malformed_frame"));
}

}  // namespace

CAF_TEST(an_honest_body_yields_its_four_fields) {
  const auto body = body_of(honest_pairs());
  const decoded_frame frame = decode_frame_body(body);
  CAF_CHECK_EQUAL(result(body), "none");
  CAF_CHECK(frame.declaration.source == probe_source::process_spawned);
  CAF_CHECK_EQUAL(frame.declaration.guest_pid, 4242u);
  CAF_CHECK_EQUAL(std::string{frame.declaration.guest_comm}, "bash");
  CAF_CHECK_EQUAL(frame.declaration.guest_monotonic_ns, 5'123'456'789u);
  CAF_CHECK(!frame.forged_attribution);
  CAF_CHECK(!frame.seq && !frame.dropped);
}

CAF_TEST(guest_comm_borrows_from_the_body) {
  const auto body = body_of(honest_pairs());
  const auto comm = decode_frame_body(body).declaration.guest_comm;
  const auto* const first = reinterpret_cast<const char*>(body.data());
  CAF_CHECK(comm.data() > first);
  CAF_CHECK(comm.data() + comm.size() <= first + body.size());
}

CAF_TEST(every_known_probe_source_is_accepted) {
  for (auto name : probe_source_names) {
    const auto body = body_of(with(honest_pairs(), "probe_source", cbor::text(name)));
    const auto frame = decode_frame_body(body);
    CAF_CHECK_EQUAL(labelled(name, result(body)), labelled(name, "none"));
    CAF_CHECK_EQUAL(std::string{to_string(frame.declaration.source)}, std::string{name});
  }
}

CAF_TEST(any_other_probe_source_is_unknown_and_not_malformed) {
  for (auto name :
       {"", "process", "process.spawned ", "Process.spawned", "process_spawned", "fs.inotify_fired.", "\xE2\x98\x83"}) {
    CAF_CHECK_EQUAL(result(with(honest_pairs(), "probe_source", cbor::text(name))), "unknown_probe_source");
  }
  const std::string_view with_nul{"process.spawned\0", 16};
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "probe_source", cbor::text(with_nul))), "unknown_probe_source");
}

CAF_TEST(form_is_checked_before_the_probe_source) {
  const auto unknown = with(honest_pairs(), "probe_source", cbor::text("made.up"));
  CAF_CHECK_EQUAL(result(unknown), "unknown_probe_source");
  CAF_CHECK_EQUAL(result(without(unknown, "guest_pid")), "malformed_frame");
  CAF_CHECK_EQUAL(result(cbor::join({body_of(unknown), cbor::number(0)})), "malformed_frame");
}

CAF_TEST(each_of_the_five_keys_is_required) {
  for (const auto& key : five_keys) {
    CAF_CHECK_EQUAL(labelled(key, result(without(honest_pairs(), key))), labelled(key, "malformed_frame"));
  }
}

CAF_TEST(a_required_key_missing_but_counted_is_malformed_too) {
  const auto four = without(honest_pairs(), "guest_comm");
  CAF_CHECK_EQUAL(result(cbor::join({cbor::head(cbor::major::map, 5), pairs_only(four)})), "malformed_frame");
}

CAF_TEST(each_of_the_five_keys_may_stand_only_once) {
  for (const auto& [key, value] : honest_pairs()) {
    CAF_CHECK_EQUAL(labelled(key, result(plus(honest_pairs(), key, value))), labelled(key, "malformed_frame"));
  }
}

CAF_TEST(a_duplicate_is_malformed_even_when_the_count_of_pairs_fits) {
  auto pairs = without(honest_pairs(), "guest_comm");
  pairs.push_back(pairs[2]);
  CAF_CHECK_EQUAL(result(pairs), "malformed_frame");
}

CAF_TEST(content_version_comes_first) {
  for (std::size_t place = 1; place < five_keys.size(); ++place) {
    auto pairs = honest_pairs();
    std::rotate(pairs.begin(), pairs.begin() + 1, pairs.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    CAF_CHECK_EQUAL(labelled(pairs[place].key, result(pairs)), "content_version: malformed_frame");
  }
  const body_pairs late_major_2 = with(honest_pairs(), "content_version", cbor::number(0x0200));
  CAF_CHECK_EQUAL(result({late_major_2[1], late_major_2[0], late_major_2[2], late_major_2[3], late_major_2[4]}),
                  "malformed_frame");
}

CAF_TEST(the_other_four_may_come_in_any_order) {
  auto pairs = honest_pairs();
  const auto by_key = [](const body_pair& a, const body_pair& b) { return a.key < b.key; };
  std::sort(pairs.begin() + 1, pairs.end(), by_key);
  int orders = 0;
  do {
    const auto body = body_of(pairs);
    const auto frame = decode_frame_body(body);
    CAF_CHECK(frame.refusal == telemetry_errc::none);
    CAF_CHECK(frame.declaration == (guest_declaration{probe_source::process_spawned, 4242, 5'123'456'789, "bash"}));
    ++orders;
  } while (std::next_permutation(pairs.begin() + 1, pairs.end(), by_key));
  CAF_CHECK_EQUAL(orders, 24);
}

CAF_TEST(every_wrong_kind_of_value_is_refused_for_each_of_the_five) {
  for (const auto& key : five_keys) check_refuses_other_kinds(honest_pairs(), key);
}

CAF_TEST(content_version_is_16_bits_wide) {
  CAF_CHECK_EQUAL(result(honest_pairs(0x01FF)), "none");
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "content_version", cbor::number(u16_max))), "unsupported_version");
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "content_version", cbor::number(u16_max + 1))), "malformed_frame");
  // Its low 16 bits would be 1.0.
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "content_version", cbor::number(0x10100))), "malformed_frame");
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "content_version", cbor::number(u64_max))), "malformed_frame");
}

CAF_TEST(guest_pid_is_32_bits_wide) {
  for (std::uint64_t pid : {std::uint64_t{0}, std::uint64_t{1}, u32_max}) {
    const auto body = body_of(with(honest_pairs(), "guest_pid", cbor::number(pid)));
    CAF_CHECK_EQUAL(result(body), "none");
    CAF_CHECK_EQUAL(decode_frame_body(body).declaration.guest_pid, pid);
  }
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "guest_pid", cbor::number(u32_max + 1))), "malformed_frame");
  CAF_CHECK_EQUAL(result(with(honest_pairs(), "guest_pid", cbor::number(u64_max))), "malformed_frame");
}

CAF_TEST(guest_monotonic_ns_is_64_bits_wide) {
  for (std::uint64_t ns : {std::uint64_t{0}, u32_max, u32_max + 1, u64_max}) {
    const auto body = body_of(with(honest_pairs(), "guest_monotonic_ns", cbor::number(ns)));
    CAF_CHECK_EQUAL(result(body), "none");
    CAF_CHECK_EQUAL(decode_frame_body(body).declaration.guest_monotonic_ns, ns);
  }
}

CAF_TEST(integers_need_not_be_in_their_shortest_form) {
  for (int width : {1, 2, 4, 8}) {
    auto pairs = with(honest_pairs(), "guest_pid", cbor::wide_head(cbor::major::number, width, 7));
    pairs = with(pairs, "guest_monotonic_ns", cbor::wide_head(cbor::major::number, width, 9));
    if (width > 1) pairs = with(pairs, "content_version", cbor::wide_head(cbor::major::number, width, 0x0100));
    const auto body = body_of(pairs);
    CAF_CHECK_EQUAL(result(body), "none");
    CAF_CHECK_EQUAL(decode_frame_body(body).declaration.guest_pid, 7u);
    CAF_CHECK_EQUAL(decode_frame_body(body).declaration.guest_monotonic_ns, 9u);
  }
}

CAF_TEST(lengths_need_not_be_in_their_shortest_form) {
  using cbor::major;
  for (int width : {1, 2, 4, 8}) {
    const auto comm = cbor::join({cbor::wide_head(major::text, width, 4), {'b', 'a', 's', 'h'}});
    const auto pairs = with(honest_pairs(), "guest_comm", comm);
    const auto body = cbor::join({cbor::wide_head(major::map, width, 5), pairs_only(pairs)});
    CAF_CHECK_EQUAL(result(body), "none");
    CAF_CHECK_EQUAL(std::string{decode_frame_body(body).declaration.guest_comm}, "bash");
  }
}

CAF_TEST(text_that_is_not_utf8_is_malformed) {
  for (auto text : {"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80",
                    "\xF5\x80\x80\x80", "\x80", "\xC3", "\xE2\x98", "\xF0\x9F\x98", "a\xFF", "bash\xE2\x98("}) {
    for (auto key : {"guest_comm", "probe_source"}) {
      CAF_CHECK_EQUAL(result(with(honest_pairs(), key, cbor::text(text))), "malformed_frame");
    }
  }
}

CAF_TEST(guest_comm_may_be_any_utf8) {
  for (std::string_view comm : {std::string_view{""}, std::string_view{"\0", 1}, std::string_view{"\x1B[31m\n\"\\"},
                                std::string_view{"\xE2\x80\xA8"}, std::string_view{"\xF4\x8F\xBF\xBF"}}) {
    const auto body = body_of(with(honest_pairs(), "guest_comm", cbor::text(comm)));
    CAF_CHECK_EQUAL(result(body), "none");
    CAF_CHECK(decode_frame_body(body).declaration.guest_comm == comm);
  }
}

CAF_TEST(guest_comm_may_fill_the_largest_body) {
  const auto fixed = body_of(with(honest_pairs(), "guest_comm", cbor::text(std::string(1000, 'x')))).size() - 1000;
  const std::string comm(wire::max_frame_body_bytes - fixed, 'x');
  const auto body = body_of(with(honest_pairs(), "guest_comm", cbor::text(comm)));
  CAF_CHECK_EQUAL(body.size(), wire::max_frame_body_bytes);
  CAF_CHECK_EQUAL(result(body), "none");
  CAF_CHECK(decode_frame_body(body).declaration.guest_comm == comm);
}

CAF_TEST(the_outer_map_is_definite_untagged_and_alone) {
  const auto pairs = pairs_only(honest_pairs());
  CAF_CHECK_EQUAL(result(cbor::open_ended(cbor::major::map, {pairs})), "malformed_frame");
  CAF_CHECK_EQUAL(result(cbor::tag(55799, body_of(honest_pairs()))), "malformed_frame");
  CAF_CHECK_EQUAL(result(cbor::array({body_of(honest_pairs())})), "malformed_frame");
  CAF_CHECK_EQUAL(result(cbor::bytes("abc")), "malformed_frame");
  CAF_CHECK_EQUAL(result(cbor::join({cbor::head(cbor::major::array, 10), pairs})), "malformed_frame");
  for (const auto& [name, value] : values_of_other_kinds()) {
    CAF_CHECK_EQUAL(labelled(name, result(value)), labelled(name, "malformed_frame"));
  }
  CAF_CHECK_EQUAL(result(cbor::octets{}), "malformed_frame");
}

CAF_TEST(nothing_may_follow_the_map) {
  for (const auto& more : {cbor::number(0), cbor::stop(), cbor::octets{0x00, 0x00}, body_of(honest_pairs())}) {
    CAF_CHECK_EQUAL(result(cbor::join({body_of(honest_pairs()), more})), "malformed_frame");
  }
}

CAF_TEST(the_count_of_pairs_must_be_right) {
  const auto pairs = pairs_only(honest_pairs());
  for (std::uint64_t count : {std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{6}, std::uint64_t{1} << 32,
                              std::uint64_t{1} << 63, u64_max}) {
    CAF_CHECK_EQUAL(result(cbor::join({cbor::head(cbor::major::map, count), pairs})), "malformed_frame");
  }
}

CAF_TEST(keys_are_definite_text) {
  using namespace cbor;
  const auto value = number(1);
  for (const auto& key : {number(1), negative(1), bytes("guest_pid"), array({}), map({}), tag(1, text("x")), null(),
                          double_float(0), open_ended(major::text, {text("x")})}) {
    const auto body = join({head(major::map, 6), pairs_only(honest_pairs()), key, value});
    CAF_CHECK_EQUAL(result(body), "malformed_frame");
  }
  const auto open_key = join({head(major::map, 5), open_ended(major::text, {text("content_version")}), number(0x0100),
                              pairs_only(without(honest_pairs(), "content_version"))});
  CAF_CHECK_EQUAL(result(open_key), "malformed_frame");
}

CAF_TEST(another_major_is_unsupported) {
  for (auto version : {0x0000u, 0x0001u, 0x00FFu, 0x0200u, 0x0201u, 0x7F00u, 0x8100u, 0xFF01u, 0xFFFFu}) {
    CAF_CHECK_EQUAL(result(with(honest_pairs(), "content_version", cbor::number(version))), "unsupported_version");
  }
}

CAF_TEST(the_version_is_checked_before_any_other_field) {
  using namespace cbor;
  const auto version_2 = join({text("content_version"), number(0x0200)});
  const auto map_of = [&](std::uint64_t pairs, const octets& rest) {
    return join({head(major::map, pairs), version_2, rest});
  };
  CAF_CHECK_EQUAL(result(map_of(1, {})), "unsupported_version");
  CAF_CHECK_EQUAL(result(map_of(5, {})), "unsupported_version");
  CAF_CHECK_EQUAL(result(map_of(5, {0xFF, 0x1C, 0xFF})), "unsupported_version");
  CAF_CHECK_EQUAL(result(map_of(5, number(9))), "unsupported_version");
  CAF_CHECK_EQUAL(result(map_of(u64_max, nested(100, number(9)))), "unsupported_version");
  CAF_CHECK_EQUAL(result(map_of(3, join({version_2, version_2}))), "unsupported_version");
}

CAF_TEST(the_outer_map_is_checked_before_the_version) {
  using namespace cbor;
  const auto version_2 = join({text("content_version"), number(0x0200)});
  CAF_CHECK_EQUAL(result(join({head(major::map, 0), version_2})), "malformed_frame");
  CAF_CHECK_EQUAL(result(open_ended(major::map, {version_2})), "malformed_frame");
  CAF_CHECK_EQUAL(result(tag(1, join({head(major::map, 1), version_2}))), "malformed_frame");
  CAF_CHECK_EQUAL(result(join({head(major::array, 2), version_2})), "malformed_frame");
}

CAF_TEST(any_minor_of_major_1_is_accepted) {
  for (std::uint16_t minor = 0; minor <= 0xFF; ++minor) {
    const auto body = body_of(honest_pairs(static_cast<std::uint16_t>(0x0100 | minor)));
    if (decode_frame_body(body).refusal != telemetry_errc::none) CAF_ERROR("minor " << minor << " is refused");
  }
  CAF_CHECK_EQUAL(result(honest_pairs(0x0100)), "none");
  for (auto version : later_minors) CAF_CHECK_EQUAL(result(honest_pairs(version)), "none");
}

CAF_TEST(seq_and_dropped_are_read_from_minor_1_on) {
  for (auto version : later_minors) {
    const auto body =
        body_of(plus(plus(honest_pairs(version), "seq", cbor::number(u64_max)), "dropped", cbor::number(0)));
    const auto frame = decode_frame_body(body);
    CAF_CHECK_EQUAL(result(body), "none");
    CAF_CHECK(frame.seq == u64_max);
    CAF_CHECK(frame.dropped == 0u);
  }
}

CAF_TEST(seq_and_dropped_are_optional_and_independent) {
  const auto only_seq = decode_frame_body(body_of(plus(honest_pairs(0x0101), "seq", cbor::number(3))));
  CAF_CHECK(only_seq.refusal == telemetry_errc::none);
  CAF_CHECK(only_seq.seq == 3u);
  CAF_CHECK(!only_seq.dropped);
  const auto only_dropped = decode_frame_body(body_of(plus(honest_pairs(0x0101), "dropped", cbor::number(4))));
  CAF_CHECK(only_dropped.refusal == telemetry_errc::none);
  CAF_CHECK(!only_dropped.seq);
  CAF_CHECK(only_dropped.dropped == 4u);
}

CAF_TEST(seq_and_dropped_may_stand_anywhere_behind_the_version) {
  auto pairs = honest_pairs(0x0101);
  pairs.insert(pairs.begin() + 1, {"dropped", cbor::number(1)});
  pairs.insert(pairs.begin() + 3, {"seq", cbor::number(2)});
  const auto frame = decode_frame_body(body_of(pairs));
  CAF_CHECK(frame.refusal == telemetry_errc::none);
  CAF_CHECK(frame.seq == 2u);
  CAF_CHECK(frame.dropped == 1u);
}

CAF_TEST(under_1_0_seq_and_dropped_are_unknown_keys) {
  for (const auto& [name, value] : values_of_other_kinds()) {
    if (name == "break") continue;
    const auto frame = decode_frame_body(body_of(plus(plus(honest_pairs(), "seq", value), "dropped", value)));
    CAF_CHECK_EQUAL(labelled(name, to_string(frame.refusal)), labelled(name, "none"));
    CAF_CHECK(!frame.seq && !frame.dropped);
  }
  const auto twice = plus(plus(honest_pairs(), "seq", cbor::number(1)), "seq", cbor::number(1));
  CAF_CHECK_EQUAL(result(twice), "none");
  CAF_CHECK(!decode_frame_body(body_of(twice)).seq);
}

CAF_TEST(from_minor_1_on_a_wrong_seq_or_dropped_is_malformed) {
  for (const std::string key : {"seq", "dropped"}) {
    for (auto version : later_minors) {
      const auto pairs = plus(honest_pairs(version), key, cbor::number(1));
      CAF_CHECK_EQUAL(result(pairs), "none");
      check_refuses_other_kinds(pairs, key);
      CAF_CHECK_EQUAL(result(plus(pairs, key, cbor::number(1))), "malformed_frame");
    }
  }
}
