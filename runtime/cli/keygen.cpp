#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/signing/signing_key.hpp"
#include "runtime/text/base64.hpp"

namespace cellos::cli {

namespace {

struct keygen_options {
  std::string algorithm = "ed25519";
  std::string key_id;
  std::string file;
  std::string share;
};

exit_code complain(const std::string& words) {
  std::fprintf(stderr, "cellos-telemetryctl: %s\n", words.c_str());
  return exit_unavailable;
}

std::string printable(const std::string& path) { return "\"" + escaped(path, 512) + "\""; }

/// Only a file that was not there: a key that was in use is lost once it is overwritten. Nothing is left of a file that
/// could not be finished. Returns what went wrong, or nothing.
std::string write_new(const std::string& path, std::string_view content, mode_t mode) {
  const file_descriptor file{
      uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode); })};
  if (!file) {
    if (errno == EEXIST) return printable(path) + " exists; a key is never overwritten, name another file";
    return printable(path) + " cannot be created: " + std::strerror(errno);
  }
  // The umask may have taken bits.
  std::error_code failure;
  if (::fchmod(file.get(), mode) != 0) failure = last_system_error();
  if (!failure) failure = write_all(real_file_system(), file.get(), content);
  if (!failure && uninterrupted([&] { return ::fsync(file.get()); }) != 0) failure = last_system_error();
  if (!failure) return {};
  ::unlink(path.c_str());
  return printable(path) + " cannot be written: " + failure.message();
}

/// A line of text that holds a secret.
class secret_text {
 public:
  explicit secret_text(std::string text) : text_(std::move(text)) {}
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text() { ::sodium_memzero(text_.data(), text_.size()); }
  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

/// One member of a key list. Key ids of ours need no escapes.
std::string key_list_text(const signing_key& key, std::string_view encoded) {
  std::string text = "{\"" + key.key_id() + "\": ";
  if (key.algorithm() == signing_algorithm::ed25519) {
    text += "\"" + std::string{encoded} + "\"";
  } else {
    text += R"({"alg": ")" + std::string{to_string(key.algorithm())} + R"(", "key": ")" + std::string{encoded} + "\"}";
  }
  return text + "}\n";
}

/// What a verifier needs of the key. Nothing if that may not be written unasked.
std::string write_verifier_half(const keygen_options& options, const signing_key& key) {
  if (key.algorithm() != signing_algorithm::hmac_sha256) {
    return write_new(options.file + ".pub.json", key_list_text(key, base64url(key.public_key())), 0644);
  }
  if (options.share.empty()) return {};
  const secret raw = key.export_secret();
  const secret_text encoded{base64url(raw.bytes())};
  const secret_text list{key_list_text(key, encoded.view())};
  return write_new(options.share, list.view(), 0600);
}

void say_what_was_made(const keygen_options& options, const signing_key& key) {
  std::fprintf(stderr, "%s: the secret of key \"%s\"; for the daemon's [signing] key_file, and nobody else\n",
               options.file.c_str(), options.key_id.c_str());
  if (key.algorithm() != signing_algorithm::hmac_sha256) {
    std::fprintf(stderr, "%s.pub.json: its public half; for verify --keys\n", options.file.c_str());
  } else if (options.share.empty()) {
    std::fprintf(stderr,
                 "hmac-sha256 has no public half: a verifier needs the secret, and can then sign as well. --share FILE "
                 "writes a key list with it: {\"%s\": {\"alg\": \"hmac-sha256\", \"key\": SECRET}}\n",
                 options.key_id.c_str());
  } else {
    std::fprintf(stderr, "%s: for verify --keys; whoever reads it can sign as this host\n", options.share.c_str());
  }
}

exit_code run_keygen(const keygen_options& options) {
  const auto algorithm = signing_algorithm_of(options.algorithm).value_or(signing_algorithm::ed25519);
  const signing_key key = signing_key::generate(algorithm, options.key_id);
  std::string failure;
  {
    const secret raw = key.export_secret();
    const secret_text line{base64url(raw.bytes()) + "\n"};
    failure = write_new(options.file, line.view(), 0600);
  }
  if (!failure.empty()) return complain(failure);
  failure = write_verifier_half(options, key);
  if (!failure.empty()) {
    // A secret without its public half is of use to nobody.
    ::unlink(options.file.c_str());
    return complain(failure);
  }
  say_what_was_made(options, key);
  return exit_success;
}

}  // namespace

command add_keygen(CLI::App& app) {
  auto options = std::make_shared<keygen_options>();
  app.add_option("--alg", options->algorithm, "ed25519, hmac-sha256 or ecdsa-p256-sha256")
      ->check([](const std::string& name) {
        return signing_algorithm_of(name) ? std::string{}
                                          : "no such algorithm; there are ed25519, hmac-sha256, ecdsa-p256-sha256";
      })
      ->capture_default_str();
  app.add_option("--kid", options->key_id, "The key's id: it stands in every signature")
      ->required()
      ->check([](const std::string& text) {
        return is_key_id(text) ? std::string{} : "a key id has 1 to 128 letters, digits and . _ - : / @ + =";
      });
  app.add_option("--out", options->file, "Writes the secret here, mode 0600, and FILE.pub.json beside it")->required();
  auto* share =
      app.add_option("--share", options->share, "hmac-sha256 only: writes a key list for verifiers, mode 0600");
  app.callback([options, share] {
    if (share->count() != 0 && options->algorithm != to_string(signing_algorithm::hmac_sha256)) {
      throw CLI::ValidationError("--share", "is for hmac-sha256; other keys have a public half");
    }
  });
  return [options] { return run_keygen(*options); };
}

}  // namespace cellos::cli
