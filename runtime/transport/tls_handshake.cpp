#include "runtime/transport/tls_handshake.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "runtime/transport/certificate.hpp"

namespace cellos {
namespace {

handshake_step step_of(const SSL* ssl, int result) {
  if (result == 1) return handshake_step::done;
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ: return handshake_step::waits_to_read;
    case SSL_ERROR_WANT_WRITE: return handshake_step::waits_to_write;
    default: return handshake_step::failed;
  }
}

/// What the peer's last alert says of our certificate.
std::string refused_by_peer(int reason, const std::string& certificate) {
  switch (reason) {
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "it says that this host's certificate has expired; issue a new one for " + certificate +
             ", or correct the collector's clock";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return "it denies this host; take the host from the collector's deny-list if that is wrong";
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "it says that " + certificate + " is not a host's; issue one whose extended key usage is clientAuth alone";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "it does not know the authority of " + certificate + "; have both sides use one authority";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return "it asks for a certificate; configure one for this host";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "it finds no host in " + certificate + "; issue one with the name URI:urn:cellos:host:ID";
    default: return {};
  }
}

}  // namespace

handshake_step shake_hands(SSL* ssl) {
  ERR_clear_error();
  return step_of(ssl, SSL_do_handshake(ssl));
}

handshake_step await_acceptance(SSL* ssl) {
  char first = 0;
  std::size_t bytes = 0;
  ERR_clear_error();
  return step_of(ssl, SSL_peek_ex(ssl, &first, 1, &bytes));
}

connection_refusal why_failed(const SSL* ssl) {
  const auto code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    return connection_refusal::no_certificate;
  }
  const auto verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) return refusal_of(static_cast<int>(verified));
  return connection_refusal::handshake_failed;
}

std::string explain_failure(const SSL* ssl, const std::string& name, const std::string& certificate,
                            const std::string& authority) {
  const auto code = ERR_peek_last_error();
  switch (why_failed(ssl)) {
    case connection_refusal::other_name:
      return "its certificate is not for " + name + "; configure a name that the certificate has, or issue one for it";
    case connection_refusal::wrong_purpose:
      return "its certificate is not a collector's; issue one whose extended key usage is serverAuth alone";
    case connection_refusal::expired:
      return "its certificate has expired; issue a new one, or correct this machine's clock";
    case connection_refusal::not_yet_valid:
      return "its certificate is not valid yet; correct this machine's clock, or wait";
    case connection_refusal::other_authority:
      return "its certificate is not of the authority of " + authority + "; have both sides use one authority";
    default: break;
  }
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    if (auto refused = refused_by_peer(ERR_GET_REASON(code), certificate); !refused.empty()) return refused;
  }
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return std::string{"the TLS handshake failed ("} + (reason == nullptr ? "the connection was closed" : reason) +
         "); see that a collector listens there, with TLS 1.3";
}

}  // namespace cellos
