#include "runtime/transport/transport_connector.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <chrono>

#include "runtime/transport/basp_connection.hpp"
#include "runtime/transport/outgoing_socket.hpp"
#include "runtime/transport/remoting.hpp"
#include "runtime/transport/tls_handshake.hpp"

namespace cellos {
namespace {

const std::string& name_of(const collector_place& place) {
  return place.server_name.empty() ? place.host : place.server_name;
}

}  // namespace

transport_connector::opened transport_connector::open(caf::actor_system& system,
                                                      transport_connector_settings settings) {
  auto tls = current_tls_context::open(settings.tls, transport_side::host);
  if (auto* why = std::get_if<std::string>(&tls)) return std::move(*why);
  close_named_actors(system);
  return std::unique_ptr<transport_connector>{
      new transport_connector{system, std::move(settings), std::get<0>(std::move(tls))}};
}

transport_connector::transport_connector(caf::actor_system& system, transport_connector_settings settings,
                                         std::unique_ptr<current_tls_context> tls)
    : system_(system),
      settings_(std::move(settings)),
      tls_(std::move(tls)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      connections_(std::make_shared<open_connections>()) {}

transport_connector::~transport_connector() {
  ::eventfd_write(stop_.get(), 1);
  // An attempt that waits for BASP's handshake is let go with its connection.
  connections_->shut_all();
  forget_attempts(true);
  connections_->shut_all();
}

void transport_connector::forget_attempts(bool all) {
  std::list<attempt> over;
  {
    const std::lock_guard lock{mutex_};
    for (auto next = attempts_.begin(); next != attempts_.end();) {
      const auto it = next++;
      if (all || it->done) over.splice(over.end(), attempts_, it);
    }
  }
  for (auto& each : over) each.thread.join();
}

void transport_connector::connect(const collector_place& place, std::function<void(connected)> done) {
  forget_attempts(false);
  const std::lock_guard lock{mutex_};
  auto& added = attempts_.emplace_back();
  const bool too_many = attempts_.size() > settings_.limits.attempts;
  added.thread = std::thread{[this, place, &added, too_many, done = std::move(done)] {
    auto result = too_many ? connected{"too many attempts to connect go on; wait for one"} : try_to_connect(place);
    if (auto* why = std::get_if<std::string>(&result)) *why = place_text(place.host, place.port) + ": " + *why;
    done(std::move(result));
    added.done = true;
  }};
}

transport_connector::connected transport_connector::try_to_connect(const collector_place& place) {
  const auto begin = std::chrono::steady_clock::now();
  const auto found = resolve_until(place.host, place.port, begin + settings_.limits.connect);
  if (const auto* why = std::get_if<std::string>(&found)) {
    return "the name cannot be resolved (" + *why + "); correct it, or the resolver";
  }
  const auto& addresses = std::get<0>(found);
  const auto context = tls_->get();
  if (!context && !std::ranges::all_of(addresses, &socket_address::is_loopback)) {
    return "plain TCP is for loopback addresses alone; configure a certificate";
  }
  auto socket = connect_to_any(addresses, stop_.get(), begin + settings_.limits.connect);
  if (auto* why = std::get_if<std::string>(&socket)) return std::move(*why);
  const auto until = std::chrono::steady_clock::now() + settings_.limits.handshake;
  auto& reached = std::get<0>(socket);
  ssl_ptr ssl;
  if (context) {
    ssl = context->begin(reached.get(), name_of(place));
    if (!ssl) return name_of(place) + " cannot be a server's name; configure a DNS name or an address";
    if (auto why = shake(ssl.get(), place, until)) return *std::move(why);
  }
  return speak_basp(place, std::move(reached), context, std::move(ssl), until);
}

std::optional<std::string> transport_connector::shake(SSL* ssl, const collector_place& place, monotonic_time until) {
  // The collector looks at this host's certificate when this side has finished; only its first word says what it
  // thinks.
  bool finished = false;
  for (;;) {
    const auto step = finished ? await_acceptance(ssl) : shake_hands(ssl);
    if (step == handshake_step::done) {
      if (std::exchange(finished, true)) return std::nullopt;
      continue;
    }
    if (step == handshake_step::failed) {
      connections_->counts.count(why_failed(ssl));
      return explain_failure(ssl, name_of(place), settings_.tls.certificate.native(), settings_.tls.authority.native());
    }
    const short events = step == handshake_step::waits_to_read ? POLLIN : POLLOUT;
    const auto waited = await_socket(SSL_get_fd(ssl), events, stop_.get(), until);
    if (waited == awaited::stopped) return "this node stops";
    if (waited == awaited::late) {
      connections_->counts.count(connection_refusal::handshake_timeout);
      return "connected, but TLS was not answered in time; see that a collector listens there";
    }
  }
}

transport_connector::connected transport_connector::speak_basp(const collector_place& place, file_descriptor socket,
                                                               std::shared_ptr<const tls_context> context, ssl_ptr ssl,
                                                               monotonic_time until) {
  // Collectors are one kind of peer: whichever had a node's id before gives it up.
  const auto connection = connections_->add(socket.get(), {}, monotonic_time::max(), {}, {SIZE_MAX, SIZE_MAX});
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - monotonic_time{std::chrono::steady_clock::now()});
  auto result = await_session(system_,
                              {.socket = std::move(socket),
                               .context = std::move(context),
                               .ssl = std::move(ssl),
                               .connection = connection,
                               .unsent_bytes = settings_.limits.unsent_bytes,
                               .limits = settings_.limits.basp},
                              place.port, std::max(left, std::chrono::milliseconds{1}), settings_.interface);
  if (auto* why = std::get_if<std::string>(&result)) {
    return "the collector gave no session (" + *why + "); its log says why";
  }
  ++connections_->counts.welcomed;
  const std::lock_guard lock{mutex_};
  std::erase_if(sessions_, [](const auto& row) { return row.second.expired(); });
  sessions_.emplace_back(caf::actor_cast<caf::actor_addr>(std::get<0>(result)), connection);
  return result;
}

void transport_connector::disconnect(const caf::strong_actor_ptr& session) {
  const std::lock_guard lock{mutex_};
  for (const auto& [address, connection] : sessions_) {
    if (address != session) continue;
    if (const auto still_there = connection.lock())
      still_there->shut("closed by this node", connection_end::closed_here);
  }
}

std::string transport_connector::host_id() const {
  const auto context = tls_->get();
  return context ? context->host_id() : std::string{};
}

std::optional<wall_time> transport_connector::certificate_expires() const {
  const auto context = tls_->get();
  if (!context) return std::nullopt;
  return context->expires();
}

}  // namespace cellos
