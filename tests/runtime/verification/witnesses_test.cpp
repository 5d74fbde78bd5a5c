#define CAF_SUITE witnesses
#include "runtime/verification/witnesses.hpp"

#include "tests/runtime/verification/witnessed_log.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

CAF_TEST_FIXTURE_SCOPE(witnesses_tests, witnessed_log_fixture)

CAF_TEST(a log that is as it was seen agrees) {
  const lines log = host_log();
  write_host(log);
  write_witness(log, {3, 19, 22, 45});
  const auto report = verify_host();
  CAF_CHECK(report.clean());
  CAF_CHECK(std::ranges::any_of(report.notes, [](const auto& each) { return has(each, "4 witnessed places agree"); }));
}

CAF_TEST(who has the hosts key and writes the past anew is found out by the witness alone) {
  write_witness(host_log(), {3, 19, 22, 30});
  // Line 15, counted from 1; everything after it is chained and signed again.
  const lines rewritten = host_log(11);
  CAF_REQUIRE(has(rewritten[14], "evil"));
  write_host(rewritten);
  CAF_CHECK(verify_host(false).clean());
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::altered));
  const finding& found = report.findings[0];
  CAF_CHECK(has(found.file, segment_file_name(1)));
  CAF_CHECK_EQUAL(found.line, 20u);
  CAF_CHECK_EQUAL(found.chain, "host-a/cell-1/run-1/1");
  CAF_CHECK(has(found.words, "witness/" + segment_file_name(1) + ":3 "));
  CAF_CHECK(has(found.words, "2 later"));
}

CAF_TEST(what is written anew in one chain is found out also where only lines of others end at witnessed places) {
  const auto log_of = [this](std::string_view last_word) {
    reference_chain host{"host-a", "", "", "1", &host_key};
    reference_chain first{"host-a", "cell-1", "run-1", "1", &host_key};
    reference_chain second{"host-a", "cell-2", "run-2", "1", &host_key};
    lines log{host.host_started(), host.run_opened(first.chain()), first.started()};
    log.push_back(host.run_opened(second.chain()));
    log.push_back(second.started());
    for (int i = 0; i < 5; ++i) log.push_back(first.declaration(true));
    log.push_back(first.declaration(true, last_word));
    for (int i = 0; i < 6; ++i) log.push_back(second.declaration(true));
    return log;
  };
  const lines log = log_of("bash");
  write_witness(log, {8, 13, 15});
  write_host(log_of("evil"));
  CAF_CHECK(verify_host(false).clean());
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::altered));
  // Between the ninth line, which is as it was, and the fourteenth: it is the eleventh.
  CAF_CHECK_EQUAL(report.findings[0].line, 14u);
  CAF_CHECK(has(report.findings[0].words, "one of the lines from line 10 on"));
}

CAF_TEST(a line that was written longer moves what was witnessed and is named) {
  write_witness(host_log(), {10});
  lines log = host_log();
  write_host(log);
  // The line that spans the place now.
  log[8].insert(log[8].size() - 2, 30, ' ');
  write_file(directory / "host" / segment_file_name(1), joined(log, 0, 20));
  verification_options options;
  options.witnesses = {directory / "witness"};
  const auto report = verify({directory / "host"}, options);
  const auto found =
      std::ranges::find_if(report.findings, [](const auto& each) { return has(each.words, "witnesses"); });
  CAF_REQUIRE(found != report.findings.end());
  CAF_CHECK_EQUAL(found->line, 11u);
}

CAF_TEST(a log that was set back ends before what was witnessed) {
  const lines log = host_log();
  const lines snapshot{log.begin(), log.begin() + 28};
  write_witness(log, {3, 27});
  write_host(snapshot);
  CAF_CHECK(verify_host().clean());
  write_witness(log, {3, 27, 35, 42});
  CAF_CHECK(verify_host(false).clean());
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::missing));
  CAF_CHECK(has(report.findings[0].file, "witness/"));
  CAF_CHECK_EQUAL(report.findings[0].line, 4u);
  CAF_CHECK(has(report.findings[0].words, "1 later"));
  verification_options part;
  part.partial = true;
  part.witnesses = {directory / "witness"};
  CAF_CHECK(verify({directory / "host"}, part).clean());
}

CAF_TEST(segments that are gone are found unless the host says that retention took them) {
  reference_chain host{"host-a", "", "", "1", &host_key};
  lines log{host.host_started()};
  while (log.size() < 45) log.push_back(host.line("host.v1.started", R"({"hostId":"host-a"})", true));
  write_witness(log, {3, 19, 44});
  write_host(log);
  fs::remove(directory / "host" / segment_file_name(1));
  CAF_CHECK(!verify_host().clean());
  CAF_CHECK(std::ranges::any_of(verify_host().findings, [](const auto& each) { return has(each.file, "witness/"); }));
  const std::string chain = host.chain();
  // What comes before is gone as the host says: up to the twentieth event.
  reference_chain again{"host-a", "", "", "1", &host_key};
  lines kept{again.host_started()};
  while (kept.size() < 20) kept.push_back(again.line("host.v1.started", R"({"hostId":"host-a"})", true));
  const std::string removal = R"({"bytes":"1","chains":[{"chain":")" + chain + R"(","lastDigest":")" +
                              again.last_digest() + R"(","lastSequence":"20","open":true}],"firstSegment":"1",)" +
                              R"("hostId":"host-a","lastSegment":"1","part":"1","parts":"1"})";
  kept.push_back(again.line("host.v1.evidence_removed", removal, true));
  while (kept.size() < 45) kept.push_back(again.line("host.v1.started", R"({"hostId":"host-a"})", true));
  write_witness(kept, {3, 19, 44});
  write_host(kept);
  fs::remove(directory / "host" / segment_file_name(1));
  CAF_CHECK(verify_host().clean());
}

CAF_TEST(a witness that does not verify or is the host itself counts for nothing) {
  const lines log = host_log();
  write_host(log);
  write_witness(log, {3, 19});
  const auto path = directory / "witness" / segment_file_name(1);
  std::string text = content_of(path);
  text.replace(text.find("\"offset\":\"") + 10, 1, "9");
  write_file(path, text);
  auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::no_witness));
  CAF_CHECK(has(report.findings[0].file, "witness/"));
  CAF_CHECK_EQUAL(report.findings[0].line, 2u);
  // Who has the host's key alone makes a collector up.
  write_witness(host_log(11), {3, 19}, host_key);
  write_host(host_log(11));
  report = verify_host();
  CAF_CHECK(is_only(report, finding_cause::no_witness));
}

CAF_TEST(a log is known by its id and where it has none by being the only one) {
  const lines log = host_log();
  write_host(log);
  write_witness(log, {3, 19}, collector_key, "ffffffffffffffffffffffffffffffff");
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::missing));
  CAF_CHECK(has(report.findings[0].words, "log ffffffffffffffffffffffffffffffff of host host-a is not here"));
  write_witness(host_log(2), {3, 19});
  fs::remove(directory / "host/log-id");
  CAF_CHECK(is_only(verify_host(), finding_cause::altered));
}

CAF_TEST(what is witnessed of another host with the same log id says nothing of this one) {
  const lines log = host_log();
  write_host(log);
  // A host that gave its log the id of another's, and what a collector saw of both.
  const lines others = host_log(7);
  std::string of_other = witnessed(others, 19);
  of_other.replace(of_other.find("host-a"), 6, "host-b");
  write_witness({of_other, witnessed(log, 19)}, collector_key);
  CAF_CHECK(verify_host().clean());
  write_host(others);
  CAF_CHECK(is_only(verify_host(), finding_cause::altered));
}

CAF_TEST(of a part too a host whose witnessed log is not here under its id is named) {
  write_witness(host_log(), {3, 19});
  write_host(host_log(11));
  verification_options part;
  part.partial = true;
  part.witnesses = {directory / "witness"};
  CAF_CHECK(is_only(verify({directory / "host"}, part), finding_cause::altered));
  write_file(directory / "host/log-id", "ffffffffffffffffffffffffffffffff\n");
  const auto report = verify({directory / "host"}, part);
  CAF_REQUIRE(is_only(report, finding_cause::no_witness));
  CAF_CHECK(has(report.findings[0].words, "log " + log_id + " of host host-a"));
}

CAF_TEST(of a part too it is no comparison where nothing of what was witnessed is here) {
  write_witness(host_log(), {3, 19, 22});
  // The same id, and other numbers for its segments.
  const lines rewritten = host_log(11);
  write_host(rewritten);
  for (int i = 3; i > 0; --i) {
    fs::rename(directory / "host" / segment_file_name(static_cast<std::uint64_t>(i)),
               directory / "host" / segment_file_name(static_cast<std::uint64_t>(i + 1000)));
  }
  verification_options part;
  part.partial = true;
  part.witnesses = {directory / "witness"};
  CAF_CHECK(is_only(verify({directory / "host"}, part), finding_cause::no_witness));
}

CAF_TEST(a copy that was put elsewhere is known by its id) {
  const lines log = host_log();
  const auto copy = write_piece("one", log, 0, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  fs::create_directories(directory / "case-17");
  fs::rename(copy, directory / "case-17" / log_id);
  write_witness(log, {3, 19, 45});
  verification_options options;
  options.witnesses = {directory / "witness"};
  CAF_CHECK(verify({directory / "case-17" / log_id}, options).clean());
}

CAF_TEST(a fork that was witnessed and is not here is named) {
  const lines log = host_log();
  std::string of_fork = witnessed(host_log(7), 19);
  of_fork.replace(of_fork.find(R"("fork":"0")"), 10, R"("fork":"1")");
  write_witness({witnessed(log, 45), of_fork}, collector_key);
  const auto copy = write_piece("one", log, 0, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  verification_options options;
  options.witnesses = {directory / "witness"};
  const auto report = verify({copy}, options);
  CAF_REQUIRE(is_only(report, finding_cause::missing));
  CAF_CHECK(has(report.findings[0].words, "fork 1"));
}

CAF_TEST_FIXTURE_SCOPE_END()
