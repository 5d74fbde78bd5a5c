#include "runtime/daemon/open_sealing.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE open_sealing
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

/// 32 bytes in Base64.
const std::string seed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct fixture {
  temporary_directory dir;
  std::map<std::string, std::string> variables;

  std::string key_file(const std::string& content, mode_t mode = 0600) const {
    std::string path = dir / "signing.key";
    std::ofstream{path} << content;
    CAF_REQUIRE_EQUAL(::chmod(path.c_str(), mode), 0);
    return path;
  }

  signing_settings signing(const std::string& file) const {
    signing_settings wanted;
    wanted.alg = {true, signing_algorithm::ed25519};
    wanted.key.kid = "host-a-2026";
    wanted.key.file = file;
    return wanted;
  }

  sealing_outcome opened(const signing_settings& wanted = {}) const {
    return open_sealing(wanted, [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional{found->second};
    });
  }

  /// Refuses, says `reason`, and nothing of the key.
  void refuses(const signing_settings& wanted, const std::string& reason) const {
    const sealing_outcome outcome = opened(wanted);
    CAF_CHECK(outcome.sealing == nullptr);
    if (outcome.refusal.find(reason) == std::string::npos) CAF_ERROR("not '" << reason << "': " << outcome.refusal);
    CAF_CHECK_EQUAL(outcome.refusal.find(seed.substr(0, 8)), std::string::npos);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(open_sealing_tests, fixture)

CAF_TEST(nothing_configured_is_no_sealing) {
  const sealing_outcome outcome = opened();
  CAF_CHECK(outcome.sealing == nullptr);
  CAF_CHECK_EQUAL(outcome.refusal, "");
}

CAF_TEST(a_whole_configuration_signs) {
  auto wanted = signing(key_file(seed));
  CAF_CHECK_EQUAL(opened(wanted).refusal, "");
  CAF_CHECK_EQUAL(std::string{opened(wanted).sealing->key_id()}, "host-a-2026");
  CAF_CHECK_EQUAL(opened(wanted).sealing->events_per_signature(), 1u);
  wanted.mode = signing_statement::kind::checkpoint;
  CAF_CHECK_EQUAL(opened(wanted).sealing->events_per_signature(), 1000u);
  CAF_CHECK_EQUAL(std::string{opened(wanted).sealing->former_key_id()}, "");
  wanted.former = {"host-a-2025", wanted.key.file, {}};
  CAF_CHECK_EQUAL(std::string{opened(wanted).sealing->former_key_id()}, "host-a-2025");
}

CAF_TEST(every_unusable_key_is_refused_in_its_own_words) {
  const std::string absent = dir / "absent.key";
  refuses(signing(absent), absent);
  refuses(signing(key_file(seed, 0644)), "0644");
  refuses(signing(key_file("c2hvcnQ=")), "this one 5");
  refuses(signing(key_file("!!")), "Base64");
  refuses(signing(dir / ""), "regular");
}

CAF_TEST(a_credential_is_looked_for_where_systemd_puts_it) {
  signing_settings wanted = signing("");
  wanted.key.file.reset();
  wanted.key.credential = "signing.key";
  refuses(wanted, "LoadCredential=signing.key:PATH");
  key_file(seed, 0400);
  variables["CREDENTIALS_DIRECTORY"] = dir / "";
  CAF_CHECK_EQUAL(opened(wanted).refusal, "");
}

CAF_TEST(the_original_names_in_the_environment_are_heeded) {
  variables = {{"CELLOS_HOST_TELEMETRY_SIGN_ALG", "ed25519"},
               {"CELLOS_HOST_TELEMETRY_SIGN_KID", "k"},
               {"CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY", seed}};
  CAF_CHECK_EQUAL(opened().refusal, "");
  CAF_CHECK_EQUAL(std::string{opened().sealing->key_id()}, "k");
  variables["CELLOS_HOST_TELEMETRY_SIGN_ALG"] = "off";
  CAF_CHECK(opened().sealing == nullptr);
  CAF_CHECK_EQUAL(opened().refusal, "");
}

CAF_TEST(half_an_environment_is_refused) {
  variables = {{"CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY", seed}};
  refuses({}, "CELLOS_HOST_TELEMETRY_SIGN_ALG is not");
  variables["CELLOS_HOST_TELEMETRY_SIGN_ALG"] = "rsa";
  refuses({}, "none of ed25519");
  variables["CELLOS_HOST_TELEMETRY_SIGN_ALG"] = "ed25519";
  refuses({}, "CELLOS_HOST_TELEMETRY_SIGN_KID is missing");
  variables["CELLOS_HOST_TELEMETRY_SIGN_KID"] = "k";
  variables["CELLOS_HOST_TELEMETRY_SIGN_HMAC_KEY"] = seed;
  refuses({}, "CELLOS_HOST_TELEMETRY_SIGN_HMAC_KEY is set");
  variables.erase("CELLOS_HOST_TELEMETRY_SIGN_HMAC_KEY");
  variables.erase("CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY");
  refuses({}, "CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY is missing");
}

CAF_TEST(two_places_that_configure_signing_are_refused) {
  variables = {{"CELLOS_HOST_TELEMETRY_SIGN_ALG", "hmac-sha256"}};
  refuses(signing(key_file(seed)), "configured twice");
}

CAF_TEST(a_key_read_again_is_the_same_sealing_wherever_it_comes_from) {
  auto wanted = signing(key_file(seed));
  const auto running = opened(wanted).sealing;
  const auto reread = [&] {
    return reopen_sealing(running, wanted, [](const char*) -> std::optional<std::string> { return std::nullopt; });
  };
  CAF_CHECK(reread().sealing == running);
  std::filesystem::rename(dir / "signing.key", dir / "moved.key");
  wanted.key.file = dir / "moved.key";
  wanted.former = {"host-a-2025", wanted.key.file, {}};
  CAF_CHECK(reread().sealing == running);
  wanted.mode = signing_statement::kind::checkpoint;
  CAF_MESSAGE("how often it signs waits for a restart");
  CAF_CHECK(reread().sealing == running);
}

CAF_TEST(another_key_in_the_same_file_counts_under_an_id_of_its_own_only) {
  auto wanted = signing(key_file(seed));
  const auto running = opened(wanted).sealing;
  const auto reread = [&] {
    return reopen_sealing(running, wanted, [](const char*) -> std::optional<std::string> { return std::nullopt; });
  };
  key_file("HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
  CAF_CHECK(reread().refusal.find("key \"host-a-2026\" is another key") != std::string::npos);
  CAF_CHECK(reread().sealing == nullptr);
  wanted.key.kid = "host-a-2027";
  CAF_MESSAGE("the handover is signed with what the file held before");
  CAF_CHECK_EQUAL(reread().refusal, "");
  CAF_REQUIRE(reread().sealing != nullptr);
  CAF_CHECK_EQUAL(std::string{reread().sealing->key_id()}, "host-a-2027");
  CAF_CHECK_EQUAL(std::string{reread().sealing->former_key_id()}, "host-a-2026");
}

CAF_TEST(signing_is_not_switched_by_reading_again) {
  const auto none = [](const char*) -> std::optional<std::string> { return std::nullopt; };
  const auto wanted = signing(key_file(seed));
  CAF_CHECK(reopen_sealing(nullptr, wanted, none).refusal.find("restart it") != std::string::npos);
  CAF_CHECK(reopen_sealing(opened(wanted).sealing, {}, none).refusal.find("restart it") != std::string::npos);
  CAF_CHECK_EQUAL(reopen_sealing(nullptr, {}, none).refusal, "");
}

CAF_TEST_FIXTURE_SCOPE_END()
