#include "runtime/signing/key_list.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/signing/sha256.hpp"
#include "runtime/signing/signing_key.hpp"
#include "runtime/text/base64.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE key_list
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string refusal(std::string_view text) {
  const auto list = cellos::key_list::parse(text, "keys.json");
  const auto* problem = std::get_if<std::string>(&list);
  return problem != nullptr ? *problem : "none";
}

bool says(std::string_view text, std::string_view problem) {
  const std::string said = refusal(text);
  const bool good = said.starts_with("keys.json: ") && said.find(problem) != std::string::npos;
  if (!good) CAF_MESSAGE("said: " << said);
  return good;
}

}  // namespace

CAF_TEST(a_list_holds_keys_of_every_kind) {
  const auto plain = signing_key::generate(signing_algorithm::ed25519, "plain");
  const auto point = signing_key::generate(signing_algorithm::ecdsa_p256_sha256, "point");
  const auto shared = signing_key::generate(signing_algorithm::hmac_sha256, "shared");
  const nlohmann::json json{
      {"plain", base64url(plain.public_key())},
      {"object", {{"alg", "ed25519"}, {"key", base64url(plain.public_key())}}},
      {"point", {{"alg", "ecdsa-p256-sha256"}, {"key", base64url(point.public_key())}}},
      {"shared", {{"alg", "hmac-sha256"}, {"key", base64url(shared.export_secret().bytes())}}},
  };
  test::temporary_directory directory;
  std::ofstream{directory / "keys.json"} << json.dump(2) << '\n';
  const auto loaded = cellos::key_list::load(directory / "keys.json");
  CAF_REQUIRE(std::holds_alternative<cellos::key_list>(loaded));
  const auto& keys = std::get<cellos::key_list>(loaded);
  CAF_CHECK_EQUAL(keys.size(), 4u);
  CAF_CHECK(keys.find("plain") != nullptr);
  CAF_CHECK(keys.find("plai") == nullptr);
  const auto message = bytes_of("message");
  CAF_CHECK(keys.verify("plain", message, plain.sign(message).view()) == signature_result::good);
  CAF_CHECK(keys.verify("object", message, plain.sign(message).view()) == signature_result::good);
  CAF_CHECK(keys.verify("point", message, point.sign(message).view()) == signature_result::good);
  CAF_CHECK(keys.verify("shared", message, shared.sign(message).view()) == signature_result::good);
  CAF_CHECK(keys.verify("shared", message, plain.sign(message).view()) == signature_result::bad);
}

CAF_TEST(a_key_may_be_bound_to_hosts) {
  const auto key = signing_key::generate(signing_algorithm::ed25519, "k");
  const nlohmann::json json{
      {"bound", {{"alg", "ed25519"}, {"key", base64url(key.public_key())}, {"hosts", {"host-a", "host-b"}}}},
      {"free", base64url(key.public_key())}};
  const auto list = cellos::key_list::parse(json.dump(), "keys.json");
  CAF_REQUIRE(std::holds_alternative<cellos::key_list>(list));
  const auto& keys = std::get<cellos::key_list>(list);
  CAF_CHECK(keys.find("bound")->may_sign_for("host-b"));
  CAF_CHECK(!keys.find("bound")->may_sign_for("host-c"));
  CAF_CHECK(keys.find("free")->may_sign_for("host-c"));
  CAF_CHECK(says(R"({"k":{"alg":"ed25519","key":"AAAA","hosts":[]}})", "\"hosts\" is not a list of host ids"));
  CAF_CHECK(says(R"({"k":{"alg":"ed25519","key":"AAAA","hosts":[1]}})", "\"hosts\" is not a list of host ids"));
}

CAF_TEST(a_bad_list_is_refused_with_the_key_and_the_remedy) {
  CAF_CHECK(says("", "not a JSON object; write {\"KID\""));
  CAF_CHECK(says("[]", "not a JSON object"));
  CAF_CHECK(says("{} {}", "not a JSON object"));
  CAF_CHECK(says("{}", "holds no key"));
  CAF_CHECK(says(R"({"k":1})", R"(key id "k": neither text nor an object)"));
  CAF_CHECK(says(R"({"k":{"alg":"ed25519"}})", R"(key id "k": neither text nor an object)"));
  CAF_CHECK(says(R"({"k":{"alg":"rsa","key":"AAAA"}})", "unknown algorithm \"rsa\"; there are ed25519"));
  CAF_CHECK(says(R"({"k":"AAAA"})", R"(key id "k": not the 32 bytes of an ed25519 public key in base64url)"));
  CAF_CHECK(says(R"({"k":"not base64"})", R"(key id "k": not the 32 bytes)"));
  CAF_CHECK(says(R"({"k":{"alg":"hmac-sha256","key":"AAAA"}})", "not the 32 to 64 bytes of an hmac-sha256 secret"));
  CAF_CHECK(says(R"({"k":{"alg":"ecdsa-p256-sha256","key":"AAAA"}})", "not the 65 bytes of an uncompressed point"));
  CAF_CHECK(says(R"({"k":"AAAA","k":"AAAA"})", "key id \"k\" comes twice; keep one"));
}

CAF_TEST(a_point_that_is_no_key_is_refused) {
  // Of small order: signatures by it would prove nothing.
  CAF_CHECK(says(R"({"k":")" + std::string(43, 'A') + "\"}", "not the 32 bytes of an ed25519 public key"));
  std::vector<std::uint8_t> off_curve(65, 4);
  CAF_CHECK(says(R"({"k":{"alg":"ecdsa-p256-sha256","key":")" + base64url(off_curve) + "\"}}", "not the 65 bytes"));
}

CAF_TEST(a_list_that_cannot_be_read_is_reported) {
  const auto loaded = cellos::key_list::load("/nonexistent/keys.json");
  CAF_REQUIRE(std::holds_alternative<std::string>(loaded));
  CAF_CHECK_EQUAL(std::get<std::string>(loaded),
                  "key list \"/nonexistent/keys.json\": cannot be opened: No such file or directory");
  CAF_CHECK(std::holds_alternative<std::string>(cellos::key_list::load("/")));
}
