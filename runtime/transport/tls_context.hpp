#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/transport/certificate.hpp"
#include "runtime/transport/transport_settings.hpp"

namespace cellos {

struct ssl_deleter {
  void operator()(SSL* ssl) const;
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;

/// A node's certificate, key and authority as they were read, for all connections that begin with them: TLS 1.3 alone,
/// both sides with certificates, nothing resumed. Immutable, for any number of threads.
class tls_context {
 public:
  using loaded = std::variant<std::shared_ptr<const tls_context>, std::string>;

  /// Reads and checks the files: readable, of one pair, within their time at `now`, for this side alone, and issued by
  /// the authority. The alternative is a sentence with the file, what is wrong and what to do.
  static loaded load(const tls_settings& settings, transport_side side, wall_time now);

  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;
  ~tls_context();

  /// A connection's beginning on this descriptor, which it does not own. A client's is for the collector of this name.
  /// Empty where OpenSSL has no memory or the name cannot be one.
  ssl_ptr begin(int fd, std::string_view server_name = {}) const;

  bool denies(std::string_view host_id) const;
  /// Of this node's certificate, where it is a host's.
  const std::string& host_id() const { return host_id_; }
  /// When the first certificate of the chain to the authority ends.
  wall_time expires() const { return expires_; }

 private:
  tls_context(transport_side side, std::vector<std::string> denied_hosts);

  static int verify(int ok, X509_STORE_CTX* chain);
  std::optional<std::string> load_files(const tls_settings& settings);
  std::optional<std::string> check_own(const tls_settings& settings, wall_time now);
  std::optional<std::string> check_chain(const tls_settings& settings, X509* own);

  transport_side side_;
  std::vector<std::string> denied_hosts_;
  SSL_CTX* context_;
  std::string host_id_;
  wall_time expires_{};
};

}  // namespace cellos
