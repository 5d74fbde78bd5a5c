#include "runtime/signing/signing_key.hpp"

#include <thread>

#include "runtime/signing/key_list.hpp"
#include "runtime/signing/sha256.hpp"
#include "tests/runtime/signing/hexadecimal.hpp"

#define CAF_SUITE signing_key
#include "caf/test/dsl.hpp"

using namespace cellos;
using test::hex;
using test::unhex;

namespace {

cellos::signing_key key_of(signing_algorithm algorithm, std::span<const std::uint8_t> raw) {
  return std::get<cellos::signing_key>(cellos::signing_key::from_secret(algorithm, "k", raw));
}

std::string refusal(signing_algorithm algorithm, std::size_t bytes, std::uint8_t value = 1) {
  const auto made = cellos::signing_key::from_secret(algorithm, "k", std::vector<std::uint8_t>(bytes, value));
  const auto* problem = std::get_if<std::string>(&made);
  return problem != nullptr ? *problem : "none";
}

struct ed25519_vector {
  std::string_view seed;
  std::string_view public_key;
  std::string_view message;
  std::string_view signature;
};

// RFC 8032, section 7.1: TEST 1, TEST 2, TEST 3, TEST SHA(abc).
constexpr ed25519_vector rfc_8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55"
     "141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00"
     "d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "02"
     "7beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a9"
     "ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad"
     "9b"
     "ef1177331a704"},
};

struct hmac_vector {
  std::vector<std::uint8_t> key;
  std::vector<std::uint8_t> message;
  std::string_view mac;
};

/// RFC 4231. Keys shorter than ours may be are padded with zeros, as HMAC itself does, and the one longer than a block
/// is hashed, as HMAC itself does.
std::vector<hmac_vector> rfc_4231() {
  const auto text = [](std::string_view t) { return std::vector<std::uint8_t>{t.begin(), t.end()}; };
  std::vector<hmac_vector> vectors{
      {std::vector<std::uint8_t>(20, 0x0b), text("Hi There"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text("Jefe"), text("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::vector<std::uint8_t>(20, 0xaa), std::vector<std::uint8_t>(50, 0xdd),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::vector<std::uint8_t>(50, 0xcd),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
  };
  for (hmac_vector& each : vectors) each.key.resize(64, 0);
  const std::vector<std::uint8_t> longer(131, 0xaa);
  const digest hashed = sha256::of(std::span<const std::uint8_t>{longer});
  vectors.push_back({{hashed.begin(), hashed.end()},
                     text("Test Using Larger Than Block-Size Key - Hash Key First"),
                     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"});
  return vectors;
}

}  // namespace

CAF_TEST(ed25519_signs_as_in_rfc_8032) {
  for (const ed25519_vector& each : rfc_8032) {
    const auto key = key_of(signing_algorithm::ed25519, unhex(each.seed));
    CAF_CHECK_EQUAL(hex(key.public_key()), each.public_key);
    CAF_CHECK_EQUAL(hex(key.sign(unhex(each.message)).view()), each.signature);
  }
}

CAF_TEST(hmac_signs_as_in_rfc_4231) {
  for (const hmac_vector& each : rfc_4231()) {
    const auto key = key_of(signing_algorithm::hmac_sha256, each.key);
    CAF_CHECK_EQUAL(hex(key.sign(each.message).view()), each.mac);
    CAF_CHECK(key.public_key().empty());
  }
}

CAF_TEST(every_algorithm_verifies_its_own_and_nothing_else) {
  const auto message = bytes_of("message");
  for (const signing_algorithm algorithm : signing_algorithms) {
    const auto key = cellos::signing_key::generate(algorithm, "k");
    const auto other = cellos::signing_key::generate(algorithm, "k");
    const auto public_key = key.public_key();
    const auto shared = key.export_secret();
    key_list keys;
    const bool is_hmac = algorithm == signing_algorithm::hmac_sha256;
    CAF_REQUIRE(keys.add("k", algorithm, is_hmac ? std::as_const(shared).bytes() : std::span{public_key}));
    const auto signature = key.sign(message);
    CAF_CHECK_EQUAL(signature.view().size(), signature_length(algorithm));
    CAF_CHECK(keys.verify("k", message, signature.view()) == signature_result::good);
    CAF_CHECK(keys.verify("l", message, signature.view()) == signature_result::unknown_key);
    CAF_CHECK(keys.verify("k", bytes_of("massage"), signature.view()) == signature_result::bad);
    CAF_CHECK(keys.verify("k", message, other.sign(message).view()) == signature_result::bad);
    for (std::size_t i = 0; i < signature.view().size(); ++i) {
      std::vector<std::uint8_t> changed{signature.view().begin(), signature.view().end()};
      changed[i] ^= 1;
      CAF_CHECK(keys.verify("k", message, changed) == signature_result::bad);
      changed[i] ^= 1;
      changed.resize(i);
      CAF_CHECK(keys.verify("k", message, changed) == signature_result::bad);
    }
  }
}

CAF_TEST(an_exported_secret_makes_the_same_key) {
  for (const signing_algorithm algorithm : signing_algorithms) {
    const auto key = cellos::signing_key::generate(algorithm, "k");
    const auto shared = key.export_secret();
    const auto again = key_of(algorithm, shared.bytes());
    CAF_CHECK_EQUAL(hex(again.public_key()), hex(key.public_key()));
    CAF_CHECK_EQUAL(hex(std::as_const(shared).bytes()), hex(std::as_const(again).export_secret().bytes()));
  }
}

CAF_TEST(secrets_of_the_wrong_length_are_refused) {
  CAF_CHECK_EQUAL(refusal(signing_algorithm::ed25519, 31), "an ed25519 secret has 32 bytes, this one 31");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::ed25519, 64), "an ed25519 secret has 32 bytes, this one 64");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::ecdsa_p256_sha256, 33),
                  "an ecdsa-p256-sha256 secret has 32 bytes, this one 33");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::hmac_sha256, 31), "an hmac-sha256 secret has 32 to 64 bytes, this one 31");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::hmac_sha256, 65), "an hmac-sha256 secret has 32 to 64 bytes, this one 65");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::hmac_sha256, 32), "none");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::hmac_sha256, 64), "none");
}

CAF_TEST(a_scalar_outside_the_group_is_refused) {
  CAF_CHECK_EQUAL(refusal(signing_algorithm::ecdsa_p256_sha256, 32, 0xff),
                  "the scalar of a P-256 key is between 1 and the order of the group");
  CAF_CHECK_EQUAL(refusal(signing_algorithm::ecdsa_p256_sha256, 32, 0),
                  "the scalar of a P-256 key is between 1 and the order of the group");
}

CAF_TEST(a_key_id_that_json_or_a_terminal_could_take_otherwise_is_refused) {
  const std::vector<std::uint8_t> seed(32, 1);
  for (const std::string key_id : {"", "a b", "a\"b", "a\\b", "a\nb", "caf\xc3\xa9"}) {
    CAF_CHECK(std::holds_alternative<std::string>(
        cellos::signing_key::from_secret(signing_algorithm::ed25519, key_id, seed)));
  }
  CAF_CHECK(is_key_id("urn:cellos:key/host-a_2026+1@x=="));
  CAF_CHECK(!is_key_id(std::string(129, 'a')));
}

CAF_TEST(threads_may_sign_at_once) {
  for (const signing_algorithm algorithm : signing_algorithms) {
    const auto key = cellos::signing_key::generate(algorithm, "k");
    const auto public_key = key.public_key();
    const auto shared = key.export_secret();
    key_list keys;
    const bool is_hmac = algorithm == signing_algorithm::hmac_sha256;
    CAF_REQUIRE(keys.add("k", algorithm, is_hmac ? std::as_const(shared).bytes() : std::span{public_key}));
    std::array<int, 4> good{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < good.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string message = std::to_string(t) + "/" + std::to_string(i);
          const auto signature = key.sign(bytes_of(message));
          good[t] += keys.verify("k", bytes_of(message), signature.view()) == signature_result::good ? 1 : 0;
        }
      });
    }
    for (std::thread& each : threads) each.join();
    for (const int count : good) CAF_CHECK_EQUAL(count, 50);
  }
}
