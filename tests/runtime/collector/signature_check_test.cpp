#include "runtime/collector/signature_check.hpp"

#include <string>
#include <vector>

#include "messages/node_codec.hpp"
#include "runtime/collector/ingest.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE signature_check
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  bool passes(const std::string& lines) { return !refusal(lines); }
  std::optional<std::string> refusal(const std::string& lines) {
    auto refused = check.refuse(lines);
    if (refused) CAF_MESSAGE(*refused);
    return refused;
  }
  /// Checkpointed: the declarations are unsigned.
  std::string log_of(const signing_key* with) {
    reference_chain own{"host-a", "", "", "1", with};
    run.emplace("host-a", "cell-1", "run-1", "1", with);
    std::string text = own.host_started() + own.run_opened(run->chain()) + run->started();
    for (int i = 0; i < 5; ++i) text += run->declaration(false);
    return text;
  }

  signing_key key = signing_key::generate(signing_algorithm::ed25519, "host-key");
  signing_key other = signing_key::generate(signing_algorithm::ed25519, "host-key");
  key_list keys = keys_of({&key});
  signature_check check{keys};
  std::optional<reference_chain> run;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(signature_check_tests, fixture)

CAF_TEST(lines that are signed as their kind is pass) {
  CAF_CHECK(passes(log_of(&key)));
  CAF_CHECK(passes(run->checkpoint()));
  CAF_CHECK(passes(run->declaration(false) + run->ended(6)));
  CAF_MESSAGE("also when they come again");
  CAF_CHECK(passes(log_of(&key)));
}

CAF_TEST(who has another key is refused and so is who has none) {
  CAF_CHECK(!passes(log_of(&other)));
  CAF_CHECK(!passes(log_of(nullptr)));
  const auto stranger = signing_key::generate(signing_algorithm::ed25519, "strangers-key");
  CAF_CHECK(!passes(log_of(&stranger)));
}

CAF_TEST(a key that signs for another host is refused) {
  key_list bound;
  CAF_REQUIRE(bound.add("host-key", signing_algorithm::ed25519, key.public_key(), {"host-b"}));
  signature_check strict{bound};
  CAF_CHECK(strict.refuse(log_of(&key)));
}

CAF_TEST(a line that was changed is refused where the next one of its chain is at the latest) {
  std::string text = log_of(&key);
  text.replace(text.find("bash"), 4, "evil");
  CAF_CHECK(!passes(text));
}

CAF_TEST(lines without a signature that do not lead to the next signature are refused) {
  CAF_CHECK(passes(log_of(&key)));
  reference_chain forged{"host-a", "cell-1", "run-1", "1", &key};
  std::string text;
  (void)forged.started();
  for (int i = 0; i < 6; ++i) text = forged.declaration(false, "evil");
  CAF_CHECK(!passes(text));
  CAF_CHECK(passes(run->declaration(false)));
}

CAF_TEST(what is not signed as it should be is not kept) {
  memory_directory dir;
  const auto store = collector_store::open(dir.path()).store;
  ingest_limits limits;
  limits.signers = &keys;
  ingest session{*store, "host-a", limits};
  node_hello hello;
  hello.host_id = "host-a";
  hello.log = {1};
  hello.cursor = {{1, 0}, {}};
  (void)session.open(hello);
  byte_quota unlimited{0};
  const auto take = [&](const std::string& text, std::uint32_t lines, segment_position after) {
    const node_lines said{after, after, static_cast<std::uint32_t>(text.size()), lines, line_codec::raw, text};
    return session.take(encode(said), unlimited, monotonic_time{1h});
  };
  const auto refused = take(log_of(&other), 8, {1, 0});
  CAF_REQUIRE(refused.answer);
  CAF_CHECK(*refused.answer == (node_answer{answer_kind::refused, {}, 0, node_refusal::signature_refused}));
  CAF_CHECK(store->copy_of("host-a", {1}).copy->is_empty());
  CAF_CHECK(!take(log_of(&key), 8, {1, 0}).answer);
}

CAF_TEST_FIXTURE_SCOPE_END()
