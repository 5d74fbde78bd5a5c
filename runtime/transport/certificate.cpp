#include "runtime/transport/certificate.hpp"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>

namespace cellos {
namespace {

constexpr std::string_view host_urn = "urn:cellos:host:";
constexpr std::size_t longest_host_id = 128;

struct names_deleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using names_ptr = std::unique_ptr<GENERAL_NAMES, names_deleter>;

names_ptr alternative_names(const X509* certificate) {
  return names_ptr{static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
}

struct usages_deleter {
  void operator()(EXTENDED_KEY_USAGE* usages) const { EXTENDED_KEY_USAGE_free(usages); }
};

}  // namespace

bool is_host_id(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == ':' || c == '-';
  };
  return !text.empty() && text.size() <= longest_host_id && text.front() != '.' && std::ranges::all_of(text, allowed);
}

std::optional<std::string> host_id_of(const X509* certificate) {
  const auto names = alternative_names(certificate);
  std::optional<std::string> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* uri = name->d.uniformResourceIdentifier;
    const std::string_view text{reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                                static_cast<std::size_t>(ASN1_STRING_length(uri))};
    if (!text.starts_with(host_urn)) continue;
    const auto id = text.substr(host_urn.size());
    if (found || !is_host_id(id)) return std::nullopt;
    found = id;
  }
  return found;
}

bool names_a_server(const X509* certificate) {
  const auto names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const int type = sk_GENERAL_NAME_value(names.get(), i)->type;
    if (type == GEN_DNS || type == GEN_IPADD) return true;
  }
  return false;
}

bool is_for(const X509* certificate, transport_side side) {
  const std::unique_ptr<EXTENDED_KEY_USAGE, usages_deleter> usages{
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr))};
  if (!usages || sk_ASN1_OBJECT_num(usages.get()) != 1) return false;
  const int wanted = side == transport_side::host ? NID_client_auth : NID_server_auth;
  return OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), 0)) == wanted;
}

wall_time end_of(const X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return {};
  return wall_time{std::chrono::seconds{::timegm(&parts)}};
}

connection_refusal refusal_of(int verify_error) {
  switch (verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return connection_refusal::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return connection_refusal::not_yet_valid;
    case X509_V_ERR_INVALID_PURPOSE: return connection_refusal::wrong_purpose;
    case X509_V_ERR_CERT_REVOKED: return connection_refusal::host_denied;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return connection_refusal::other_name;
    case X509_V_ERR_APPLICATION_VERIFICATION: return connection_refusal::no_host_name;
    // Unknown, self-signed, without its issuer, badly signed: not of our authority, each in its way.
    default: return connection_refusal::other_authority;
  }
}

}  // namespace cellos
