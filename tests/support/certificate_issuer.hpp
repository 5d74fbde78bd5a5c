#pragma once

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "runtime/transport/transport_settings.hpp"

namespace cellos::test {

/// Issues hosts' certificates by the thousand, where the script would take a minute: like the script's, in the name of
/// an authority that it made.
class certificate_issuer {
 public:
  /// `authority`: the place of `authority.pem` and `authority.key`.
  explicit certificate_issuer(const std::filesystem::path& authority);
  ~certificate_issuer();

  /// Files in `dir`, named after the host.
  tls_settings host(const std::string& host_id, const std::filesystem::path& dir);

 private:
  struct key_deleter {
    void operator()(EVP_PKEY* key) const;
  };
  struct certificate_deleter {
    void operator()(X509* certificate) const;
  };
  using key = std::unique_ptr<EVP_PKEY, key_deleter>;
  using certificate = std::unique_ptr<X509, certificate_deleter>;

  certificate sign(const std::string& host_id, EVP_PKEY* subject);

  const std::filesystem::path authority_file_;
  certificate authority_;
  key authority_key_;
  long serial_ = 1'000'000;
};

}  // namespace cellos::test
