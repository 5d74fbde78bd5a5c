#include "tests/bench/support/nats_sender.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/files.hpp"

namespace cellos::bench {

namespace {

/// Unanswered messages: as JetStream clients have them, and as many bytes for batches as the product may have.
constexpr std::size_t most_unanswered_lines = 4000;
constexpr std::size_t most_unanswered_batches = 8;
constexpr std::size_t buffer_bytes = std::size_t{256} << 10;

struct context_deleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct connection_deleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class connection {
 public:
  connection(std::uint16_t port, const tls_settings& files)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), context_(SSL_CTX_new(TLS_client_method())) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
    // The server speaks first, and without TLS.
    char byte = 0;
    while (byte != '\n') {
      if (::recv(socket_.get(), &byte, 1, 0) != 1) fail("no greeting");
    }
    if (SSL_CTX_use_certificate_chain_file(context_.get(), files.certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      fail("no certificate");
    }
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.get());
    if (SSL_connect(ssl_.get()) != 1) fail("no TLS");
    ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
  }

  /// As much as the socket takes.
  std::size_t write(std::string_view bytes) {
    std::size_t went = 0;
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &went) == 1 ? went : 0;
  }
  /// What there is, without waiting.
  void read(std::string& into) {
    char part[16384];
    std::size_t got = 0;
    int result = 1;
    while ((result = SSL_read_ex(ssl_.get(), part, sizeof part, &got)) == 1) into.append(part, got);
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) fail("the server closed");
  }
  /// Both directions, as the socket had them.
  std::uint64_t wire_bytes() const {
    return BIO_number_written(SSL_get_wbio(ssl_.get())) + BIO_number_read(SSL_get_rbio(ssl_.get()));
  }
  void wait(bool to_write) const {
    pollfd polled{socket_.get(), static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN), 0};
    ::poll(&polled, 1, 10'000);
  }

 private:
  [[noreturn]] static void fail(const char* what) { throw std::runtime_error{what}; }

  file_descriptor socket_;
  std::unique_ptr<SSL_CTX, context_deleter> context_;
  std::unique_ptr<SSL, connection_deleter> ssl_;
};

class publisher {
 public:
  publisher(std::uint16_t port, const tls_settings& files, std::size_t most_unanswered)
      : most_unanswered_(most_unanswered), connection_(port, files) {
    out_ = "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":true,\"headers\":true}\r\nSUB _A.> 1\r\n";
    put("$JS.API.STREAM.CREATE.BENCH",
        R"({"name":"BENCH","subjects":["bench.>"],"storage":"file","retention":"limits","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"num_replicas":1})");
    finish();
  }

  void put(std::string_view subject, std::string_view payload) {
    while (published_ - answered_ >= most_unanswered_) turn();
    out_ += "PUB ";
    out_ += subject;
    out_ += " _A.a ";
    out_ += std::to_string(payload.size());
    out_ += "\r\n";
    out_ += payload;
    out_ += "\r\n";
    ++published_;
    if (out_.size() - written_ >= buffer_bytes) turn();
  }
  std::uint64_t wire_bytes() const { return connection_.wire_bytes(); }
  /// Until all is answered.
  void finish() {
    while (answered_ < published_) turn();
  }

 private:
  void turn() {
    written_ += connection_.write(std::string_view{out_}.substr(written_));
    if (written_ == out_.size()) {
      out_.clear();
      written_ = 0;
    }
    connection_.read(in_);
    if (take_answers() == 0) connection_.wait(!out_.empty());
  }

  /// Whole protocol lines alone: an answer is one `MSG` line and a line of JSON.
  std::size_t take_answers() {
    std::size_t answers = 0;
    std::size_t at = 0;
    for (auto end = in_.find("\r\n", at); end != std::string::npos; end = in_.find("\r\n", at)) {
      const auto line = std::string_view{in_}.substr(at, end - at);
      if (line.starts_with("-ERR") || line.find("\"error\"") != std::string_view::npos) {
        throw std::runtime_error{"the server says " + std::string{line}};
      }
      if (line == "PING") out_ += "PONG\r\n";
      if (line.starts_with('{')) ++answers;
      at = end + 2;
    }
    in_.erase(0, at);
    answered_ += answers;
    return answers;
  }

  const std::size_t most_unanswered_;
  connection connection_;
  std::string out_;
  std::size_t written_ = 0;
  std::string in_;
  std::uint64_t published_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace

std::uint64_t send_to_jetstream(std::uint16_t port, const tls_settings& files, const std::filesystem::path& log,
                                std::size_t batch_bytes) {
  publisher to{port, files, batch_bytes == 0 ? most_unanswered_lines : most_unanswered_batches};
  std::error_code failure;
  for (const auto& each : list_segments(log, failure)) {
    const std::string text = test::content_of(log / segment_file_name(each.segment));
    for (std::size_t at = 0; at < text.size();) {
      auto end = text.find('\n', at);
      if (batch_bytes > 0 && at + batch_bytes < text.size()) end = text.rfind('\n', at + batch_bytes);
      if (batch_bytes > 0 && at + batch_bytes >= text.size()) end = text.size() - 1;
      to.put("bench.host", std::string_view{text}.substr(at, end - at));
      at = end + 1;
    }
  }
  to.finish();
  return to.wire_bytes();
}

}  // namespace cellos::bench
