#include "runtime/signing/sha256.hpp"

#include "tests/runtime/signing/hexadecimal.hpp"

#define CAF_SUITE sha256
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(the_vectors_of_fips_180_hold) {
  CAF_CHECK_EQUAL(test::hex(cellos::sha256::of(std::string_view{})),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CAF_CHECK_EQUAL(test::hex(cellos::sha256::of("abc")),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CAF_CHECK_EQUAL(test::hex(cellos::sha256::of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CAF_CHECK_EQUAL(test::hex(cellos::sha256::of(std::string(1'000'000, 'a'))),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

CAF_TEST(pieces_make_the_whole) {
  const std::string text(300, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    cellos::sha256 hash;
    hash.update(std::string_view{text}.substr(0, cut)).update(std::string_view{text}.substr(cut));
    CAF_CHECK_EQUAL(test::hex(hash.finish()), test::hex(cellos::sha256::of(text)));
  }
}

CAF_TEST(a_copy_goes_on_from_where_it_was_made) {
  cellos::sha256 common;
  common.update("host-a/cell-1/run-7/");
  cellos::sha256 first = common;
  cellos::sha256 second = common;
  CAF_CHECK_EQUAL(test::hex(first.update("1").finish()), test::hex(cellos::sha256::of("host-a/cell-1/run-7/1")));
  CAF_CHECK_EQUAL(test::hex(second.update("2").finish()), test::hex(cellos::sha256::of("host-a/cell-1/run-7/2")));
}
