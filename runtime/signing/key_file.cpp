// Where a signing key comes from: a file of one line, a PEM file, an environment variable's text. Whatever held the
// secret on the way is wiped.

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/signing/signing_key.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

using outcome = std::variant<signing_key, std::string>;

/// More than any key file of ours, a PEM's comments included.
constexpr std::size_t longest_key_file = 16 * 1024;
constexpr std::size_t longest_raw_secret = 256;

struct key_source {
  signing_algorithm algorithm;
  std::string key_id;
  /// What a refusal calls it.
  std::string origin;

  std::string keygen() const {
    return "\"cellos-telemetryctl keygen --alg " + std::string{to_string(algorithm)} + " --kid " + key_id +
           " --out FILE\" makes a good one";
  }
  std::string refusal(std::string_view problem, std::string_view remedy) const {
    return origin + ": " + std::string{problem} + "; " + std::string{remedy};
  }
};

std::string quoted(const std::filesystem::path& path) { return "key file \"" + escaped(path.string(), 512) + "\""; }

std::string octal(mode_t mode) {
  std::string digits = "0000";
  for (std::size_t i = digits.size(); i-- > 0; mode >>= 3) digits[i] = static_cast<char>('0' + (mode & 7));
  return digits;
}

/// systemd grants a unit's user its credentials by an access control list, whose mask shows as the group's bits.
bool is_systemd_credential(const std::filesystem::path& path, const struct stat& found) {
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  return credentials != nullptr && *credentials != '\0' && found.st_uid == 0 && (found.st_mode & 0337) == 0 &&
         path.parent_path().lexically_normal() == std::filesystem::path{credentials}.lexically_normal();
}

std::optional<std::string> unsafe(const key_source& source, const std::filesystem::path& path,
                                  const struct stat& found) {
  if (!S_ISREG(found.st_mode)) return source.refusal("not a regular file", "name the file that holds the key");
  if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
    return source.refusal("belongs to uid " + std::to_string(found.st_uid) + ", who can read and replace it",
                          "chown it to root or to uid " + std::to_string(::geteuid()));
  }
  const mode_t mode = found.st_mode & 07777;
  if (mode != 0400 && mode != 0600 && !is_systemd_credential(path, found)) {
    return source.refusal("has mode " + octal(mode) + ", where only its owner may read it", "chmod 0600 it");
  }
  if (found.st_size == 0) return source.refusal("is empty", source.keygen());
  if (found.st_size > off_t{longest_key_file}) {
    return source.refusal("has " + std::to_string(found.st_size) + " bytes, too many for a key", source.keygen());
  }
  return std::nullopt;
}

/// Nothing on failure, with errno.
std::optional<secret> content_of(int fd) {
  secret content{longest_key_file};
  std::size_t length = 0;
  while (length < longest_key_file) {
    auto* into = content.bytes().data() + length;
    const auto bytes = uninterrupted([&] { return ::read(fd, into, longest_key_file - length); });
    if (bytes < 0) return std::nullopt;
    if (bytes == 0) break;
    length += static_cast<std::size_t>(bytes);
  }
  content.shrink(length);
  return content;
}

int no_password(char*, int, int, void*) { return -1; }

/// The raw secret of an unencrypted PEM private key of this algorithm.
std::optional<secret> secret_of_pem(signing_algorithm algorithm, std::string_view pem) {
  const std::unique_ptr<BIO, void (*)(BIO*)> file{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                  [](BIO* bio) { BIO_free(bio); }};
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{
      file == nullptr ? nullptr : PEM_read_bio_PrivateKey(file.get(), nullptr, no_password, nullptr), EVP_PKEY_free};
  if (key == nullptr) return std::nullopt;
  secret raw{32};
  if (algorithm == signing_algorithm::ed25519) {
    std::size_t length = raw.bytes().size();
    if (EVP_PKEY_is_a(key.get(), "ED25519") != 1 ||
        EVP_PKEY_get_raw_private_key(key.get(), raw.bytes().data(), &length) != 1) {
      return std::nullopt;
    }
    return raw;
  }
  std::array<char, 32> group{};
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 ||
      EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1 ||
      std::string_view{group.data()} != "prime256v1") {
    return std::nullopt;
  }
  BIGNUM* scalar = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1) return std::nullopt;
  const int written = BN_bn2binpad(scalar, raw.bytes().data(), 32);
  BN_clear_free(scalar);
  if (written != 32) return std::nullopt;
  return raw;
}

outcome key_of(const key_source& source, std::span<const std::uint8_t> raw) {
  auto made = signing_key::from_secret(source.algorithm, source.key_id, raw);
  if (const auto* problem = std::get_if<std::string>(&made)) return source.refusal(*problem, source.keygen());
  return made;
}

outcome parse(const key_source& source, std::string_view text) {
  constexpr std::string_view pem_begin = "-----BEGIN ";
  if (source.algorithm != signing_algorithm::hmac_sha256 && text.find(pem_begin) != std::string_view::npos) {
    const auto raw = secret_of_pem(source.algorithm, text);
    if (!raw) {
      return source.refusal("not an unencrypted PEM private key for " + std::string{to_string(source.algorithm)},
                            source.keygen());
    }
    return key_of(source, raw->bytes());
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  secret raw{longest_raw_secret};
  const auto length = decode_any_base64(text, raw.bytes());
  if (!length) return source.refusal("not one line of Base64 or base64url", source.keygen());
  raw.shrink(*length);
  return key_of(source, raw.bytes());
}

std::string_view text_of(const secret& content) {
  return {reinterpret_cast<const char*>(content.bytes().data()), content.bytes().size()};
}

}  // namespace

std::variant<signing_key, std::string> load_signing_key(signing_algorithm algorithm, std::string key_id,
                                                        const std::filesystem::path& path) {
  const key_source source{algorithm, std::move(key_id), quoted(path)};
  // Not to wait for a FIFO's writer.
  const file_descriptor file{uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })};
  if (!file) {
    if (errno == ENOENT) return source.refusal("does not exist", source.keygen());
    return source.refusal(std::string{"cannot be opened: "} + std::strerror(errno),
                          "let uid " + std::to_string(::geteuid()) + " read it");
  }
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) {
    return source.refusal(std::string{"cannot be looked at: "} + std::strerror(errno), "try another file system");
  }
  if (auto problem = unsafe(source, path, found)) return *std::move(problem);
  const auto content = content_of(file.get());
  if (!content) return source.refusal(std::string{"cannot be read: "} + std::strerror(errno), source.keygen());
  return parse(source, text_of(*content));
}

std::variant<signing_key, std::string> parse_signing_key(signing_algorithm algorithm, std::string key_id,
                                                         std::string_view text, std::string_view origin) {
  const key_source source{algorithm, std::move(key_id), std::string{origin}};
  if (text.empty()) return source.refusal("is empty", source.keygen());
  return parse(source, text);
}

}  // namespace cellos
