#include "runtime/control/control_service.hpp"

#include <fcntl.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace cellos {

namespace {

/// A scraper asks under whatever name it knows the host by. Where nobody says which names there are, that is answered
/// with what any page may know: counts, and the host's id.
server_names public_names(const control_configuration& settings) {
  server_names out{settings.host_names, true, {}};
  out.names.push_back(settings.http_listen->substr(0, settings.http_listen->rfind(':')));
  if (settings.host_names.empty()) out.open_paths = {"/metrics", "/healthz"};
  return out;
}

}  // namespace

control_service::opening control_service::open(control_sockets sockets, const control_configuration& settings,
                                               control_environment environment) {
  opening out;
  std::unique_ptr<control_service> service{new control_service{std::move(environment)}};
  service->http_address_ = sockets.http_address();
  service->socket_ = sockets.take_control();
  if (service->socket_) out.refusal = service->serve_socket(settings);
  file_descriptor http = sockets.take_http();
  if (out.refusal.empty() && http) out.refusal = service->serve_http(std::move(http), settings);
  if (out.refusal.empty()) out.service = std::move(service);
  return out;
}

control_service::opening control_service::open(const control_configuration& settings, control_environment environment) {
  control_sockets::outcome bound = control_sockets::bind(settings);
  if (!bound.refusal.empty()) return {nullptr, std::move(bound.refusal)};
  return open(std::move(bound.sockets), settings, std::move(environment));
}

void control_service::stop_serving() {
  http_.reset();
  control_.reset();
  socket_.reset();
  api_.stop();
}

std::string control_service::serve_socket(const control_configuration& settings) {
  // The server closes its own; ours goes with the file.
  file_descriptor for_server{::fcntl(socket_->fd(), F_DUPFD_CLOEXEC, 0)};
  if (!for_server) return std::error_code{errno, std::system_category()}.message();
  http_server::options options;
  options.allowed_uids = settings.allow_uids;
  options.names.names = settings.host_names;
  options.refused = [this] { api_.refused(); };
  auto started = http_server::start(
      std::move(for_server),
      [this](const http_request& request, const http_reply& reply) { api_.answer(request, reply); }, options);
  control_ = std::move(started.server);
  return started.refusal;
}

std::string control_service::serve_http(file_descriptor listening, const control_configuration& settings) {
  http_server::options options;
  options.limits.body_bytes = 0;
  options.limits.connections = 64;
  options.names = public_names(settings);
  options.refused = [this] { api_.refused(); };
  auto started = http_server::start(
      std::move(listening),
      [this](const http_request& request, const http_reply& reply) { api_.answer_public(request, reply); }, options);
  http_ = std::move(started.server);
  return started.refusal;
}

}  // namespace cellos
