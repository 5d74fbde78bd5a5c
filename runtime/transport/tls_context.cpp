#include "runtime/transport/tls_context.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>

#include "runtime/os/file_descriptor.hpp"

namespace cellos {
namespace {

struct store_context_deleter {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};

/// OpenSSL would ask the terminal for it.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string why_openssl_failed() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "not PEM" : reason;
}

std::string date_of(wall_time time) {
  const auto seconds =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::optional<std::string> unreadable(const std::filesystem::path& path, std::string_view what) {
  const file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file) return std::nullopt;
  return path.native() + ": the " + std::string{what} + " cannot be read: " + std::generic_category().message(errno) +
         "; put the file there, or name another, readable for the daemon's user";
}

/// What everybody may read is nobody's secret.
std::optional<std::string> exposed(const std::filesystem::path& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0 || (there.st_mode & S_IRWXO) == 0) return std::nullopt;
  return path.native() + ": every user has rights to the private key; take them away: chmod o-rwx " + path.native();
}

std::string use_of(transport_side side) {
  return side == transport_side::host ? "clientAuth, as hosts need it" : "serverAuth, as collectors need it";
}

}  // namespace

void ssl_deleter::operator()(SSL* ssl) const { SSL_free(ssl); }

tls_context::tls_context(transport_side side, std::vector<std::string> denied_hosts)
    : side_(side), denied_hosts_(std::move(denied_hosts)), context_(SSL_CTX_new(TLS_method())) {
  std::ranges::sort(denied_hosts_);
}

tls_context::~tls_context() { SSL_CTX_free(context_); }

tls_context::loaded tls_context::load(const tls_settings& settings, transport_side side, wall_time now) {
  const std::shared_ptr<tls_context> made{new tls_context{side, settings.denied_hosts}};
  if (made->context_ == nullptr) return "OpenSSL has no memory for a context";
  auto* context = made->context_;
  SSL_CTX_set_app_data(context, made.get());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // Every connection shows its certificate anew, so that a revoked one goes no further.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
  // A peer that says much and means nothing, key updates say, gets its turn like others.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  ERR_clear_error();
  if (auto wrong = made->load_files(settings)) return *std::move(wrong);
  if (auto wrong = made->check_own(settings, now)) return *std::move(wrong);
  return made;
}

std::optional<std::string> tls_context::load_files(const tls_settings& settings) {
  const auto& [certificate, key, authority, denied, plain] = settings;
  if (auto wrong = unreadable(certificate, "certificate")) return wrong;
  if (SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1) {
    return certificate.native() + ": no certificate in it (" + why_openssl_failed() +
           "); put this node's certificate there, in PEM";
  }
  if (auto wrong = unreadable(key, "private key")) return wrong;
  if (auto wrong = exposed(key)) return wrong;
  if (SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const auto code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return key.native() + ": not the key of " + certificate.native() +
             "; put the key there that the certificate was issued for";
    }
    return key.native() + ": no private key in it (" + why_openssl_failed() +
           "); put this certificate's key there, in PEM, without a passphrase";
  }
  if (SSL_CTX_check_private_key(context_) != 1) {
    ERR_clear_error();
    return key.native() + ": not the key of " + certificate.native() +
           "; put the key there that the certificate was issued for";
  }
  if (auto wrong = unreadable(authority, "authority's certificate")) return wrong;
  if (SSL_CTX_load_verify_locations(context_, authority.c_str(), nullptr) != 1) {
    return authority.native() + ": no certificate in it (" + why_openssl_failed() +
           "); put the authority's certificate there, in PEM";
  }
  return std::nullopt;
}

std::optional<std::string> tls_context::check_own(const tls_settings& settings, wall_time now) {
  const auto& file = settings.certificate.native();
  auto* own = SSL_CTX_get0_certificate(context_);
  const auto seconds =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  auto at = seconds;
  if (X509_cmp_time(X509_get0_notAfter(own), &at) < 0) {
    return file + ": expired on " + date_of(end_of(own)) + "; issue a new certificate and put it there";
  }
  if (X509_cmp_time(X509_get0_notBefore(own), &at) > 0) {
    return file + ": not valid yet; correct this machine's clock, or wait";
  }
  if (!is_for(own, side_)) {
    return file + ": its extended key usage is not " + use_of(side_) +
           ", and that alone; issue a certificate that has no other";
  }
  if (side_ == transport_side::host) {
    const auto id = host_id_of(own);
    if (!id) {
      return file + ": names no host; issue a certificate whose subject alternative name is one URI:urn:cellos:host:ID";
    }
    host_id_ = *id;
  } else if (!names_a_server(own)) {
    return file + ": names no server; issue a certificate whose subject alternative names are this collector's DNS " +
           "names and addresses";
  }
  return check_chain(settings, own);
}

std::optional<std::string> tls_context::check_chain(const tls_settings& settings, X509* own) {
  const std::unique_ptr<X509_STORE_CTX, store_context_deleter> chain{X509_STORE_CTX_new()};
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get_extra_chain_certs(context_, &between);
  if (!chain || X509_STORE_CTX_init(chain.get(), SSL_CTX_get_cert_store(context_), own, between) != 1) {
    return "OpenSSL has no memory to check " + settings.certificate.native();
  }
  X509_STORE_CTX_set_purpose(chain.get(),
                             side_ == transport_side::host ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(chain.get()) != 1) {
    const std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain.get()));
    ERR_clear_error();
    return settings.certificate.native() + ": not issued by the authority of " + settings.authority.native() + " (" +
           why + "); name the authority that issued it, and put what is between the two behind the certificate";
  }
  expires_ = end_of(own);
  const auto* whole = X509_STORE_CTX_get0_chain(chain.get());
  for (int i = 0; i < sk_X509_num(whole); ++i) expires_ = std::min(expires_, end_of(sk_X509_value(whole, i)));
  return std::nullopt;
}

ssl_ptr tls_context::begin(int fd, std::string_view server_name) const {
  ssl_ptr ssl{SSL_new(context_)};
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return nullptr;
  if (side_ == transport_side::collector) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  const std::string name{server_name};
  in6_addr address{};
  const bool numeric =
      ::inet_pton(AF_INET, name.c_str(), &address) == 1 || ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
  if (numeric) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str()) != 1) return nullptr;
    return ssl;
  }
  // An empty name would be no check at all.
  if (name.empty() || SSL_set1_host(ssl.get(), name.c_str()) != 1) return nullptr;
  SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  return ssl;
}

bool tls_context::denies(std::string_view host_id) const {
  return std::binary_search(denied_hosts_.begin(), denied_hosts_.end(), host_id);
}

/// OpenSSL has checked the chain up to here. What we ask beyond that is answered with the codes that make it send the
/// fitting alert; refusal_of() reads them.
int tls_context::verify(int ok, X509_STORE_CTX* chain) {
  if (ok != 1 || X509_STORE_CTX_get_error_depth(chain) != 0) return ok;
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto& self = *static_cast<const tls_context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto* peer = X509_STORE_CTX_get_current_cert(chain);
  const auto refuse = [chain](int code) {
    X509_STORE_CTX_set_error(chain, code);
    return 0;
  };
  if (self.side_ == transport_side::host) {
    return is_for(peer, transport_side::collector) ? 1 : refuse(X509_V_ERR_INVALID_PURPOSE);
  }
  if (!is_for(peer, transport_side::host)) return refuse(X509_V_ERR_INVALID_PURPOSE);
  const auto id = host_id_of(peer);
  if (!id) return refuse(X509_V_ERR_APPLICATION_VERIFICATION);
  return self.denies(*id) ? refuse(X509_V_ERR_CERT_REVOKED) : 1;
}

}  // namespace cellos
