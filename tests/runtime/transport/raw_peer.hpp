#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/transport/transport_settings.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

/// A TCP connection to this machine, for peers that do as they like.
inline file_descriptor raw_connection(std::uint16_t port) {
  file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::runtime_error{"no connection"};
  }
  return socket;
}

/// Whether the other side has closed it by then; what it still says is read and ignored.
inline bool closed_within(int socket, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd polled{socket, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) <= 0) return false;
    char ignored[4096];
    if (::recv(socket, ignored, sizeof ignored, 0) <= 0) return true;
  }
}

/// A TLS client with or without a certificate, that looks at nobody's.
class raw_peer {
 public:
  /// Without a certificate where `files` is null.
  raw_peer(std::uint16_t port, const tls_settings* files) : socket_(raw_connection(port)) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (files != nullptr && (SSL_CTX_use_certificate_chain_file(context_.get(), files->certificate.c_str()) != 1 ||
                             SSL_CTX_use_PrivateKey_file(context_.get(), files->key.c_str(), SSL_FILETYPE_PEM) != 1)) {
      throw std::runtime_error{"no certificate"};
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.get());
    shaken_hands_ = SSL_connect(ssl_.get()) == 1;
  }

  void send(const std::string& bytes) { SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())); }
  /// At least so many, or fewer if the other side closes.
  std::string receive(std::size_t bytes) {
    std::string got;
    while (got.size() < bytes) {
      char part[4096];
      const int count = SSL_read(ssl_.get(), part, sizeof part);
      if (count <= 0) break;
      got.append(part, static_cast<std::size_t>(count));
    }
    return got;
  }
  /// Reads what is there, without waiting, and forgets it.
  void drop_what_came() {
    for (pollfd polled{socket_.get(), POLLIN, 0}; SSL_pending(ssl_.get()) > 0 || ::poll(&polled, 1, 0) > 0;) {
      char ignored[4096];
      if (SSL_read(ssl_.get(), ignored, sizeof ignored) <= 0) return;
    }
  }
  bool closed_within(std::chrono::milliseconds limit) { return test::closed_within(socket_.get(), limit); }
  /// The other side's certificate's serial number.
  std::string serial_of_peer() const {
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> number{
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(SSL_get0_peer_certificate(ssl_.get())), nullptr), BN_free};
    const std::unique_ptr<char, void (*)(char*)> text{BN_bn2hex(number.get()), [](char* p) { OPENSSL_free(p); }};
    return text.get();
  }
  bool shaken_hands() const { return shaken_hands_; }

 private:
  struct context_deleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct connection_deleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  file_descriptor socket_;
  std::unique_ptr<SSL_CTX, context_deleter> context_;
  std::unique_ptr<SSL, connection_deleter> ssl_;
  bool shaken_hands_ = false;
};

}  // namespace cellos::test
