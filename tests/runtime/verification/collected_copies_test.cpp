#define CAF_SUITE collected_copies
#include "tests/runtime/verification/witnessed_log.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

CAF_TEST_FIXTURE_SCOPE(collected_copies_tests, witnessed_log_fixture)

CAF_TEST(pieces of a copy are one log) {
  const lines log = host_log();
  const auto copy = write_piece("one", log, 0, 7);
  write_piece("one", log, 7, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  verification_options options;
  options.finished = true;
  options.witnesses = {directory / "witness"};
  write_witness(log, {3, 6, 7, 19, 22, 45});
  // The copy, all of the host, all hosts.
  for (const auto& named : {copy, copy.parent_path(), directory / "one"}) {
    const auto report = verify({named}, options);
    CAF_CHECK(report.clean());
    CAF_CHECK_EQUAL(report.lines, log.size());
    CAF_CHECK_EQUAL(report.files, 4u);
  }
}

CAF_TEST(what several collectors have is put together by position) {
  const lines log = host_log();
  const auto one = write_piece("one", log, 0, 12);
  write_piece("one", log, 25, 40);
  const auto two = write_piece("two", log, 5, 20);
  write_piece("two", log, 20, 30);
  write_piece("two", log, 40, log.size());
  verification_options options;
  options.finished = true;
  const auto whole = verify({one, two}, options);
  CAF_CHECK(whole.clean());
  CAF_CHECK_EQUAL(whole.lines, log.size());
  for (const chain_report& each : whole.chains) CAF_CHECK_EQUAL(each.copies, 0u);
  CAF_CHECK(verify({directory / "two", directory / "one"}, options).clean());
  CAF_MESSAGE("one alone has gaps, which are named");
  const auto part = verify({two}, options);
  CAF_CHECK(std::ranges::any_of(part.findings, [](const finding& each) {
    return each.cause == finding_cause::missing && has(each.words, "bytes 0 to ") && has(each.words, "of segment 1 ");
  }));
  CAF_CHECK(std::ranges::any_of(part.findings, [](const finding& each) {
    return each.cause == finding_cause::missing && has(each.words, "segment") &&
           each.file.find("/two/") != std::string::npos;
  }));
  CAF_MESSAGE("of a part the places are nothing wrong but a chain is still without a gap");
  options.finished = false;
  options.partial = true;
  CAF_CHECK(
      std::ranges::all_of(verify({two}, options).findings, [](const finding& each) { return !each.chain.empty(); }));
}

CAF_TEST(a line that is wrong is named where it stands also behind bytes that two collectors have) {
  lines log = host_log();
  const auto one = write_piece("one", log, 0, 12);
  log[16].replace(log[16].find("bash"), 4, "evil");
  const auto two = write_piece("two", log, 5, 20);
  write_piece("two", log, 20, 40);
  write_piece("two", log, 40, log.size());
  const auto report = verify({one, two});
  CAF_REQUIRE(!report.clean());
  CAF_CHECK(has(report.findings[0].file, "/two/"));
  // The first five lines are the other's alone, seven are read from there: it is the twelfth of its own file.
  CAF_CHECK_EQUAL(report.findings[0].line, 12u);
}

CAF_TEST(a copy that was edited at one collector differs from the others and both files are named) {
  lines log = host_log();
  const auto one = write_piece("one", log, 0, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  log[9].replace(log[9].find("bash"), 4, "evil");
  const auto two = write_piece("two", log, 3, 15);
  const auto report = verify({one, two});
  CAF_REQUIRE(is_only(report, finding_cause::altered));
  CAF_CHECK(has(report.findings[0].file, "/two/"));
  CAF_CHECK_EQUAL(report.findings[0].line, 7u);
  CAF_CHECK(has(report.findings[0].words, "line 10 of"));
  CAF_CHECK(has(report.findings[0].words, "/one/"));
  verification_options part;
  part.partial = true;
  CAF_CHECK(!verify({two}, part).clean());
}

CAF_TEST_FIXTURE_SCOPE_END()
