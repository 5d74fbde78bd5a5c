#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "runtime/signing/signing_key.hpp"
#include "runtime/text/base64.hpp"
#include "tests/runtime/signing/hexadecimal.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE key_file
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

constexpr auto ed25519 = signing_algorithm::ed25519;
constexpr auto hmac_sha256 = signing_algorithm::hmac_sha256;
constexpr auto ecdsa_p256_sha256 = signing_algorithm::ecdsa_p256_sha256;

// The seed 00 01 .. 1f, by hand and as `openssl pkey` prints it.
constexpr std::string_view seed_text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
constexpr std::string_view seed_pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view seed_public = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

class fixture {
 public:
  std::string write(std::string_view name, std::string_view content, mode_t mode = 0600) {
    const auto path = directory_ / name;
    std::ofstream{path, std::ios::binary} << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string path(std::string_view name) const { return directory_ / name; }

 private:
  test::temporary_directory directory_;
};

std::string public_of(const std::variant<signing_key, std::string>& loaded) {
  if (const auto* refusal = std::get_if<std::string>(&loaded)) return *refusal;
  return test::hex(std::get<signing_key>(loaded).public_key());
}

std::string load(const std::string& path, signing_algorithm algorithm = ed25519) {
  return public_of(load_signing_key(algorithm, "k", path));
}

bool says(const std::string& refusal, const std::string& path, std::string_view problem) {
  const bool good = refusal.starts_with("key file \"" + path + "\": ") && refusal.find(problem) != std::string::npos &&
                    refusal.find("; ") != std::string::npos;
  if (!good) CAF_MESSAGE("said: " << refusal);
  return good;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(key_file_tests, fixture)

CAF_TEST(one_line_of_base64_or_base64url_is_a_key) {
  const std::string unpadded{seed_text};
  CAF_CHECK_EQUAL(load(write("a", unpadded)), seed_public);
  CAF_CHECK_EQUAL(load(write("b", unpadded + "=")), seed_public);
  CAF_CHECK_EQUAL(load(write("c", unpadded + "\n")), seed_public);
  CAF_CHECK_EQUAL(load(write("d", unpadded + "=\r\n", 0400)), seed_public);
}

CAF_TEST(pem_of_the_right_kind_is_a_key) {
  CAF_CHECK_EQUAL(load(write("a", seed_pem)), seed_public);
  const auto path = write("b", seed_pem);
  CAF_CHECK(says(load(path, ecdsa_p256_sha256), path, "not an unencrypted PEM private key for ecdsa-p256-sha256"));
  const auto cut = write("c", seed_pem.substr(0, 60));
  CAF_CHECK(says(load(cut), cut, "not an unencrypted PEM private key for ed25519"));
}

CAF_TEST(what_is_not_there_is_reported) { CAF_CHECK(says(load(path("none")), path("none"), "does not exist")); }

CAF_TEST(what_is_no_regular_file_is_refused_without_waiting) {
  CAF_REQUIRE_EQUAL(::mkfifo(path("fifo").c_str(), 0600), 0);
  CAF_CHECK(says(load(path("fifo")), path("fifo"), "not a regular file"));
  CAF_REQUIRE_EQUAL(::mkdir(path("dir").c_str(), 0700), 0);
  CAF_CHECK(says(load(path("dir")), path("dir"), "not a regular file"));
}

CAF_TEST(a_file_that_anyone_else_may_touch_is_refused) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0444, 0700, 0500, 0200, 01600, 02600, 04600}) {
    const auto file = write("key", seed_text, mode);
    const std::string refusal = load(file);
    // Whoever is not root may not even open what only others may read.
    if (::geteuid() == 0 || (mode & 0400) != 0) CAF_CHECK(says(refusal, file, "has mode"));
  }
}

CAF_TEST(a_file_of_another_user_is_refused) {
  if (::geteuid() != 0) return;
  const auto file = write("key", seed_text);
  CAF_REQUIRE_EQUAL(::chown(file.c_str(), 12345, 12345), 0);
  CAF_CHECK(says(load(file), file, "belongs to uid 12345"));
}

CAF_TEST(systemd_credentials_may_show_their_access_control_list) {
  if (::geteuid() != 0) return;
  const auto file = write("credential", seed_text, 0440);
  CAF_CHECK(says(load(file), file, "has mode 0440"));
  ::setenv("CREDENTIALS_DIRECTORY", std::filesystem::path{file}.parent_path().c_str(), 1);
  CAF_CHECK_EQUAL(load(file), seed_public);
  CAF_CHECK(says(load(write("wider", seed_text, 0444)), path("wider"), "has mode 0444"));
  ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/other", 1);
  CAF_CHECK(says(load(file), file, "has mode 0440"));
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

CAF_TEST(what_is_no_key_is_refused_without_repeating_it) {
  const std::string text{seed_text};
  CAF_CHECK(says(load(write("empty", "")), path("empty"), "is empty"));
  CAF_CHECK(says(load(write("a", "\n")), path("a"), "has 32 bytes, this one 0"));
  CAF_CHECK(says(load(write("b", "hunter2!")), path("b"), "not one line of Base64"));
  CAF_CHECK(says(load(write("c", text + "\n\n")), path("c"), "not one line of Base64"));
  CAF_CHECK(says(load(write("d", text + "\n" + text)), path("d"), "not one line of Base64"));
  CAF_CHECK(says(load(write("e", text.substr(0, 40))), path("e"), "has 32 bytes, this one 30"));
  CAF_CHECK(says(load(write("f", text + text)), path("f"), "not one line of Base64"));
  CAF_CHECK(says(load(write("g", text.substr(0, 40)), hmac_sha256), path("g"), "has 32 to 64 bytes, this one 30"));
  CAF_CHECK(says(load(write("h", std::string(20'000, 'A'))), path("h"), "too many for a key"));
  CAF_CHECK(says(load(write("i", std::string(2'000, 'A'))), path("i"), "not one line of Base64"));
  CAF_CHECK(load(path("b")).find("hunter2") == std::string::npos);
}

CAF_TEST(the_text_of_an_environment_variable_is_read_the_same) {
  CAF_CHECK_EQUAL(public_of(parse_signing_key(ed25519, "k", seed_text, "CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY")),
                  seed_public);
  const auto refusal = public_of(parse_signing_key(hmac_sha256, "k", "c2hvcnQ", "CELLOS_HOST_TELEMETRY_SIGN_HMAC_KEY"));
  CAF_CHECK(refusal.starts_with("CELLOS_HOST_TELEMETRY_SIGN_HMAC_KEY: an hmac-sha256 secret has 32 to 64 bytes"));
  CAF_CHECK_EQUAL(public_of(parse_signing_key(ed25519, "k", "", "X")).substr(0, 11), "X: is empty");
}

CAF_TEST(another_key_id_than_ours_is_refused) {
  const auto loaded = load_signing_key(ed25519, "two words", write("key", seed_text));
  CAF_REQUIRE(std::holds_alternative<std::string>(loaded));
  CAF_CHECK(std::get<std::string>(loaded).find("a key id has 1 to 128") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
