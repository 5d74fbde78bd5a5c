#include "tests/support/http_receiver.hpp"

#include <arpa/inet.h>
#include <microhttpd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace cellos::test {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

MHD_Result on_header(void* into, MHD_ValueKind, const char* name, const char* value) {
  (*static_cast<std::map<std::string, std::string>*>(into))[lower(name)] = value == nullptr ? "" : value;
  return MHD_YES;
}

/// The elements of an array as they are written; texts have no brackets outside of strings that matter here.
std::string lines_of_batch(const std::string& body) {
  std::string lines;
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 1; i + 1 < body.size(); ++i) {
    const char c = body[i];
    if (in_text && c == '\\') {
      lines += c;
      lines += body[++i];
      continue;
    }
    if (c == '"') in_text = !in_text;
    if (!in_text && c == '{') ++depth;
    if (!in_text && c == '}') --depth;
    if (!in_text && c == ',' && depth == 0)
      lines += '\n';
    else
      lines += c;
  }
  return lines + '\n';
}

}  // namespace

struct http_receiver::server {
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char*, const char*,
                               const char* bytes, std::size_t* size, void** state) {
    if (*state == nullptr) {
      *state = new request{path, {}, {}};
      return MHD_YES;
    }
    auto& asked = *static_cast<request*>(*state);
    if (*size > 0) {
      asked.body.append(bytes, std::exchange(*size, 0));
      return MHD_YES;
    }
    MHD_get_connection_values(connection, MHD_HEADER_KIND, &on_header, &asked.headers);
    return static_cast<http_receiver*>(self)->server_->reply(*static_cast<http_receiver*>(self), connection, asked);
  }

  static void on_completed(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
    delete static_cast<request*>(*state);
  }

  static MHD_Result reply(http_receiver& self, MHD_Connection* connection, const request& asked) {
    std::size_t number = 0;
    {
      const std::lock_guard guard{self.mutex_};
      number = self.requests_.size();
      self.requests_.push_back(asked);
    }
    answer said = self.answers_(number, asked);
    if (said.status / 100 == 2) {
      const std::lock_guard guard{self.mutex_};
      const bool is_batch = asked.headers.at("content-type") == "application/cloudevents-batch+json";
      self.lines_ += is_batch ? lines_of_batch(asked.body) : asked.body + '\n';
    }
    auto* const response = MHD_create_response_from_buffer(said.body.size(), said.body.data(), MHD_RESPMEM_MUST_COPY);
    for (const auto& [name, value] : said.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
    const auto queued = MHD_queue_response(connection, said.status, response);
    MHD_destroy_response(response);
    return queued;
  }

  MHD_Daemon* daemon = nullptr;
};

http_receiver::http_receiver(script answers, const std::string& certificate, const std::string& key)
    : answers_(std::move(answers)), is_secure_(!certificate.empty()), server_(std::make_unique<server>()) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const unsigned flags = unsigned{MHD_USE_INTERNAL_POLLING_THREAD} | (is_secure_ ? unsigned{MHD_USE_TLS} : 0U);
  server_->daemon =
      is_secure_
          ? MHD_start_daemon(flags, 0, nullptr, nullptr, &server::on_request, this, MHD_OPTION_SOCK_ADDR, &address,
                             MHD_OPTION_NOTIFY_COMPLETED, &server::on_completed, nullptr, MHD_OPTION_HTTPS_MEM_CERT,
                             certificate.c_str(), MHD_OPTION_HTTPS_MEM_KEY, key.c_str(), MHD_OPTION_END)
          : MHD_start_daemon(flags, 0, nullptr, nullptr, &server::on_request, this, MHD_OPTION_SOCK_ADDR, &address,
                             MHD_OPTION_NOTIFY_COMPLETED, &server::on_completed, nullptr, MHD_OPTION_END);
  if (server_->daemon == nullptr) throw std::runtime_error("no HTTP server");
}

http_receiver::~http_receiver() { MHD_stop_daemon(server_->daemon); }

std::string http_receiver::url() const {
  const auto port = MHD_get_daemon_info(server_->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  return std::string{is_secure_ ? "https" : "http"} + "://127.0.0.1:" + std::to_string(port) + "/events";
}

std::vector<http_receiver::request> http_receiver::requests() const {
  const std::lock_guard guard{mutex_};
  return requests_;
}

std::string http_receiver::lines() const {
  const std::lock_guard guard{mutex_};
  return lines_;
}

}  // namespace cellos::test
