#include "tests/support/certificate_issuer.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace cellos::test {

namespace {

struct file_closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using file = std::unique_ptr<std::FILE, file_closer>;

file open_file(const std::filesystem::path& path, const char* mode) {
  file opened{std::fopen(path.c_str(), mode)};
  if (!opened) throw std::runtime_error{"no file " + path.string()};
  return opened;
}

void add(X509* to, X509* authority, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority, to, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr || X509_add_ext(to, extension, -1) != 1) throw std::runtime_error{"no extension " + value};
  X509_EXTENSION_free(extension);
}

}  // namespace

void certificate_issuer::key_deleter::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void certificate_issuer::certificate_deleter::operator()(X509* certificate) const { X509_free(certificate); }

certificate_issuer::certificate_issuer(const std::filesystem::path& authority)
    : authority_file_(authority / "authority.pem"),
      authority_(PEM_read_X509(open_file(authority_file_, "r").get(), nullptr, nullptr, nullptr)),
      authority_key_(
          PEM_read_PrivateKey(open_file(authority / "authority.key", "r").get(), nullptr, nullptr, nullptr)) {
  if (!authority_ || !authority_key_) throw std::runtime_error{"no authority in " + authority.string()};
}

certificate_issuer::~certificate_issuer() = default;

certificate_issuer::certificate certificate_issuer::sign(const std::string& host_id, EVP_PKEY* subject) {
  constexpr int version_3 = 2;
  constexpr long day = 24L * 60 * 60;
  certificate made{X509_new()};
  X509* const it = made.get();
  X509_set_version(it, version_3);
  ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial_);
  X509_gmtime_adj(X509_getm_notBefore(it), -60);
  X509_gmtime_adj(X509_getm_notAfter(it), day);
  X509_set_pubkey(it, subject);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(host_id.c_str()), -1, -1, 0);
  X509_set_issuer_name(it, X509_get_subject_name(authority_.get()));
  add(it, authority_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add(it, authority_.get(), NID_key_usage, "critical,digitalSignature");
  add(it, authority_.get(), NID_ext_key_usage, "clientAuth");
  add(it, authority_.get(), NID_subject_alt_name, "URI:urn:cellos:host:" + host_id);
  if (X509_sign(it, authority_key_.get(), EVP_sha256()) == 0) throw std::runtime_error{"no signature"};
  return made;
}

tls_settings certificate_issuer::host(const std::string& host_id, const std::filesystem::path& dir) {
  tls_settings files{
      .certificate = dir / (host_id + ".pem"), .key = dir / (host_id + ".key"), .authority = authority_file_};
  const key own{EVP_EC_gen("P-256")};
  const auto made = sign(host_id, own.get());
  if (PEM_write_X509(open_file(files.certificate, "w").get(), made.get()) != 1 ||
      PEM_write_PrivateKey(open_file(files.key, "w").get(), own.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error{"cannot write the certificate of " + host_id};
  }
  return files;
}

}  // namespace cellos::test
