#include <string>
#include <vector>

#include "messages/wire_codec.hpp"
#include "messages/wire_format.hpp"
#include "tests/support/frame_bodies.hpp"

#define CAF_SUITE wire_codec_unknown_keys
#include "caf/test/dsl.hpp"

using namespace cellos;
using cbor::octets;

namespace {

constexpr std::uint64_t u64_max = ~std::uint64_t{0};

std::string result(const octets& body) { return std::string{to_string(decode_frame_body(body).refusal)}; }

/// What an honest body with one more pair comes to; the pair in the middle, so that what follows it is read too.
decoded_frame decoded_with(std::string_view key, const octets& value) {
  auto pairs = honest_pairs();
  pairs.insert(pairs.begin() + 3, {std::string{key}, value});
  decoded_frame frame = decode_frame_body(body_of(pairs));
  frame.declaration.guest_comm = {};  // borrowed from a body that is gone
  return frame;
}

std::string result_on(const octets& value) {
  const auto frame = decoded_with("extra", value);
  if (frame.refusal == telemetry_errc::none && frame.declaration.guest_monotonic_ns != 5'123'456'789) return "misread";
  return std::string{to_string(frame.refusal)};
}

void check_all(const std::vector<octets>& values, const std::string& expected) {
  for (const octets& value : values) {
    CAF_CHECK_EQUAL(hex_of(value) + " " + result_on(value), hex_of(value) + " " + expected);
  }
}

}  // namespace

CAF_TEST(an_unknown_key_is_skipped_whatever_its_name) {
  for (std::string_view key : {"extra", "", "cell_id2", "Content_version", "content_versio", "guest_pid ",
                               "guest_pid\n", "_seq", "outpu", "\xFF\xFE"}) {
    const auto frame = decoded_with(key, cbor::number(1));
    CAF_CHECK(frame.refusal == telemetry_errc::none);
    CAF_CHECK(!frame.forged_attribution);
    CAF_CHECK_EQUAL(frame.declaration.guest_pid, 4242u);
  }
}

CAF_TEST(unknown_keys_may_repeat) {
  auto pairs = honest_pairs();
  for (int i = 0; i < 40; ++i) pairs = plus(pairs, "extra", cbor::number(1));
  CAF_CHECK_EQUAL(result(body_of(pairs)), "none");
}

CAF_TEST(an_unknown_key_may_not_come_before_the_version) {
  auto pairs = honest_pairs();
  pairs.insert(pairs.begin(), {"extra", cbor::number(1)});
  CAF_CHECK_EQUAL(result(body_of(pairs)), "malformed_frame");
}

CAF_TEST(integers_of_either_sign_and_any_width_are_skipped) {
  for (int width : {1, 2, 4, 8}) {
    check_all({cbor::wide_head(cbor::major::number, width, 1), cbor::wide_head(cbor::major::negative, width, 1)},
              "none");
  }
  check_all({cbor::number(0), cbor::number(u64_max), cbor::negative(0), cbor::negative(u64_max)}, "none");
}

CAF_TEST(strings_are_skipped_unread) {
  using namespace cbor;
  check_all({text(""), bytes(""), text("caf\xC3\xA9"), bytes("\xFF\xFE"), text(std::string(300, 'x'))}, "none");
  // Its content is nobody's business, not even whether it is UTF-8.
  check_all({text("\xFF\xFE"), open_ended(major::text, {text("\xC3")})}, "none");
}

CAF_TEST(strings_in_chunks_are_skipped) {
  using namespace cbor;
  check_all({open_ended(major::text, {}), open_ended(major::text, {text("a"), text(""), text("b")}),
             open_ended(major::bytes, {}), open_ended(major::bytes, {bytes("a"), bytes("b")})},
            "none");
}

CAF_TEST(only_definite_chunks_of_its_own_type_may_stand_in_a_string) {
  using namespace cbor;
  for (auto type : {major::text, major::bytes}) {
    const auto other = type == major::text ? bytes("a") : text("a");
    check_all({open_ended(type, {other}), open_ended(type, {number(1)}), open_ended(type, {null()}),
               open_ended(type, {array({})}), open_ended(type, {map({})}), open_ended(type, {simple(40)}),
               open_ended(type, {tag(1, type == major::text ? text("a") : bytes("a"))}),
               open_ended(type, {open_ended(type, {})})},
              "malformed_frame");
  }
}

CAF_TEST(arrays_are_skipped) {
  using namespace cbor;
  check_all(
      {array({}), array({number(1), text("x"), null()}), array({array({}), array({array({})})}),
       open_ended(major::array, {}), open_ended(major::array, {number(1), open_ended(major::array, {}), map({})})},
      "none");
}

CAF_TEST(maps_are_skipped_with_keys_of_any_kind) {
  using namespace cbor;
  check_all({map({}), map({text("a"), number(1)}), map({number(1), number(2), array({}), map({}), null(), null()}),
             map({text("a"), number(1), text("a"), number(1)}), open_ended(major::map, {}),
             open_ended(major::map, {text("a"), open_ended(major::map, {number(1), tag(1, number(1))})})},
            "none");
}

CAF_TEST(an_open_ended_map_needs_an_even_number_of_items) {
  using namespace cbor;
  check_all({open_ended(major::map, {number(1)}), open_ended(major::map, {text("a"), number(1), text("b")}),
             open_ended(major::map, {array({number(1), number(2)})}), array({open_ended(major::map, {map({})})})},
            "malformed_frame");
}

CAF_TEST(tags_are_skipped) {
  using namespace cbor;
  check_all({tag(0, text("2026-11-24T06:00:00Z")), tag(1, number(1)), tag(55799, map({})), tag(u64_max, null()),
             tag(1, tag(2, tag(3, array({tag(4, number(5))})))), map({tag(1, number(1)), tag(2, number(2))}),
             open_ended(major::array, {tag(1, number(1))}), join({repeated(500, head(major::tag, 1)), number(1)})},
            "none");
}

CAF_TEST(every_tag_number_is_skipped_in_every_form) {
  using namespace cbor;
  for (std::uint64_t number = 0; number < 300; ++number) {
    check_all({tag(number, null()), tag(number, map({})), array({tag(number, null()), null()})}, "none");
    for (int width : {2, 4, 8}) check_all({join({wide_head(major::tag, width, number), null()})}, "none");
  }
}

CAF_TEST(a_tag_needs_something_to_tag) {
  using namespace cbor;
  check_all({open_ended(major::array, {head(major::tag, 1)}), open_ended(major::map, {head(major::tag, 1)}),
             open_ended(major::map, {number(1), head(major::tag, 1)}), tag(1, stop())},
            "malformed_frame");
  auto pairs = body_of(plus(honest_pairs(), "extra", head(major::tag, 1)));
  CAF_CHECK_EQUAL(result(pairs), "malformed_frame");
}

CAF_TEST(floats_of_every_width_are_skipped) {
  using namespace cbor;
  check_all({half_float(0x3C00), half_float(0x7C00), half_float(0x7E00), half_float(0x0001), single_float(0x7FC00000),
             single_float(0x7F800000), double_float(0x3FF0000000000000), double_float(0x7FF8000000000001),
             double_float(u64_max)},
            "none");
}

CAF_TEST(every_simple_value_is_skipped) {
  for (unsigned value = 0; value <= 0xFF; ++value) {
    // 24 to 31 have no spelling; the test below has the one they must not be given.
    if (value >= 24 && value < 32) continue;
    const auto spelled = cbor::simple(static_cast<std::uint8_t>(value));
    check_all({spelled, cbor::array({spelled}), cbor::map({spelled, spelled}), cbor::tag(1, spelled),
               cbor::open_ended(cbor::major::array, {spelled})},
              "none");
  }
}

CAF_TEST(a_simple_value_below_32_in_two_bytes_is_malformed) {
  for (std::uint8_t value = 0; value < 32; ++value) {
    check_all({cbor::wide_head(cbor::major::simple, 1, value)}, "malformed_frame");
  }
}

CAF_TEST(reserved_initial_bytes_are_malformed) {
  for (std::uint8_t type = 0; type < 8; ++type) {
    for (auto info : octets{28, 29, 30}) {
      const auto reserved = cbor::initial(static_cast<cbor::major>(type), info);
      check_all({reserved, cbor::array({reserved})}, "malformed_frame");
    }
  }
  // Neither integers nor tags have an indefinite form.
  for (auto type : {cbor::major::number, cbor::major::negative, cbor::major::tag}) {
    check_all({cbor::initial(type, 31)}, "malformed_frame");
  }
}

CAF_TEST(a_break_stands_only_at_the_end_of_something_open_ended) {
  using namespace cbor;
  check_all({stop(), array({stop()}), map({stop(), number(1)}), map({number(1), stop()}), tag(1, stop()),
             array({number(1), stop()}), join({open_ended(major::array, {}), stop()}),
             open_ended(major::array, {array({stop()})})},
            "malformed_frame");
}

CAF_TEST(nesting_of_8_is_read_and_of_9_is_not) {
  using namespace cbor;
  // The frame's own map is the first.
  check_all({nested(7, number(1)), nested(6, array({})), nested(6, map({})), nested(6, open_ended(major::array, {})),
             nested(6, open_ended(major::map, {})), nested(6, open_ended(major::text, {text("a")})),
             nested(6, open_ended(major::bytes, {}))},
            "none");
  check_all({nested(8, number(1)), nested(7, array({})), nested(7, map({})), nested(7, open_ended(major::array, {})),
             nested(7, open_ended(major::map, {})), nested(7, open_ended(major::text, {text("a")})),
             nested(7, open_ended(major::bytes, {})), nested(3000, number(1))},
            "malformed_frame");
}

CAF_TEST(nesting_is_depth_not_the_number_of_containers) {
  using namespace cbor;
  check_all({array({nested(6, number(1)), nested(5, array({})), map({})}),
             open_ended(major::array, {repeated(200, array({}))}), nested(5, array({array({}), array({})}))},
            "none");
}

CAF_TEST(tags_do_not_nest) {
  using namespace cbor;
  const auto tagged_array = [](const octets& item) { return tag(1, array({item})); };
  octets seven = number(1);
  for (int i = 0; i < 7; ++i) seven = tagged_array(seven);
  check_all({seven}, "none");
  check_all({tagged_array(seven)}, "malformed_frame");
}

CAF_TEST(a_declared_count_far_beyond_the_bytes_is_malformed) {
  using namespace cbor;
  const std::uint64_t two_to_63 = std::uint64_t{1} << 63;
  for (std::uint64_t count : {std::uint64_t{1} << 32, two_to_63 - 1, two_to_63, two_to_63 + 1, u64_max - 1, u64_max}) {
    for (auto type : {major::text, major::bytes, major::array, major::map}) {
      const auto value = head(type, count);
      CAF_CHECK_EQUAL(result(body_of(plus(honest_pairs(), "extra", value))), "malformed_frame");
      CAF_CHECK_EQUAL(result(body_of(plus(honest_pairs(), "extra", array({value})))), "malformed_frame");
      check_all({value}, "malformed_frame");
    }
    CAF_CHECK_EQUAL(result(body_of(with(honest_pairs(), "guest_comm", head(major::text, count)))), "malformed_frame");
  }
}

CAF_TEST(each_attribution_key_is_counted_and_its_value_ignored) {
  using namespace cbor;
  for (std::string_view key : {"cell_id", "run_id", "spec_signature_hash", "host_received_at", "output"}) {
    for (const auto& value : {text("another-cell"), number(1), map({text("tier"), number(9)}), null()}) {
      const auto frame = decoded_with(key, value);
      CAF_CHECK(frame.refusal == telemetry_errc::none);
      CAF_CHECK(frame.forged_attribution);
      CAF_CHECK_EQUAL(frame.declaration.guest_pid, 4242u);
      CAF_CHECK_EQUAL(frame.declaration.guest_monotonic_ns, 5'123'456'789u);
    }
  }
}

CAF_TEST(forged_attribution_is_one_fact_a_frame) {
  auto pairs = honest_pairs(wire::content_version_1_1);
  for (auto key : wire::attribution_keys) pairs = plus(plus(pairs, key, cbor::text("x")), key, cbor::text("y"));
  const auto frame = decode_frame_body(body_of(plus(pairs, "extra", cbor::number(1))));
  CAF_CHECK(frame.refusal == telemetry_errc::none);
  CAF_CHECK(frame.forged_attribution);
}

CAF_TEST(attribution_below_the_outer_map_is_not_even_looked_at) {
  CAF_CHECK(!decoded_with("extra", cbor::map({cbor::text("cell_id"), cbor::text("x")})).forged_attribution);
  CAF_CHECK(!decoded_with("extra", cbor::text("cell_id")).forged_attribution);
}

CAF_TEST(keys_of_the_five_below_the_outer_map_are_not_read) {
  const auto inner =
      cbor::map({cbor::text("guest_pid"), cbor::number(1), cbor::text("guest_comm"), cbor::text("fake")});
  const auto frame = decoded_with("extra", inner);
  CAF_CHECK(frame.refusal == telemetry_errc::none);
  CAF_CHECK_EQUAL(frame.declaration.guest_pid, 4242u);
  const auto body = body_of(plus(without(honest_pairs(), "guest_pid"), "extra", inner));
  CAF_CHECK_EQUAL(result(body), "malformed_frame");
}
