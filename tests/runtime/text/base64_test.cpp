#include "runtime/text/base64.hpp"

#include <random>
#include <vector>

#include "runtime/signing/sha256.hpp"

#define CAF_SUITE base64
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string encoded(std::string_view text) {
  std::string out;
  append_base64(out, bytes_of(text));
  return out;
}

std::string decoded(std::string_view base64) {
  auto bytes = decode_base64(base64);
  return bytes ? *std::move(bytes) : "refused";
}

std::string any_decoded(std::string_view text) {
  std::vector<std::uint8_t> bytes(100);
  const auto length = decode_any_base64(text, bytes);
  return length ? std::string(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*length)) : "refused";
}

}  // namespace

CAF_TEST(the_vectors_of_rfc_4648_hold_both_ways) {
  const std::vector<std::pair<std::string, std::string>> vectors{
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [text, base64] : vectors) {
    CAF_CHECK_EQUAL(encoded(text), base64);
    CAF_CHECK_EQUAL(decoded(base64), text);
    CAF_CHECK_EQUAL(base64_length(text.size()), base64.size());
  }
}

CAF_TEST(every_byte_value_comes_back) {
  std::mt19937 random{1};
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    CAF_CHECK_EQUAL(decoded(encoded(bytes)), bytes);
    CAF_CHECK_EQUAL(any_decoded(base64url(bytes_of(bytes)).substr(0, 132)), bytes.substr(0, 99));
  }
}

CAF_TEST(a_change_of_any_character_is_refused_or_changes_the_bytes) {
  for (const std::string text : {"Zg==", "Zm8=", "Zm9v"}) {
    const std::string bytes = decoded(text);
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[i] = static_cast<char>(c);
        if (changed == text) continue;
        const auto read = decode_base64(changed);
        CAF_CHECK(!read || *read != bytes);
        if (read) CAF_CHECK_EQUAL(encoded(*read), changed);
      }
    }
  }
}

CAF_TEST(only_the_one_text_is_accepted) {
  for (const std::string text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9v",
                                 "Zm9v====", "====", "Z===", "Zg==Zg==", "Zm9-", "Zm_v", "=Zm9"}) {
    CAF_CHECK(!decode_base64(text));
  }
}

CAF_TEST(people_may_write_either_alphabet_with_or_without_padding) {
  CAF_CHECK_EQUAL(any_decoded("Zg"), "f");
  CAF_CHECK_EQUAL(any_decoded("Zg=="), "f");
  CAF_CHECK_EQUAL(any_decoded("+/+/"), any_decoded("-_-_"));
  CAF_CHECK_EQUAL(any_decoded("+_+/"), "refused");
  CAF_CHECK_EQUAL(any_decoded("Zg="), "refused");
  CAF_CHECK_EQUAL(any_decoded("Zh"), "refused");
  CAF_CHECK_EQUAL(any_decoded("Z"), "refused");
  CAF_CHECK_EQUAL(any_decoded("Zg\n"), "refused");
}

CAF_TEST(more_than_there_is_room_for_is_refused) {
  std::vector<std::uint8_t> room(2);
  CAF_CHECK(!decode_base64("Zm9v", room));
  CAF_CHECK(decode_base64("Zm8=", room) == std::size_t{2});
}
