#define CAF_SUITE chain_keys
#include "tests/runtime/verification/verified_log.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

CAF_TEST_FIXTURE_SCOPE(chain_keys_tests, verified_log)

CAF_TEST(keys_that_are_not_in_the_list_are_reported_once_a_chain) {
  const lines log = sample_log(checkpointed());
  const key_list other = keys_of({&key});
  std::string text;
  for (const std::string& line : log) text += line;
  const auto report = verify_text(text, &other);
  const auto findings = reported(report);
  CAF_CHECK_EQUAL(std::count_if(report.findings.begin(), report.findings.end(),
                                [](const finding& each) { return each.cause == finding_cause::unknown_key; }),
                  2);
  CAF_CHECK(!report.clean());
}

CAF_TEST(a_closing_that_nobody_signed_proves_nothing_of_its_run) {
  std::string text;
  for (const std::string& line : sample_log(checkpointed())) text += line;
  const auto stranger = signing_key::generate(signing_algorithm::ed25519, "host-2025");
  const key_list other = keys_of({&stranger});
  const auto report = verify_text(text, &other);
  CAF_REQUIRE(!report.chains.empty());
  for (const chain_report& chain : report.chains) {
    CAF_CHECK_EQUAL(chain.signed_until, 0u);
    CAF_CHECK(!chain.closed_by_host);
  }
}

CAF_TEST(a_key_that_is_bound_to_another_host_does_not_count) {
  const lines log = sample_log(checkpointed());
  key_list bound = keys_of({&next_key});
  CAF_REQUIRE(bound.add("host-2026", signing_algorithm::ed25519, key.public_key(), {"host-a"}));
  std::string text;
  for (const std::string& line : log) text += line;
  const auto report = verify_text(text, &bound);
  CAF_CHECK(!report.clean());
  for (const finding& each : report.findings) CAF_CHECK(each.chain.starts_with("host-b"));
  CAF_CHECK(report.findings.at(0).cause == finding_cause::foreign);
}

CAF_TEST(a_change_of_keys_needs_both_signatures) {
  verification_options partial;
  partial.partial = true;
  reference_chain run{"host-a", "cell-1", "run-1", "1", &key};
  lines log{run.started(), run.declaration(false)};
  log.push_back(run.change_key(next_key));
  log.push_back(run.checkpoint());
  CAF_CHECK(verify(log, partial).clean());

  // Whoever holds the next key alone cannot take the chain over.
  reference_chain taken{"host-a", "cell-1", "run-1", "1", &key};
  lines forged{taken.started(), taken.declaration(false)};
  taken.sign_with(next_key);
  forged.push_back(taken.checkpoint());
  forged.push_back(taken.ended(1));
  const auto report = verify(forged, partial);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::key_change_unproven);
  CAF_CHECK_EQUAL(report.findings[0].line, 3u);

  const key_list without_former = keys_of({&next_key});
  CAF_CHECK(!verify_text(log[0] + log[1] + log[2] + log[3], &without_former, partial).clean());
}

CAF_TEST_FIXTURE_SCOPE_END()
