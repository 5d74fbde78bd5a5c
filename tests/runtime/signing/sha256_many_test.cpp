#define CAF_SUITE sha256_many
#include "runtime/signing/sha256_many.hpp"

#include <caf/test/dsl.hpp>

#include <random>
#include <vector>

using namespace cellos;

namespace {

using bytes = std::vector<std::uint8_t>;

bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  bytes made(size);
  for (std::uint8_t& each : made) each = static_cast<std::uint8_t>(random());
  return made;
}

/// The methods this machine has.
std::vector<sha256_method> methods() {
  std::vector<sha256_method> found{sha256_method::one_by_one};
  if (has_sha_instructions()) found.push_back(sha256_method::in_pairs);
  return found;
}

}  // namespace

CAF_TEST(texts_of_every_length_and_in_every_number_have_openssls_digests) {
  std::mt19937_64 random{11};
  std::size_t wrong = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<bytes> contents;
    for (std::size_t i = random() % 9; i > 0; --i) contents.push_back(random_bytes(random, random() % 400));
    std::vector<sha256_text> texts;
    for (const bytes& each : contents) texts.push_back({each});
    for (const sha256_method method : methods()) {
      std::vector<digest> found(texts.size());
      sha256_many(texts, found, method);
      for (std::size_t i = 0; i < texts.size(); ++i) wrong += found[i] == sha256::of(texts[i].bytes) ? 0 : 1;
    }
  }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(a_text_goes_on_where_its_beginning_was_absorbed) {
  std::mt19937_64 random{12};
  std::size_t wrong = 0;
  for (int round = 0; round < 500; ++round) {
    const bytes whole = random_bytes(random, 64 * (random() % 4) + random() % 200);
    const std::size_t begun = whole.size() / sha256_block / 2 * sha256_block;
    sha256_state state = sha256_begin;
    for (std::size_t at = 0; at < begun; at += sha256_block) absorb(state, whole.data() + at);
    const sha256_text rest{std::span{whole}.subspan(begun), &state, begun};
    for (const sha256_method method : methods()) {
      std::array<digest, 1> found;
      sha256_many({&rest, 1}, found, method);
      wrong += found[0] == sha256::of(std::span<const std::uint8_t>{whole}) ? 0 : 1;
    }
  }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(blocks_absorbed_side_by_side_are_those_absorbed_alone) {
  std::mt19937_64 random{13};
  std::size_t wrong = 0;
  for (std::size_t count = 0; count < 9; ++count) {
    const bytes content = random_bytes(random, 64 * 7 * (count + 1));
    std::vector<const std::uint8_t*> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(content.data() + 64 * 7 * i);
    std::vector<sha256_state> states(count, sha256_begin);
    absorb_many(states, texts.data(), 7);
    for (std::size_t i = 0; i < count; ++i) {
      sha256_state alone = sha256_begin;
      for (std::size_t block = 0; block < 7; ++block) absorb(alone, texts[i] + 64 * block);
      wrong += states[i] == alone ? 0 : 1;
    }
  }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(where_the_processor_can_texts_are_hashed_in_pairs) {
  const auto expected = has_sha_instructions() ? sha256_method::in_pairs : sha256_method::one_by_one;
  CAF_CHECK_EQUAL(std::string{to_string(chosen_sha256())}, std::string{to_string(expected)});
}
