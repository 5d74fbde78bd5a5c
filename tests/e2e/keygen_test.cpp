#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "runtime/signing/key_list.hpp"
#include "runtime/signing/sha256.hpp"
#include "runtime/signing/signing_key.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE keygen
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class fixture {
 public:
  outcome keygen(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "keygen");
    process child{{program_path("cellos-telemetryctl"), arguments}};
    const int code = child.wait();
    return {code, child.out(), child.err()};
  }
  std::string path(std::string_view name) const { return directory_ / name; }
  bool exists(std::string_view name) const { return std::filesystem::exists(directory_ / name); }
  std::string content(std::string_view name) const {
    std::ifstream file{directory_ / name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  mode_t mode(std::string_view name) const {
    struct stat found {};
    return ::stat(path(name).c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
  }

  /// What the daemon would sign with `key_file`, verify accepts by `list`.
  bool belong_together(signing_algorithm algorithm, std::string_view key_file, std::string_view list) const {
    const auto loaded = load_signing_key(algorithm, "host-a-2026", path(key_file));
    const auto keys = key_list::load(path(list));
    if (const auto* refusal = std::get_if<std::string>(&loaded)) CAF_MESSAGE(*refusal);
    if (const auto* refusal = std::get_if<std::string>(&keys)) CAF_MESSAGE(*refusal);
    if (loaded.index() != 0 || keys.index() != 0) return false;
    const auto message = bytes_of("message");
    const auto signature = std::get<signing_key>(loaded).sign(message);
    return std::get<key_list>(keys).verify("host-a-2026", message, signature.view()) == signature_result::good;
  }

 private:
  temporary_directory directory_;
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST_FIXTURE_SCOPE(keygen_tests, fixture)

CAF_TEST(a_key_pair_is_two_files_that_belong_together) {
  for (const std::string algorithm : {"ed25519", "ecdsa-p256-sha256"}) {
    const outcome made = keygen({"--alg", algorithm, "--kid", "host-a-2026", "--out", path(algorithm)});
    CAF_CHECK_EQUAL(made.code, 0);
    CAF_CHECK_EQUAL(made.out, "");
    CAF_CHECK_EQUAL(mode(algorithm), mode_t{0600});
    CAF_CHECK_EQUAL(mode(algorithm + ".pub.json"), mode_t{0644});
    CAF_CHECK(belong_together(*signing_algorithm_of(algorithm), algorithm, algorithm + ".pub.json"));
    const std::string secret = content(algorithm);
    CAF_CHECK(!has(made.err, secret.substr(0, secret.size() - 1)));
  }
  CAF_CHECK(content("ed25519.pub.json").starts_with(R"({"host-a-2026": ")"));
  // 32 bytes in base64url.
  CAF_CHECK_EQUAL(content("ed25519.pub.json").size(), std::string_view{"{'host-a-2026': ''}"}.size() + 43 + 1);
}

CAF_TEST(a_shared_secret_is_given_away_only_when_asked) {
  outcome made = keygen({"--alg", "hmac-sha256", "--kid", "host-a-2026", "--out", path("a")});
  CAF_CHECK_EQUAL(made.code, 0);
  CAF_CHECK(!exists("a.pub.json"));
  CAF_CHECK(has(made.err, "--share FILE"));
  made = keygen({"--alg", "hmac-sha256", "--kid", "host-a-2026", "--out", path("b"), "--share", path("keys.json")});
  CAF_CHECK_EQUAL(made.code, 0);
  CAF_CHECK_EQUAL(mode("keys.json"), mode_t{0600});
  CAF_CHECK(belong_together(signing_algorithm::hmac_sha256, "b", "keys.json"));
}

CAF_TEST(nothing_is_overwritten) {
  CAF_CHECK_EQUAL(keygen({"--kid", "host-a-2026", "--out", path("key")}).code, 0);
  const std::string before = content("key");
  outcome again = keygen({"--kid", "host-a-2026", "--out", path("key")});
  CAF_CHECK_EQUAL(again.code, 3);
  CAF_CHECK(has(again.err, "exists"));
  CAF_CHECK_EQUAL(content("key"), before);

  std::ofstream{path("other.pub.json")} << "mine";
  again = keygen({"--kid", "host-a-2026", "--out", path("other")});
  CAF_CHECK_EQUAL(again.code, 3);
  CAF_CHECK_EQUAL(content("other.pub.json"), "mine");
  CAF_CHECK(!exists("other"));
}

CAF_TEST(mistakes_are_reported_before_anything_is_written) {
  const std::vector<std::vector<std::string>> mistakes{
      {},
      {"--kid", "k"},
      {"--out", path("key")},
      {"--kid", "two words", "--out", path("key")},
      {"--kid", "", "--out", path("key")},
      {"--kid", "k", "--alg", "rsa", "--out", path("key")},
      {"--kid", "k", "--out", path("key"), "--share", path("keys.json")},
  };
  for (const auto& arguments : mistakes) {
    const outcome reported = keygen(arguments);
    CAF_CHECK_EQUAL(reported.code, 2);
    CAF_CHECK(!reported.err.empty());
    CAF_CHECK_EQUAL(reported.out, "");
    CAF_CHECK(!exists("key"));
  }
  CAF_CHECK_EQUAL(keygen({"--kid", "k", "--out", path("no/such/folder")}).code, 3);
}

CAF_TEST_FIXTURE_SCOPE_END()
