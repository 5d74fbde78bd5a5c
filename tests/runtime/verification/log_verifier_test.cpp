#define CAF_SUITE log_verifier
#include "tests/runtime/verification/verified_log.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

CAF_TEST_FIXTURE_SCOPE(log_verifier_tests, verified_log)

CAF_TEST(an_untouched_log_is_clean_and_reported_in_full) {
  sample what = checkpointed();
  for (const bool every_event : {false, true}) {
    what.sign_every_event = every_event;
    const lines log = sample_log(what);
    verification_options strict;
    strict.finished = true;
    const auto report = verify(log, strict);
    CAF_CHECK_EQUAL(reported(report).size(), 0u);
    CAF_CHECK(report.clean());
    CAF_CHECK_EQUAL(report.chains.size(), 8u);
    CAF_CHECK_EQUAL(report.lines, log.size());
    const chain_report& run = chain_of(report, first_run);
    CAF_CHECK_EQUAL(run.host, "host-a");
    CAF_CHECK_EQUAL(run.cell, "cell-1");
    CAF_CHECK_EQUAL(run.run, "run-1");
    CAF_CHECK_EQUAL(run.first, 1u);
    CAF_CHECK_EQUAL(run.events, run.last);
    CAF_CHECK_EQUAL(run.signed_until, run.last);
    CAF_CHECK_EQUAL(run.facts.declarations, 10u);
    CAF_CHECK_EQUAL(run.facts.silences, 1u);
    CAF_CHECK_EQUAL(run.facts.resumptions, 1u);
    CAF_CHECK_EQUAL(run.facts.keys.size(), 2u);
    CAF_CHECK(run.closed_by_host);
    CAF_CHECK(run.state == chain_state::ended);
    CAF_CHECK_EQUAL(run.facts.end_reason, "retired");
    const chain_report& second = chain_of(report, second_run);
    CAF_REQUIRE_EQUAL(second.facts.drops.size(), 1u);
    CAF_CHECK_EQUAL(second.facts.drops[0].frames, 7u);
    CAF_CHECK_EQUAL(second.facts.drops[0].reason, "frames_refused");
  }
}

CAF_TEST(an_altered_event_without_signature_breaks_the_chain_behind_it) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, "\"guestPid\":", 8);
  log[at] = replaced(log[at], "\"guestComm\":\"bash\"", "\"guestComm\":\"cash\"");
  const auto report = verify(log);
  const auto findings = reported(report);
  CAF_REQUIRE_EQUAL(findings.size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::altered);
  CAF_CHECK_EQUAL(report.findings[0].line, at + 1);
}

CAF_TEST(an_altered_event_with_signature_is_named_and_the_chain_goes_on) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, "run.v1.checkpoint");
  log[at] = replaced(log[at], "sha256:9f86", "sha256:8f86");
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::altered);
  CAF_CHECK_EQUAL(report.findings[0].line, at + 1);
}

CAF_TEST(digests_made_anew_up_to_the_next_signature_do_not_help) {
  // As who holds the log, but no key, would do it: everything from the altered event on is written anew.
  const auto forge = [this](bool alter) {
    reference_chain run{"host-a", "cell-1", "run-1", "1", &key};
    lines log;
    log.push_back(run.started());
    log.push_back(run.declaration(false, alter ? "forged" : "honest"));
    log.push_back(run.declaration(false));
    log.push_back(run.checkpoint());
    return log;
  };
  lines log = forge(false);
  const lines forged = forge(true);
  log[1] = forged[1];
  log[2] = forged[2];
  verification_options options;
  options.partial = true;
  const auto report = verify(log, options);
  const auto findings = reported(report);
  CAF_REQUIRE_EQUAL(findings.size(), 1u);
  CAF_CHECK_EQUAL(findings[0], "altered host-a/cell-1/run-1/1 3 3");
}

CAF_TEST(a_removed_event_is_missed) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, std::string{first_run} + "/00000000000000000005");
  log.erase(log.begin() + static_cast<std::ptrdiff_t>(at));
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
  CAF_CHECK_EQUAL(report.findings[0].chain, first_run);
  CAF_CHECK_EQUAL(report.findings[0].sequence, 5u);
  CAF_CHECK(report.findings[0].words.find("sequence 5") != std::string::npos);
}

CAF_TEST(a_run_taken_out_as_a_whole_is_missed) {
  lines log = sample_log(checkpointed());
  std::erase_if(log, [](const std::string& line) {
    return line.find("\"id\":\"" + std::string{second_run}) != std::string::npos;
  });
  const auto report = verify(log);
  CAF_CHECK_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
  CAF_CHECK_EQUAL(report.findings[0].chain, second_run);
  verification_options partial;
  partial.partial = true;
  CAF_CHECK(verify(log, partial).clean());
}

CAF_TEST(a_host_whose_own_chain_was_taken_out_is_reported) {
  lines log = sample_log(checkpointed());
  std::erase_if(log, [](const std::string& line) { return line.find("urn:cellos:host:host-b") != std::string::npos; });
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK_EQUAL(report.findings[0].chain, "host-b");
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
}

CAF_TEST(a_cut_that_takes_the_end_of_a_run_is_seen_in_the_hosts_own_chain) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, "run.v1.ended");
  log.erase(log.begin() + static_cast<std::ptrdiff_t>(at));
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
  CAF_CHECK(report.findings[0].words.find("its end") != std::string::npos);
}

CAF_TEST(order_within_a_chain_is_checked_and_across_chains_is_not) {
  const lines log = sample_log(checkpointed());
  const std::size_t second = index_of(log, std::string{first_run} + "/00000000000000000002");
  const std::size_t third = index_of(log, std::string{first_run} + "/00000000000000000003");
  lines swapped = log;
  std::swap(swapped[second], swapped[third]);
  auto report = verify(swapped);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::reordered);
  CAF_CHECK_EQUAL(report.findings[0].chain, first_run);

  swapped = log;
  CAF_REQUIRE(third - second > 2);
  std::swap(swapped[second + 1], swapped[second + 2]);
  CAF_CHECK(verify(swapped).clean());
}

CAF_TEST(an_event_written_twice_is_reported) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, std::string{first_run} + "/00000000000000000005");
  log.push_back(log[at]);
  const auto report = verify(log);
  const auto findings = reported(report);
  const lines expected{"duplicated " + std::string{first_run} + " 5 " + std::to_string(log.size())};
  CAF_CHECK_EQUAL(findings, expected);
}

CAF_TEST(what_a_line_says_of_its_origin_must_agree) {
  const lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, std::string{first_run} + "/00000000000000000005");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"id\":\"host-a", "\"id\":\"host-b"},
           {"\"source\":\"/cellos/host/host-a", "\"source\":\"/cellos/host/host-b"},
           {"urn:cellos:cell:cell-1", "urn:cellos:cell:cell-2"},
           {"\"cellId\":\"cell-1", "\"cellId\":\"cell-2"},
           {"\"runId\":\"run-1", "\"runId\":\"run-2"},
           {"\"chain\":\"host-a", "\"chain\":\"host-b"},
           {"\"sequence\":\"00000000000000000005", "\"sequence\":\"00000000000000000006"}}) {
    lines changed = log;
    changed[at] = replaced(changed[at], from, to);
    const auto report = verify(changed);
    CAF_MESSAGE(from << " -> " << to);
    CAF_CHECK(!reported(report).empty());
    CAF_CHECK(report.findings.at(0).cause == finding_cause::foreign);
    CAF_CHECK_EQUAL(report.findings.at(0).line, at + 1);
  }
}

CAF_TEST(an_open_run_is_no_finding_but_its_unsigned_tail_is_reported) {
  sample what = checkpointed();
  what.finished = false;
  what.checkpoint_events = 4;
  const lines log = sample_log(what);
  const auto report = verify(log);
  CAF_CHECK_EQUAL(reported(report).size(), 0u);
  const chain_report& run = chain_of(report, "host-a/cell-3/run-3/1767225600001");
  CAF_CHECK(run.state == chain_state::open);
  CAF_CHECK_EQUAL(run.unsigned_tail(), 2u);
  verification_options finished;
  finished.finished = true;
  const auto strict = verify(log, finished);
  CAF_CHECK(!reported(strict).empty());
  CAF_CHECK_EQUAL(strict.findings_by_cause[static_cast<std::size_t>(finding_cause::unsigned_tail)], 2u);
}

CAF_TEST(an_open_run_of_a_stopped_host_has_lost_its_end) {
  reference_chain host{"host-a", "", "", "1", &key};
  reference_chain run{"host-a", "cell-1", "run-1", "1", &key};
  const lines log{host.host_started(), host.run_opened(run.chain()), run.started(), host.host_stopped()};
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
  CAF_CHECK_EQUAL(report.findings[0].sequence, 2u);
}

CAF_TEST(totals_that_do_not_fit_the_log_are_reported) {
  reference_chain host{"host-a", "", "", "1", &key};
  reference_chain run{"host-a", "cell-1", "run-1", "1", &key};
  lines log{host.host_started(), host.run_opened(run.chain()), run.started(), run.declaration(false), run.ended(2)};
  log.push_back(host.run_closed(run));
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::totals_unbalanced);
}

CAF_TEST(a_log_without_digests_proves_nothing_and_says_so) {
  sample what;
  const lines log = sample_log(what);
  const auto report = verify(log);
  CAF_CHECK_EQUAL(reported(report).size(), 8u);
  for (const finding& each : report.findings) CAF_CHECK(each.cause == finding_cause::not_signed);
  std::string text;
  for (const std::string& line : log) text += line;
  CAF_CHECK(verify_text(text, nullptr).clean());
}

CAF_TEST(digests_taken_out_of_some_lines_are_reported) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, std::string{first_run} + "/00000000000000000005");
  const std::size_t begin = log[at].find(",\"prevdigest\"");
  const std::size_t end = log[at].find(",\"data\"");
  log[at].erase(begin, end - begin);
  const auto report = verify(log);
  CAF_CHECK(!reported(report).empty());
  CAF_CHECK_EQUAL(report.findings_by_cause[static_cast<std::size_t>(finding_cause::not_signed)], 1u);
}

CAF_TEST(a_signature_taken_out_of_what_is_always_signed_is_reported) {
  lines log = sample_log(checkpointed());
  const std::size_t at = index_of(log, "guest.v1.agent_silenced");
  const std::size_t begin = log[at].find(",\"dssematerial\"");
  const std::size_t end = log[at].find(",\"data\"");
  log[at].erase(begin, end - begin);
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::altered);
}

CAF_TEST(what_is_no_event_is_malformed) {
  lines log = sample_log(checkpointed());
  const std::size_t before = log.size();
  for (const std::string line :
       {"", "{}", "null", "hello", R"({"specversion":"1.0","id":"1","source":"s","type":"t"})"}) {
    log.push_back(line + "\n");
  }
  const auto report = verify(log);
  CAF_REQUIRE_EQUAL(reported(report).size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    CAF_CHECK(report.findings[i].cause == finding_cause::malformed);
    CAF_CHECK_EQUAL(report.findings[i].line, before + i + 1);
  }
}

CAF_TEST(one_cell_and_one_window_of_time_can_be_asked_for) {
  const lines log = sample_log(checkpointed());
  verification_options cell;
  cell.cell = "cell-2";
  auto report = verify(log, cell);
  CAF_CHECK(report.clean());
  CAF_CHECK_EQUAL(report.chains.size(), 4u);
  cell.cell = "cell-9";
  report = verify(log, cell);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
  CAF_CHECK_EQUAL(report.findings[0].words, "the whole cell: not one run of it is here");
  verification_options late;
  late.since = wall_time{std::chrono::seconds{1'900'000'000}};
  report = verify(log, late);
  CAF_CHECK(report.clean());
  CAF_CHECK_EQUAL(report.chains.size(), 0u);
  verification_options early;
  early.until = wall_time{std::chrono::seconds{1'767'225'601}};
  CAF_CHECK_EQUAL(verify(log, early).chains.size(), 8u);
}

CAF_TEST(a_host_that_must_be_there_is_missed) {
  const lines log = sample_log(checkpointed());
  verification_options options;
  options.hosts = {"host-a", "host-c"};
  const auto report = verify(log, options);
  CAF_REQUIRE_EQUAL(reported(report).size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::missing);
  CAF_CHECK_EQUAL(report.findings[0].chain, "host-c");
}

CAF_TEST(gaps_without_end_do_not_take_memory_without_end) {
  reference_chain run{"host-a", "cell-1", "run-1", "1", &key};
  lines log;
  for (std::size_t i = 0; i < 3 * chain_track::most_sections; ++i) {
    std::string line = run.declaration(false);
    if (i % 2 == 0) log.push_back(std::move(line));
  }
  const auto report = verify(log);
  CAF_CHECK(!report.clean());
  CAF_CHECK(report.findings.at(0).words.find("too many gaps") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
