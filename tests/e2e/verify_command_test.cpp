#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/text/base64.hpp"
#include "tests/support/process.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE verify_command
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using nlohmann::json;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

class fixture {
 public:
  fixture() : key_(signing_key::generate(signing_algorithm::ed25519, "host-2026")) {
    what_.key = &key_;
    log_ = sample_log(what_);
    write("keys.json", "{\"host-2026\": \"" + base64url(key_.public_key()) + "\"}\n");
    write("log.jsonl", text());
  }

  outcome verify(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "verify");
    process child{{program_path("cellos-telemetryctl"), arguments}};
    const int code = child.wait();
    return {code, child.out(), child.err()};
  }
  outcome verify_log(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {path("log.jsonl"), "--keys", path("keys.json")});
    return verify(more);
  }

  std::string path(std::string_view name) const { return directory_ / name; }
  void write(std::string_view name, std::string_view content) const {
    std::ofstream{directory_ / name, std::ios::binary} << content;
  }
  std::string text() const {
    std::string all;
    for (const std::string& line : log_) all += line;
    return all;
  }

 protected:
  temporary_directory directory_;
  signing_key key_;
  sample what_;
  std::vector<std::string> log_;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(verify_command_tests, fixture)

CAF_TEST(a_good_log_is_a_table_and_exit_code_0) {
  const outcome good = verify_log({"--finished"});
  CAF_CHECK_EQUAL(good.code, 0);
  CAF_CHECK_EQUAL(good.err, "");
  CAF_CHECK(has(good.out, "HOST    CELL    RUN    EVENTS  SEQUENCE  PROVEN  KEY        STATE"));
  CAF_CHECK(has(good.out,
                "host-a  cell-1  run-1  15      1-15      all     host-2026  ended, retired  fell silent and resumed"));
  CAF_CHECK(has(good.out, "lost 7 (frames_refused)"));
  CAF_CHECK(has(good.out, "8 chains of 2 hosts, 100 events: nothing wrong\n"));
  CAF_CHECK(!has(good.out, "\x1b"));
}

CAF_TEST(a_changed_log_is_exit_code_1_with_file_line_and_cause) {
  std::string changed = text();
  changed.replace(changed.find("guestComm\":\"bash"), 16, "guestComm\":\"cash");
  write("log.jsonl", changed);
  const outcome bad = verify_log();
  CAF_CHECK_EQUAL(bad.code, 1);
  CAF_CHECK(has(bad.out, "altered  host-a/cell-1/run-1/1767225600001 2  " + path("log.jsonl") + ":15: "));
  CAF_CHECK(has(bad.out, "1 finding (1 altered)\n"));

  const outcome as_json = verify_log({"--json"});
  CAF_CHECK_EQUAL(as_json.code, 1);
  const json report = json::parse(as_json.out);
  CAF_CHECK_EQUAL(report["clean"], false);
  CAF_REQUIRE_EQUAL(report["findings"].size(), 1u);
  const json& finding = report["findings"][0];
  CAF_CHECK_EQUAL(finding["cause"], "altered");
  CAF_CHECK_EQUAL(finding["line"], 15);
  CAF_CHECK_EQUAL(finding["sequence"], 2);
  CAF_CHECK_EQUAL(report["findingsByCause"]["altered"], 1);
}

CAF_TEST(the_report_for_programs_holds_every_chain) {
  const outcome good = verify_log({"--json"});
  CAF_CHECK_EQUAL(good.code, 0);
  const json report = json::parse(good.out);
  CAF_CHECK_EQUAL(report["clean"], true);
  CAF_CHECK_EQUAL(report["signaturesChecked"], true);
  CAF_CHECK_EQUAL(report["lines"], log_.size());
  CAF_REQUIRE_EQUAL(report["chains"].size(), 8u);
  for (const json& chain : report["chains"]) {
    CAF_CHECK_EQUAL(chain["signedUntil"], chain["lastSequence"]);
    CAF_CHECK_EQUAL(chain["state"], "ended");
    CAF_CHECK_EQUAL(chain["keyIds"], json::array({"host-2026"}));
    CAF_CHECK_EQUAL(chain["lastDigest"].get<std::string>().size(), 44u);
  }
}

CAF_TEST(signatures_can_be_left_out_when_said_so) {
  const outcome without = verify({path("log.jsonl"), "--no-signatures"});
  CAF_CHECK_EQUAL(without.code, 0);
  CAF_CHECK(has(without.out, "signatures not checked"));
  std::string changed = text();
  changed.replace(changed.find("guestComm\":\"bash"), 16, "guestComm\":\"cash");
  write("log.jsonl", changed);
  CAF_CHECK_EQUAL(verify({path("log.jsonl"), "--no-signatures"}).code, 1);
}

CAF_TEST(a_part_of_a_log_is_accepted_as_one_only_when_said_so) {
  std::string tail;
  for (std::size_t i = 30; i < log_.size(); ++i) tail += log_[i];
  write("log.jsonl", tail);
  CAF_CHECK_EQUAL(verify_log().code, 1);
  CAF_CHECK_EQUAL(verify_log({"--partial"}).code, 0);
}

CAF_TEST(a_log_that_goes_on_is_clean_until_the_end_is_asked_for) {
  what_.finished = false;
  log_ = sample_log(what_);
  write("log.jsonl", text());
  const outcome open = verify_log();
  CAF_CHECK_EQUAL(open.code, 0);
  CAF_CHECK(has(open.out, "to 10, not the last 2"));
  CAF_CHECK(has(open.out, "open"));
  const outcome strict = verify_log({"--finished"});
  CAF_CHECK_EQUAL(strict.code, 1);
  CAF_CHECK(
      has(strict.out, "unsigned_tail  host-a/cell-3/run-3/1767225600001 11: no signature is over its last 2 events"));
}

CAF_TEST(a_log_that_was_cut_back_is_seen_by_an_earlier_report) {
  write("report.json", verify_log({"--json"}).out);
  CAF_CHECK_EQUAL(verify_log({"--after", path("report.json")}).code, 0);
  // Up to a moment when every chain's last event was signed: nothing but the report reports.
  std::string cut;
  for (std::size_t i = 0; i < 14; ++i) cut += log_[i];
  write("log.jsonl", cut);
  CAF_CHECK_EQUAL(verify_log().code, 0);
  const outcome reported = verify_log({"--after", path("report.json"), "--host", "host-c"});
  CAF_CHECK_EQUAL(reported.code, 1);
  CAF_CHECK(has(reported.out, "by the earlier report it went on to sequence 15"));
  CAF_CHECK(has(reported.out, "missing  host-c: the whole host"));
}

CAF_TEST(runs_can_be_chosen) {
  const json report = json::parse(verify_log({"--json", "--cell", "cell-2"}).out);
  CAF_CHECK_EQUAL(report["chains"].size(), 4u);
  CAF_CHECK_EQUAL(json::parse(verify_log({"--json", "--since", "2030-01-01T00:00:00Z"}).out)["chains"].size(), 0u);
  CAF_CHECK_EQUAL(json::parse(verify_log({"--json", "--until", "2030-01-01T00:00:00+02:00"}).out)["chains"].size(), 8u);
}

CAF_TEST(mistakes_are_exit_code_2_and_what_cannot_be_read_is_3) {
  const std::string log = path("log.jsonl");
  const std::string keys = path("keys.json");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {log},
                                             {"--keys", keys},
                                             {log, "--keys", keys, "--no-signatures"},
                                             {log, "--keys", keys, "--since", "yesterday"},
                                             {log, "--keys", keys, "--bogus"}}) {
    const outcome reported = verify(arguments);
    CAF_CHECK_EQUAL(reported.code, 2);
    CAF_CHECK_EQUAL(reported.out, "");
    CAF_CHECK(!reported.err.empty());
  }
  write("broken.json", "{\"host-2026\": \"AAAA\"}");
  for (const auto& [file, list] : std::vector<std::pair<std::string, std::string>>{
           {path("none.jsonl"), keys}, {log, path("none.json")}, {log, path("broken.json")}}) {
    const outcome reported = verify({file, "--keys", list});
    CAF_CHECK_EQUAL(reported.code, 3);
    CAF_CHECK_EQUAL(reported.out, "");
    CAF_CHECK(!reported.err.empty());
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
