#include "runtime/signing/dsse.hpp"

#include <nlohmann/json.hpp>

#include "runtime/signing/key_list.hpp"
#include "runtime/signing/material.hpp"
#include "runtime/signing/signing_key.hpp"
#include "runtime/text/base64.hpp"
#include "tests/runtime/signing/hexadecimal.hpp"

#define CAF_SUITE dsse
#include "caf/test/dsl.hpp"

using namespace cellos;
using nlohmann::json;

namespace {

// The DSSE layer's vector of the CloudEvents extension: ECDSA P-256, key id `testkey`.
constexpr std::string_view published =
    "eyJwYXlsb2FkVHlwZSI6Imh0dHBzOi8vY2xvdWRldmVudHMuaW8vdmVyaWZpYWJpbGl0eS9kc3NlL3YwLjEiLCJwYXlsb2FkIjoiNXh6NS9WdG94Tk"
    "pWWWFZeG1MZUw2eEw5STZDYXY5UDNnb2g2cXlDWUdmUT0iLCJzaWduYXR1cmVzIjpbeyJrZXlpZCI6InRlc3RrZXkiLCJzaWciOiJ3WWo4YlJQWFlD"
    "SUxyeXdzUDdXR1VCd1RKc25aSFlYTUhpWEZtWWh1QkdhOU1ocDdYNHZFN1FBYkhXbytXZitjTURBYjN6dXlwRjVVbVdwZGtJUGppUT09In1dfQ==";
constexpr std::string_view published_point =
    "0467cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d2380c782bd54e269125a44f4433aff1432ce94e12bca73aa67a"
    "c8"
    "0cea12608ddf74";
constexpr std::string_view published_scalar = "d73ec437fd6346e3619c5ebfdfff0f6916804955ad32ac9ac492b0ede1f6ffb7";

const digest some_material = sha256::of("an event");

std::string base64(std::string_view text) {
  std::string out;
  append_base64(out, bytes_of(text));
  return out;
}

json some_envelope() {
  return {{"payload", prevdigest_text{some_material}.view()},
          {"payloadType", dsse::payload_type},
          {"signatures", json::array({{{"keyid", "k"}, {"sig", base64(std::string(64, 's'))}}})}};
}

bool reads(const json& envelope) { return dsse::read_envelope(base64(envelope.dump())).has_value(); }

}  // namespace

CAF_TEST(the_published_signature_verifies) {
  // Its members come in another order than ours.
  json envelope = json::parse(decode_base64(published).value_or(""));
  envelope["payloadType"] = dsse::payload_type;
  const auto read = dsse::read_envelope(base64(envelope.dump()));
  CAF_REQUIRE(read.has_value());
  const prevdigest_text material{read->material};
  CAF_CHECK_EQUAL(material.view(), "5xz5/VtoxNJVYaYxmLeL6xL9I6Cav9P3goh6qyCYGfQ=");
  CAF_REQUIRE_EQUAL(read->signatures.size(), 1u);
  CAF_CHECK_EQUAL(read->signatures[0].key_id, "testkey");
  key_list keys;
  CAF_REQUIRE(keys.add("testkey", signing_algorithm::ecdsa_p256_sha256, test::unhex(published_point)));
  const dsse::signed_message message{read->material};
  CAF_CHECK(keys.verify("testkey", message.bytes(), read->signatures[0].bytes()) == signature_result::good);
  const dsse::signed_message other{some_material};
  CAF_CHECK(keys.verify("testkey", other.bytes(), read->signatures[0].bytes()) == signature_result::bad);
}

CAF_TEST(the_published_secret_belongs_to_the_published_key) {
  const auto key =
      signing_key::from_secret(signing_algorithm::ecdsa_p256_sha256, "testkey", test::unhex(published_scalar));
  CAF_REQUIRE(std::holds_alternative<signing_key>(key));
  CAF_CHECK_EQUAL(test::hex(std::get<signing_key>(key).public_key()), published_point);
}

CAF_TEST(the_signed_message_is_the_pre_authentication_encoding) {
  const dsse::signed_message message{some_material};
  const auto bytes = message.bytes();
  const std::string text{bytes.begin(), bytes.end()};
  const std::string material(some_material.begin(), some_material.end());
  CAF_CHECK_EQUAL(text, "DSSEv1 46 https://cloudevents.io/verifiability/dsse/v0.1 32 " + material);
}

CAF_TEST(what_is_written_is_read_and_has_the_stated_length) {
  for (const signing_algorithm algorithm : signing_algorithms) {
    const signing_key key = signing_key::generate(algorithm, "host-a-2026");
    const auto signature = key.sign(dsse::signed_message{some_material}.bytes());
    std::string text;
    const std::array<dsse::signature, 2> both{dsse::signature{"host-a-2026", signature.view()},
                                              {"host-a-2027", signature.view()}};
    dsse::append_envelope(text, some_material, std::span{both}.first(1));
    CAF_CHECK_EQUAL(text.size(), dsse::envelope_length("host-a-2026", algorithm));
    auto read = dsse::read_envelope(text);
    CAF_REQUIRE(read.has_value());
    CAF_CHECK(read->material == some_material);
    CAF_CHECK_EQUAL(test::hex(read->signatures.at(0).bytes()), test::hex(signature.view()));

    text.clear();
    dsse::append_envelope(text, some_material, both);
    read = dsse::read_envelope(text);
    CAF_REQUIRE(read.has_value());
    CAF_REQUIRE_EQUAL(read->signatures.size(), 2u);
    CAF_CHECK_EQUAL(read->signatures[1].key_id, "host-a-2027");
  }
}

CAF_TEST(our_envelope_is_the_documented_json) {
  std::string text;
  const std::array<std::uint8_t, 3> signature{1, 2, 3};
  const std::array<dsse::signature, 1> one{dsse::signature{"k", signature}};
  dsse::append_envelope(text, digest{}, one);
  const std::string written = decode_base64(text).value_or("");
  CAF_CHECK_EQUAL(written, R"({"payload":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)"
                           R"("payloadType":"https://cloudevents.io/verifiability/dsse/v0.1",)"
                           R"("signatures":[{"keyid":"k","sig":"AQID"}]})");
}

CAF_TEST(an_envelope_has_one_form) {
  CAF_CHECK(reads(some_envelope()));
  CAF_CHECK(!dsse::read_envelope(published));
  CAF_CHECK(!dsse::read_envelope(base64(some_envelope().dump(2))));
  CAF_CHECK(!dsse::read_envelope(base64(some_envelope().dump() + " ")));
  json more = some_envelope();
  more["comment"] = json::array({1, 2});
  CAF_CHECK(!reads(more));
  json annotated = some_envelope();
  annotated["signatures"][0]["public"] = true;
  CAF_CHECK(!reads(annotated));
  json nameless = some_envelope();
  nameless["signatures"][0].erase("keyid");
  CAF_CHECK(!reads(nameless));
  const std::string once = some_envelope().dump();
  const std::string payload = R"("payload":")";
  CAF_CHECK(!dsse::read_envelope(base64("{" + payload + R"(",)" + once.substr(1))));
  std::string escaped_key = once;
  escaped_key.replace(escaped_key.find(R"("k")"), 3, R"("\u006b")");
  CAF_CHECK(!dsse::read_envelope(base64(escaped_key)));
}

CAF_TEST(an_ecdsa_signature_has_the_lower_s_and_its_twin_is_another) {
  const auto key = signing_key::generate(signing_algorithm::ecdsa_p256_sha256, "k");
  for (int i = 0; i < 64; ++i) {
    const auto signature = key.sign(dsse::signed_message{sha256::of(std::to_string(i))}.bytes());
    CAF_CHECK(ecdsa_p256::has_low_s(signature.view()));
  }
  // 1 and the order less 1.
  std::array<std::uint8_t, 64> twin = {};
  twin[63] = 1;
  CAF_CHECK(ecdsa_p256::has_low_s(twin));
  const auto high = test::unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550");
  std::copy(high.begin(), high.end(), twin.begin() + 32);
  CAF_CHECK(!ecdsa_p256::has_low_s(twin));
}

CAF_TEST(what_is_no_envelope_is_refused) {
  const auto broken = [](auto&& change) {
    json envelope = some_envelope();
    change(envelope);
    return !reads(envelope);
  };
  CAF_CHECK(broken([](json& e) { e["payloadType"] = "application/json"; }));
  CAF_CHECK(broken([](json& e) { e.erase("payloadType"); }));
  CAF_CHECK(broken([](json& e) { e["payload"] = base64(std::string(31, 'm')); }));
  CAF_CHECK(broken([](json& e) { e["payload"] = base64(std::string(33, 'm')); }));
  CAF_CHECK(broken([](json& e) { e["payload"] = 1; }));
  CAF_CHECK(broken([](json& e) { e.erase("payload"); }));
  CAF_CHECK(broken([](json& e) { e["signatures"] = json::array(); }));
  CAF_CHECK(broken([](json& e) { e["signatures"] = "k"; }));
  CAF_CHECK(broken([](json& e) { e["signatures"][0] = 1; }));
  CAF_CHECK(broken([](json& e) { e["signatures"][0]["sig"] = "not Base64"; }));
  CAF_CHECK(broken([](json& e) { e["signatures"] = json::array_t(17, e["signatures"][0]); }));
  for (const std::string text : {"", "e30", "e30=", "bnVsbA==", "!!!!"}) CAF_CHECK(!dsse::read_envelope(text));
  CAF_CHECK(!dsse::read_envelope(base64(std::string(12'000, '['))));
  CAF_CHECK(!dsse::read_envelope(base64(some_envelope().dump() + std::string(20'000, ' '))));
}

CAF_TEST(a_signature_of_another_length_is_read_and_verifies_with_nothing) {
  json envelope = some_envelope();
  envelope["signatures"][0]["sig"] = base64(std::string(72, 's'));
  const auto read = dsse::read_envelope(base64(envelope.dump()));
  CAF_REQUIRE(read.has_value());
  CAF_CHECK(read->signatures.at(0).bytes().empty());
}

CAF_TEST(a_change_of_any_character_is_refused_or_seen) {
  // Key ids of three lengths: what follows the JSON in its last Base64 digits differs.
  for (const std::string key_id : {"k", "k1", "k12"}) {
    std::string text;
    const std::vector<std::uint8_t> signature(64, 0x5a);
    const std::array<dsse::signature, 1> one{dsse::signature{key_id, signature}};
    dsse::append_envelope(text, some_material, one);
    std::size_t unseen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[i] = static_cast<char>(c);
        if (changed == text) continue;
        const auto read = dsse::read_envelope(changed);
        if (read && read->material == some_material && read->signatures.size() == 1 &&
            read->signatures[0].key_id == key_id && test::hex(read->signatures[0].bytes()) == test::hex(signature)) {
          ++unseen;
        }
      }
    }
    CAF_CHECK_EQUAL(unseen, 0u);
  }
}
