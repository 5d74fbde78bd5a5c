#include "messages/node_codec.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/guest_sim/splitmix.hpp"
#include "tests/support/node_codec_check.hpp"

#define CAF_SUITE node_codec
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

node_hello some_hello() {
  node_hello hello;
  hello.host_id = "host-a";
  hello.log = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};
  hello.boot_nonce = 0x1122334455667788;
  hello.intent = hello_intent::skip;
  hello.first_kept = {2, 0};
  hello.committed = {9, 4711};
  hello.cursor.at = {3, 887};
  hello.cursor.line_before.fill(0xab);
  hello.codecs = 3;
  return hello;
}

node_welcome some_welcome() {
  node_welcome welcome;
  welcome.kind = welcome_kind::resume;
  welcome.cursor.at = {3, 887};
  welcome.forks = 1;
  welcome.largest_batch = 1 << 18;
  welcome.window_bytes = 1 << 21;
  welcome.silence_window_ms = 15'000;
  return welcome;
}

node_lines some_lines() {
  static constexpr std::string_view text = "{\"a\":1}\n{\"a\":2}\n";
  return {{3, 887}, {4, 0}, text.size(), 2, line_codec::raw, text};
}

node_answer some_answer() { return {answer_kind::busy, {4, 16}, 1500, node_refusal::storage_failed}; }

node_alive some_alive() { return {{2, 0}, {9, 4711}, 12, 4096, 250, 100, 3}; }

std::string field(std::uint16_t tag, std::string_view value) {
  std::string out{static_cast<char>(tag & 0xff), static_cast<char>(tag >> 8)};
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value.size() >> (8 * i) & 0xff);
  return out.append(value);
}

node_bytes with(node_bytes message, std::string_view more) {
  message.insert(message.end(), more.begin(), more.end());
  return message;
}

/// Offset of a field's tag in `message`.
std::size_t place_of(const node_bytes& message, int tag) {
  for (std::size_t at = 2; at < message.size();) {
    if (message[at] == tag) return at;
    at += 6 + static_cast<std::uint8_t>(message[at + 2]) + (static_cast<std::size_t>(message[at + 3]) << 8);
  }
  return message.size();
}

}  // namespace

CAF_TEST(what_was_written_is_read) {
  CAF_CHECK(test::survives_a_round(some_hello(), decode_hello));
  CAF_CHECK(test::survives_a_round(some_welcome(), decode_welcome));
  CAF_CHECK(test::survives_a_round(some_lines(), decode_lines));
  CAF_CHECK(test::survives_a_round(some_answer(), decode_answer));
  CAF_CHECK(test::survives_a_round(node_alive{{2, 0}, {9, 4711}}, decode_alive));
  CAF_CHECK(test::survives_a_round(some_alive(), decode_alive));
}

CAF_TEST(the_bytes_are_those_that_the_header_describes) {
  std::string expected{"\x04\x01", 2};
  expected += field(1, std::string_view{"\x02", 1});
  expected += field(2, std::string_view{"\x04\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0", 16});
  expected += field(3, std::string_view{"\xdc\x05\0\0", 4});
  expected += field(4, std::string_view{"\x09", 1});
  const node_bytes written = encode(some_answer());
  CAF_CHECK_EQUAL(std::string(written.begin(), written.end()), expected);
}

CAF_TEST(an_older_reader_skips_what_a_newer_writer_added) {
  // A later version's fields, one of a tag beyond those of today and one between them.
  const std::string added = field(700, "a key this version has not heard of") + field(12, "") + field(65535, "x");
  const auto hello = decode_hello(with(encode(some_hello()), added));
  CAF_REQUIRE(hello);
  CAF_CHECK(hello.message == some_hello());
  const auto lines_bytes = with(encode(some_lines()), added);
  const auto lines = decode_lines(lines_bytes);
  CAF_REQUIRE(lines);
  CAF_CHECK(lines.message == some_lines());
}

CAF_TEST(what_an_older_host_does_not_say_is_nothing_and_what_a_newer_one_says_is_skipped) {
  // An older host's alive has the first two fields.
  node_bytes older{5, 1};
  older = with(older, field(1, std::string_view{"\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16}));
  older = with(older, field(2, std::string_view{"\x09\0\0\0\0\0\0\0\x67\x12\0\0\0\0\0\0", 16}));
  const auto read = decode_alive(older);
  CAF_REQUIRE(read);
  CAF_CHECK(read.message == (node_alive{{2, 0}, {9, 4711}}));
  CAF_CHECK(encode(node_alive{{2, 0}, {9, 4711}}) == older);
  // Of what is beside them an older collector knows as little as this one of a field that is added later.
  const auto newer = decode_alive(with(encode(some_alive()), field(8, "later") + field(900, "later")));
  CAF_REQUIRE(newer);
  CAF_CHECK(newer.message == some_alive());
  CAF_CHECK(!decode_alive(with(older, field(4, "short"))));
}

CAF_TEST(a_newer_writer_can_ask_not_to_be_read_by_an_older_reader) {
  auto bytes = encode(some_hello());
  bytes[1] = node_codec_version + 1;
  CAF_CHECK(decode_hello(bytes).refusal == node_codec_errc::unsupported_version);
}

CAF_TEST(a_reason_of_a_later_version_is_read_as_another) {
  auto bytes = encode(some_answer());
  bytes[place_of(bytes, 4) + 6] = 77;
  const auto answer = decode_answer(bytes);
  CAF_REQUIRE(answer);
  CAF_CHECK(answer.message.reason == node_refusal::other);
}

CAF_TEST(every_truncation_is_refused) {
  const auto whole = encode(some_hello());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto hello = decode_hello(std::span{whole}.first(length));
    CAF_CHECK(hello.refusal == node_codec_errc::malformed);
  }
}

CAF_TEST(a_length_beyond_the_end_is_refused_and_nothing_is_allocated_for_it) {
  auto bytes = encode(some_lines());
  const std::size_t length = place_of(bytes, 6) + 2;
  for (int i = 0; i < 4; ++i) bytes[length + static_cast<std::size_t>(i)] = '\xff';
  CAF_CHECK(decode_lines(bytes).refusal == node_codec_errc::malformed);
  CAF_CHECK(decode_lines(node_bytes(node_limits::largest_message + 1, 3)).refusal == node_codec_errc::too_large);
}

CAF_TEST(a_field_twice_or_of_another_width_or_missing_is_refused) {
  CAF_CHECK(!decode_answer(with(encode(some_answer()), field(4, std::string_view{"\x01", 1}))));
  auto missing = encode(some_answer());
  missing[place_of(missing, 3)] = 13;
  CAF_CHECK(!decode_answer(missing));
  node_bytes narrow{4, 1};
  for (const auto& [tag, value] : std::initializer_list<std::pair<std::uint16_t, std::string_view>>{
           {1, {"\x02", 1}}, {2, {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16}}, {3, {"\0\0", 2}}, {4, {"\0", 1}}}) {
    narrow = with(narrow, field(tag, value));
  }
  CAF_CHECK(!decode_answer(narrow));
}

CAF_TEST(lines_that_cannot_follow_are_refused) {
  const auto refused = [](auto change) {
    node_lines lines = some_lines();
    change(lines);
    return !decode_lines(encode(lines));
  };
  CAF_CHECK(refused([](node_lines& lines) { lines.from = {3, 888}; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.from = {4, 1}; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.from = {2, 0}; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.after = lines.from = {0, 0}; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.after = lines.from = {3, ~std::uint64_t{0}}; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.raw_bytes = 0; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.raw_bytes += 1; }));
  CAF_CHECK(refused([](node_lines& lines) { lines.line_count = 0; }));
  CAF_CHECK(refused([](node_lines& lines) {
    lines.codec = line_codec::zstd;
    lines.raw_bytes = ~std::uint32_t{0};
  }));
}

CAF_TEST(changed_bytes_are_read_safely_or_refused) {
  guest_sim::splitmix random{4711};
  const std::vector<node_bytes> seeds{encode(some_hello()), encode(some_welcome()), encode(some_lines()),
                                      encode(some_answer()), encode(some_alive())};
  for (int round = 0; round < 20'000; ++round) {
    node_bytes bytes = seeds[random.next() % seeds.size()];
    for (std::uint64_t change = random.next() % 4 + 1; change > 0; --change) {
      bytes[random.next() % bytes.size()] = static_cast<char>(random.next());
    }
    const std::string disagreement = test::disagreement_about_message(bytes);
    if (!disagreement.empty()) CAF_FAIL("round " << round << ": " << disagreement);
  }
}
