#include "runtime/lines/logged_event.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/signing/signing_key.hpp"
#include "runtime/verification/line_verifier.hpp"
#include "tests/support/reference_chain.hpp"

#define CAF_SUITE logged_event
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

namespace {

struct fixture {
  signing_key key = signing_key::generate(signing_algorithm::ed25519, "host-2026");
  key_list keys = keys_of({&key});
  line_verifier verifier{&keys};

  std::string signed_line(std::string_view comm = "bash") {
    reference_chain run{"host-a", "cell-1", "run-1", "1", &key};
    std::string line = run.declaration(true, comm);
    line.pop_back();
    return line;
  }

  /// Signed, linked and without a fault.
  bool accepts(const std::string& line) {
    const line_result result = verifier.verify(line);
    for (const line_fault& each : result.faults) CAF_MESSAGE(to_string(each.cause) << ": " << each.words);
    return result.faults.empty() && result.is_signed() && result.sealed && result.sequence == 1 &&
           result.chain == "host-a/cell-1/run-1/1" && result.is_declaration;
  }

  std::string refusal(const std::string& line) {
    const line_result result = verifier.verify(line);
    return result.faults.empty() ? "none" : result.faults.front().words;
  }
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace");
  return text.replace(at, from.size(), to);
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(event_line_tests, fixture)

CAF_TEST(our_own_lines_are_read_without_unescaping) {
  const std::string line = signed_line();
  logged_event read;
  CAF_REQUIRE(read_canonical_line(line, read));
  CAF_CHECK(read.canonical_line);
  CAF_CHECK_EQUAL(read.core.id, "host-a/cell-1/run-1/1/00000000000000000001");
  CAF_CHECK_EQUAL(read.core.subject, "urn:cellos:cell:cell-1");
  CAF_CHECK_EQUAL(read.sequence, "00000000000000000001");
  CAF_CHECK(read.core.data.starts_with("{\"cellId\":") && read.core.data.ends_with("\"}"));
  CAF_CHECK(!read.dssematerial.empty());
  CAF_CHECK(accepts(line));
}

CAF_TEST(the_same_event_in_another_form_is_the_same_event) {
  const std::string line = signed_line("caf\xc3\xa9 \\u0001 \\\"x\\\" \\\\");
  CAF_CHECK(accepts(line));
  const auto parsed = nlohmann::json::parse(line);
  // Members sorted, data's too; white space; escapes of everything beyond ASCII.
  CAF_CHECK(accepts(parsed.dump()));
  CAF_CHECK(accepts(parsed.dump(2)));
  CAF_CHECK(accepts(parsed.dump(-1, ' ', true)));
  nlohmann::ordered_json backwards;
  for (auto member = parsed.rbegin(); member != parsed.rend(); ++member) backwards[member.key()] = member.value();
  CAF_CHECK(accepts(backwards.dump()));
  nlohmann::ordered_json data_backwards;
  for (auto member = parsed["data"].rbegin(); member != parsed["data"].rend(); ++member) {
    data_backwards[member.key()] = member.value();
  }
  backwards["data"] = data_backwards;
  CAF_CHECK(accepts(backwards.dump()));
  CAF_CHECK(accepts(replaced(line, "Z\",\"datacontenttype", "+00:00\",\"datacontenttype")));
}

CAF_TEST(what_is_ambiguous_or_unsigned_is_refused) {
  const std::string line = signed_line();
  CAF_CHECK_EQUAL(
      refusal(replaced(line, "{\"specversion\":\"1.0\",", "{\"specversion\":\"1.0\",\"specversion\":\"1.0\",")),
      "has member \"specversion\" twice");
  CAF_CHECK_EQUAL(refusal(replaced(line, "\"data\":{", "\"data_base64\":\"e30=\",\"data\":{")),
                  "has both data and data_base64");
  CAF_CHECK_EQUAL(refusal(replaced(line, ",\"data\":{", ",\"comment\":\"x\",\"data\":{")),
                  "nothing covers its attribute \"comment\"");
  CAF_CHECK_EQUAL(refusal(replaced(line, ",\"data\":{", ",\"comment\":{},\"data\":{")),
                  "attribute \"comment\" is neither text, integer nor boolean");
  CAF_CHECK_EQUAL(refusal(replaced(line, "\"specversion\":\"1.0\"", "\"specversion\":\"0.3\"")),
                  "not a CloudEvent 1.0");
  CAF_CHECK_EQUAL(refusal(replaced(line, "\"datacontenttype\"", "\"datacontenttyp\"")),
                  "nothing covers its attribute \"datacontenttyp\"");
}

CAF_TEST(signedextattrs_follows_the_rules_of_its_extension) {
  const std::string line = signed_line();
  const auto with = [&](std::string_view names) { return refusal(replaced(line, "chain,sequence,prevdigest", names)); };
  CAF_CHECK_EQUAL(with("chain,sequence"), "signedextattrs does not name chain, sequence and prevdigest");
  CAF_CHECK_EQUAL(with(""), "signedextattrs does not name chain, sequence and prevdigest");
  CAF_CHECK_EQUAL(with("chain,sequence,prevdigest,chain"), "signedextattrs names \"chain\" twice");
  CAF_CHECK_EQUAL(with("chain,sequence,prevdigest,other"), "signedextattrs names \"other\", which is not there");
  for (const std::string names :
       {"chain, sequence,prevdigest", "chain,sequence,prevdigest,", ",chain,sequence,prevdigest",
        "chain,sequence,prevdigest,id", "chain,sequence,prevdigest,dssematerial",
        "chain,sequence,prevdigest,signedextattrs", "Chain,sequence,prevdigest"}) {
    CAF_CHECK(with(names).starts_with("signedextattrs is not a list of extension attributes"));
  }
  // Another order is another MATERIAL.
  CAF_CHECK_EQUAL(with("sequence,chain,prevdigest"), "its content is not what was signed");
}

CAF_TEST(more_attributes_may_be_signed_than_ours) {
  core_attributes core;
  core.id = "host-a/cell-1/run-1/1/1";
  core.source = "/cellos/host/host-a";
  core.specversion = "1.0";
  core.type = "example.type";
  core.subject = "urn:cellos:cell:cell-1";
  core.dataschema = "https://example.com/schema";
  core.data = "\x01\x02";
  const std::string zeros(prevdigest_text{no_event_before}.view());
  const std::vector<extension_attribute> extensions{
      {"prevdigest", zeros}, {"count", "5"}, {"chain", "host-a/cell-1/run-1/1"}, {"sequence", "1"}, {"flag", "true"}};
  const digest material = material_of(core, extensions);
  const auto signature = key.sign(dsse::signed_message{material}.bytes());
  std::string envelope;
  const std::array<dsse::signature, 1> one{dsse::signature{"host-2026", signature.view()}};
  dsse::append_envelope(envelope, material, one);
  const std::string line =
      R"({"id":"host-a/cell-1/run-1/1/1","source":"/cellos/host/host-a","specversion":"1.0",)"
      R"("type":"example.type","subject":"urn:cellos:cell:cell-1","count":5,"flag":true,)"
      R"("dataschema":"https://example.com/schema","chain":"host-a/cell-1/run-1/1","sequence":"1",)"
      R"("prevdigest":")" +
      zeros + R"(","signedextattrs":"prevdigest,count,chain,sequence,flag","data_base64":"AQI=",)" +
      R"("dssematerial":")" + envelope + "\"}";
  const line_result result = verifier.verify(line);
  CAF_CHECK(result.faults.empty());
  CAF_CHECK(result.is_signed());
  CAF_CHECK(result.material == material);
}

CAF_TEST(any_bytes_are_survived) {
  const std::string line = signed_line();
  for (std::size_t size = 0; size <= line.size(); ++size) (void)verifier.verify(line.substr(0, size));
  (void)verifier.verify(std::string(100'000, '['));
  (void)verifier.verify("{\"data\":" + std::string(2'000, '[') + std::string(2'000, ']') + "}");
  CAF_CHECK_EQUAL(refusal(std::string(1000, '\xff')), refusal(std::string(1000, '\xff')));
}

CAF_TEST_FIXTURE_SCOPE_END()
