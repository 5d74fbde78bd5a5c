// Our lines before other implementations, and theirs before ours: Node's crypto module, and openssl with jq.

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/text/base64.hpp"
#include "tests/support/process.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE evidence_elsewhere
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome run(const std::string& program, const std::vector<std::string>& arguments) {
  process child{{program, arguments}};
  const int code = child.wait();
  return {code, child.out(), child.err()};
}

const std::string source_dir = CELLOS_SOURCE_DIR;

class fixture {
 public:
  outcome node(const std::string& script, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"node", source_dir + "/tests/e2e/evidence_node/" + script});
    return run("/usr/bin/env", arguments);
  }
  outcome node_verify() const { return node("verify.mjs", {path("keys.json"), path("log.jsonl")}); }
  outcome by_hand(const std::string& chain) const {
    return run(source_dir + "/config/verify/verify-run.sh", {path("keys.json"), chain, path("log.jsonl")});
  }
  outcome verify() const {
    return run(program_path("cellos-telemetryctl"),
               {"verify", "--finished", "--keys", path("keys.json"), path("log.jsonl")});
  }

  std::string path(std::string_view name) const { return directory_ / name; }
  void write(std::string_view name, std::string_view content) const {
    std::ofstream{directory_ / name, std::ios::binary} << content;
  }
  void write_log(const std::vector<std::string>& lines) const {
    std::string text;
    for (const std::string& line : lines) text += line;
    write("log.jsonl", text);
  }
  void write_keys(const std::vector<const signing_key*>& keys) const {
    nlohmann::json list;
    for (const signing_key* each : keys) {
      const secret raw = each->export_secret();
      const auto point = each->public_key();
      const std::string key = point.empty() ? base64url(raw.bytes()) : base64url(point);
      if (each->algorithm() == signing_algorithm::ed25519) {
        list[each->key_id()] = key;
      } else {
        list[each->key_id()] = {{"alg", to_string(each->algorithm())}, {"key", key}};
      }
    }
    write("keys.json", list.dump());
  }

 private:
  temporary_directory directory_;
};

/// What may be done to line `at` of a log, so that nobody may accept it.
const std::vector<std::function<void(std::vector<std::string>&, std::size_t)>> tampering{
    [](auto& lines, std::size_t at) { lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at)); },
    [](auto& lines, std::size_t at) { lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), lines[at]); },
    [](auto& lines, std::size_t at) { lines[at].replace(lines[at].find("\"tier\":1"), 8, "\"tier\":2"); },
    [](auto& lines, std::size_t at) { lines[at].replace(lines[at].find("\"time\":\"2026"), 12, "\"time\":\"2027"); },
};

std::vector<std::string> some_run(const signing_key& key) {
  reference_chain writer{"host-a", "cell-1", "run-1", "1", &key};
  std::vector<std::string> lines{writer.started()};
  lines.push_back(writer.declaration(false, "caf\xc3\xa9 \\u0001 \\\"data\\\":"));
  lines.push_back(writer.declaration(false));
  lines.push_back(writer.ended(2));
  return lines;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(evidence_elsewhere_tests, fixture)

CAF_TEST(node_verifies_what_we_sign_and_sees_what_was_changed) {
  for (const signing_algorithm algorithm : signing_algorithms) {
    const auto key = signing_key::generate(algorithm, "host-2026");
    const auto next_key = signing_key::generate(algorithm, "host-2027");
    sample what;
    what.key = &key;
    what.next_key = &next_key;
    const auto log = sample_log(what);
    write_keys({&key, &next_key});
    write_log(log);
    const outcome good = node_verify();
    CAF_CHECK_EQUAL(good.code, 0);
    CAF_CHECK_EQUAL(good.err, "");
    const std::string expected = std::to_string(log.size()) + " events of 8 chains, ";
    CAF_CHECK_EQUAL(good.out.substr(0, expected.size()), expected);
    CAF_CHECK_EQUAL(verify().code, 0);
    for (const auto& change : tampering) {
      auto changed = log;
      change(changed, 20);
      write_log(changed);
      CAF_CHECK_EQUAL(node_verify().code, 1);
      CAF_CHECK_EQUAL(verify().code, 1);
    }
  }
}

CAF_TEST(we_verify_what_node_signs_and_see_what_was_changed) {
  for (const signing_algorithm algorithm : signing_algorithms) {
    const auto key = signing_key::generate(algorithm, "node-2026");
    const secret raw = key.export_secret();
    write("key", base64url(raw.bytes()) + "\n");
    write_keys({&key});
    const auto point = key.public_key();
    const outcome made = node("sign.mjs", {std::string{to_string(algorithm)}, "node-2026", path("key"),
                                           point.empty() ? "-" : base64url(point)});
    CAF_REQUIRE_EQUAL(made.code, 0);
    write("log.jsonl", made.out);
    const outcome good = verify();
    CAF_MESSAGE(good.out);
    CAF_CHECK_EQUAL(good.code, 0);
    CAF_CHECK(good.out.find("3 chains of 1 host, 64 events: nothing wrong") != std::string::npos);
    CAF_CHECK_EQUAL(node_verify().code, 0);
    std::string changed = made.out;
    changed.replace(changed.find("\"guestPid\":7"), 12, "\"guestPid\":8");
    write("log.jsonl", changed);
    CAF_CHECK_EQUAL(verify().code, 1);
  }
}

CAF_TEST(a_run_is_verified_by_hand_and_what_was_changed_is_seen) {
  const auto key = signing_key::generate(signing_algorithm::ed25519, "host-2026");
  write_keys({&key});
  const std::string chain = "host-a/cell-1/run-1/1";
  const auto log = some_run(key);
  write_log(log);
  const outcome good = by_hand(chain);
  CAF_CHECK_EQUAL(good.err, "");
  CAF_CHECK_EQUAL(good.code, 0);
  CAF_CHECK_EQUAL(good.out, chain +
                                ": 4 events, all proven by 2 signatures; the last is "
                                "dev.cellos.events.cell.observability.run.v1.ended\n");
  for (const auto& change : tampering) {
    auto changed = log;
    change(changed, 1);
    write_log(changed);
    CAF_CHECK_EQUAL(by_hand(chain).code, 1);
  }
  auto cut = log;
  cut.pop_back();
  write_log(cut);
  CAF_CHECK(by_hand(chain).err.find("no signature is over its last 2 events") != std::string::npos);
  const auto impostor = signing_key::generate(signing_algorithm::ed25519, "host-2026");
  write_log(some_run(impostor));
  CAF_CHECK(by_hand(chain).err.find("the signature by host-2026 is wrong") != std::string::npos);
  CAF_CHECK(by_hand("host-a/cell-1/run-1/2").err.find("not one event") != std::string::npos);
}

CAF_TEST(by_hand_no_envelope_is_passed_over) {
  const auto key = signing_key::generate(signing_algorithm::ed25519, "host-2026");
  write_keys({&key});
  const std::string chain = "host-a/cell-1/run-1/1";
  const auto log = some_run(key);
  const std::string material = [&] {
    const auto envelope = nlohmann::json::parse(
        decode_base64(nlohmann::json::parse(log.back())["dssematerial"].get<std::string>()).value_or("{}"));
    return envelope["payload"].get<std::string>();
  }();
  const std::string payload =
      R"({"payload":")" + material + R"(","payloadType":"https://cloudevents.io/verifiability/dsse/v0.1",)";
  // None of them is signed by anybody; each makes a reader stumble in another place.
  for (const std::string& envelope : std::vector<std::string>{
           payload + R"("signatures":[1]})", payload + R"("signatures":[{"keyid":"host-2026"}]})",
           payload + R"("signatures":[{"keyid":{},"sig":"AAAA"}]})",
           payload + R"("signatures":[{"keyid":"a b","sig":"AAAA"}]})",
           payload + R"("signatures":[{"keyid":"","sig":""}]})", payload + R"("signatures":{"a":1}})",
           payload + R"("signatures":[]})", payload + R"("signatures":[{"keyid":"\n","sig":"\n"}]})", std::string{"[]"},
           std::string{"{"}, std::string{"null"}}) {
    auto forged = log;
    auto event = nlohmann::ordered_json::parse(forged.back());
    std::string text;
    append_base64(text, bytes_of(envelope));
    event["dssematerial"] = text;
    forged.back() = event.dump();
    write_log(forged);
    const outcome by_script = by_hand(chain);
    CAF_MESSAGE(envelope << ": " << by_script.err << by_script.out);
    CAF_CHECK_EQUAL(by_script.code, 1);
    CAF_CHECK_EQUAL(verify().code, 1);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
