#include "messages/utf8.hpp"

#include <cstdint>
#include <string>

#define CAF_SUITE utf8
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

/// The UTF-8 form of a code point, of exactly so many bytes: the shortest, or an overlong one.
std::string encoded(std::uint32_t point, int bytes) {
  if (bytes == 1) return {static_cast<char>(point)};
  std::string out(static_cast<std::size_t>(bytes), '\0');
  for (int i = bytes - 1; i > 0; --i, point >>= 6)
    out[static_cast<std::size_t>(i)] = static_cast<char>(0x80 | (point & 0x3F));
  constexpr unsigned leads[] = {0, 0, 0xC0, 0xE0, 0xF0, 0xF8};
  out[0] = static_cast<char>(leads[bytes] | point);
  return out;
}

int shortest(std::uint32_t point) { return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4; }
bool is_surrogate(std::uint32_t point) { return point >= 0xD800 && point <= 0xDFFF; }

/// Code points with a neighbour of another kind.
constexpr std::uint32_t edges[] = {0,      0x7F,   0x80,   0x7FF,  0x800,   0xFFF,   0x1000,  0xCFFF,  0xD000,
                                   0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0xFFFFF, 0x10FFFF};

}  // namespace

CAF_TEST(every_code_point_is_valid_in_its_shortest_form) {
  std::uint32_t refused = 0;
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    if (is_valid_utf8(encoded(point, shortest(point))) == is_surrogate(point)) ++refused;
  }
  CAF_CHECK_EQUAL(refused, 0u);
}

CAF_TEST(overlong_forms_are_invalid) {
  for (auto point : edges) {
    for (int bytes = shortest(point) + 1; bytes <= 4; ++bytes) CAF_CHECK(!is_valid_utf8(encoded(point, bytes)));
  }
  std::uint32_t accepted = 0;
  for (std::uint32_t point = 0; point < 0x800; ++point) accepted += is_valid_utf8(encoded(point, 3)) ? 1 : 0;
  for (std::uint32_t point = 0; point < 0x10000; ++point) accepted += is_valid_utf8(encoded(point, 4)) ? 1 : 0;
  CAF_CHECK_EQUAL(accepted, 0u);
}

CAF_TEST(surrogates_are_invalid) {
  std::uint32_t accepted = 0;
  for (std::uint32_t point = 0xD800; point <= 0xDFFF; ++point) accepted += is_valid_utf8(encoded(point, 3)) ? 1 : 0;
  CAF_CHECK_EQUAL(accepted, 0u);
  CAF_CHECK(!is_valid_utf8("\xED\xA0\xBD\xED\xB8\x80"));  // CESU-8's pair
}

CAF_TEST(nothing_past_10ffff_is_valid) {
  std::uint32_t accepted = 0;
  for (std::uint32_t point = 0x110000; point <= 0x1FFFFF; ++point) accepted += is_valid_utf8(encoded(point, 4)) ? 1 : 0;
  CAF_CHECK_EQUAL(accepted, 0u);
  CAF_CHECK(!is_valid_utf8("\xF8\x88\x80\x80\x80"));
  CAF_CHECK(!is_valid_utf8("\xFC\x84\x80\x80\x80\x80"));
}

CAF_TEST(of_all_two_byte_texts_exactly_the_right_ones_are_valid) {
  int valid = 0;
  for (unsigned first = 0; first <= 0xFF; ++first) {
    for (unsigned second = 0; second <= 0xFF; ++second) {
      valid += is_valid_utf8(std::string{static_cast<char>(first), static_cast<char>(second)}) ? 1 : 0;
    }
  }
  CAF_CHECK_EQUAL(valid, 128 * 128 + (0x800 - 0x80));
}

CAF_TEST(of_all_three_byte_texts_with_a_three_byte_lead_exactly_the_right_ones_are_valid) {
  int valid = 0;
  std::string text(3, '\0');
  for (unsigned value = 0xE00000; value <= 0xEFFFFF; ++value) {
    text[0] = static_cast<char>(value >> 16);
    text[1] = static_cast<char>(value >> 8);
    text[2] = static_cast<char>(value);
    valid += is_valid_utf8(text) ? 1 : 0;
  }
  CAF_CHECK_EQUAL(valid, 0x10000 - 0x800 - 0x800);
}

CAF_TEST(a_text_cut_inside_a_character_is_invalid) {
  for (auto point : edges) {
    const auto whole = encoded(point, shortest(point));
    for (std::size_t size = 1; size < whole.size(); ++size) {
      CAF_CHECK(!is_valid_utf8(whole.substr(0, size)));
      CAF_CHECK(!is_valid_utf8("ab" + whole.substr(0, size)));
      CAF_CHECK(!is_valid_utf8(whole.substr(0, size) + "a"));
      CAF_CHECK(!is_valid_utf8(whole.substr(0, size) + whole));
    }
  }
}

CAF_TEST(a_cut_character_is_not_completed_from_beyond_the_text) {
  const std::string whole = "\xF0\x9F\x98\x80";
  for (std::size_t size = 1; size < whole.size(); ++size)
    CAF_CHECK(!is_valid_utf8(std::string_view{whole}.substr(0, size)));
}

CAF_TEST(continuation_bytes_alone_are_invalid) {
  for (unsigned byte = 0x80; byte <= 0xBF; ++byte) {
    CAF_CHECK(!is_valid_utf8(std::string(1, static_cast<char>(byte))));
    CAF_CHECK(!is_valid_utf8("a" + std::string(1, static_cast<char>(byte))));
    CAF_CHECK(!is_valid_utf8("\xC3\xA9" + std::string(1, static_cast<char>(byte))));
  }
}

CAF_TEST(any_sequence_of_valid_characters_is_valid) {
  CAF_CHECK(is_valid_utf8(""));
  CAF_CHECK(is_valid_utf8(std::string_view{"\0", 1}));
  for (auto one : edges) {
    for (auto other : edges) {
      std::string text = encoded(one, shortest(one)) + encoded(other, shortest(other));
      CAF_CHECK(is_valid_utf8(text));
      text += "plain";
      text += encoded(one, shortest(one));
      CAF_CHECK(is_valid_utf8(text));
    }
  }
}
