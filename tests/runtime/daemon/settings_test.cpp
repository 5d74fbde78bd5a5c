#define CAF_SUITE settings
#include "runtime/daemon/settings.hpp"

#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(two actors that hang leave a thread for every core) {
  CAF_CHECK_EQUAL(actor_threads(0, 1), 3u);
  CAF_CHECK_EQUAL(actor_threads(0, 2), 4u);
}

CAF_TEST(who says how many threads gets as many) { CAF_CHECK_EQUAL(actor_threads(1, 8), 1u); }

CAF_TEST(a cells share is its part of the logs limit) {
  evidence_configuration evidence;
  CAF_CHECK_EQUAL(share_of(evidence).bytes, evidence.max_bytes / 4);
  CAF_CHECK(share_of(evidence).interval == std::chrono::hours{1});
  evidence.cell_share = 100;
  CAF_CHECK_EQUAL(share_of(evidence).bytes, evidence.max_bytes);
  evidence.cell_share = 0;
  CAF_CHECK(!share_of(evidence).limited());
  evidence.max_bytes = 65536;
  evidence.cell_share = 1;
  CAF_CHECK_EQUAL(share_of(evidence).bytes, 32768u);
  evidence.max_bytes = 8 << 20;
  CAF_CHECK_EQUAL(share_of(evidence).bytes, 262144u);
}

CAF_TEST(reads are small where each event costs a signature) {
  signing_settings signing;
  CAF_CHECK_EQUAL(socket_options_of({}, signing).read_bytes, 65536u);
  signing.alg = {true, signing_algorithm::ed25519};
  CAF_CHECK_EQUAL(socket_options_of({}, signing).read_bytes, 4096u);
  signing.alg = {true, signing_algorithm::ecdsa_p256_sha256};
  CAF_CHECK_EQUAL(socket_options_of({}, signing).read_bytes, 4096u);
  signing.mode = signing_statement::kind::checkpoint;
  CAF_CHECK_EQUAL(socket_options_of({}, signing).read_bytes, 65536u);
  signing.mode = signing_statement::kind::event;
  signing.alg = {true, signing_algorithm::hmac_sha256};
  CAF_CHECK_EQUAL(socket_options_of({}, signing).read_bytes, 65536u);
  signing.alg = digests_only;
  CAF_CHECK_EQUAL(socket_options_of({}, signing).read_bytes, 65536u);
}
