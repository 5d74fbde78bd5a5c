#pragma once

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <caf/all.hpp>

#include "runtime/transport/remoting.hpp"
#include "runtime/transport/transport_connector.hpp"
#include "runtime/transport/transport_server.hpp"
#include "tests/support/sharing_scheduler.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

using hello_atom = caf::atom_constant<caf::atom("hello")>;
using bytes_atom = caf::atom_constant<caf::atom("bytes")>;
/// Welcomes the host whose certificate it is; counts bytes.
using greeting_actor = caf::typed_actor<caf::replies_to<hello_atom, std::string>::with<std::string>,
                                        caf::replies_to<bytes_atom, std::vector<char>>::with<std::uint64_t>>;

struct node_configuration : sharing_scheduler {
  explicit node_configuration(remoting_times times) {
    configure_remoting(*this, times);
    set("scheduler.max-threads", 2);
  }
};

/// An actor system that speaks to others.
struct fleet_node {
  node_configuration configuration;
  caf::actor_system system;

  explicit fleet_node(remoting_times times = {.heartbeat = std::chrono::milliseconds{100},
                                              .lost_after = std::chrono::milliseconds{3000}})
      : configuration(times), system(configuration) {}
};

/// A collector in miniature.
struct greeting_collector {
  fleet_node node;
  std::mutex mutex;
  std::vector<peer_identity> greeted;
  std::vector<caf::actor_addr> sessions;
  /// Its thread uses all of the above.
  std::unique_ptr<transport_server> server;

  explicit greeting_collector(const tls_settings& tls, const server_limits& limits = {}) {
    transport_server_settings settings;
    settings.host = "127.0.0.1";
    settings.tls = tls;
    settings.limits = limits;
    settings.spawn = [this](const peer_identity& peer) { return greet(peer); };
    settings.interface = node.system.message_types<greeting_actor>();
    auto started = transport_server::start(node.system, std::move(settings));
    if (const auto* why = std::get_if<std::string>(&started)) throw std::runtime_error{*why};
    server = std::get<0>(std::move(started));
  }

  caf::strong_actor_ptr greet(const peer_identity& peer) {
    const auto session = node.system.spawn(
        [](greeting_actor::pointer, const std::string& host) -> greeting_actor::behavior_type {
          return {[host](hello_atom, const std::string& name) -> caf::result<std::string> {
                    if (name == "bye") return caf::make_error(caf::sec::runtime_error, "bye");
                    if (name != host) return caf::make_error(caf::sec::runtime_error, host + " may not write " + name);
                    return "welcome " + name;
                  },
                  [](bytes_atom, const std::vector<char>& bytes) -> std::uint64_t { return bytes.size(); }};
        },
        peer.host_id);
    const std::lock_guard lock{mutex};
    greeted.push_back(peer);
    sessions.push_back(session.address());
    return caf::actor_cast<caf::strong_actor_ptr>(session);
  }
  collector_place place() const { return {.host = "127.0.0.1", .port = server->port()}; }
  std::size_t greetings() {
    const std::lock_guard lock{mutex};
    return greeted.size();
  }
  /// Whether the sessions have all ended.
  bool all_sessions_gone() {
    const std::lock_guard lock{mutex};
    return std::ranges::all_of(sessions, [](const auto& session) {
      const auto there = caf::actor_cast<caf::strong_actor_ptr>(session);
      return !there || there->get()->getf(caf::abstract_actor::is_terminated_flag);
    });
  }
};

/// A host in miniature.
struct greeting_host {
  fleet_node node;
  std::unique_ptr<transport_connector> connector;
  caf::scoped_actor self{node.system};

  explicit greeting_host(const tls_settings& tls, const connector_limits& limits = {}) {
    transport_connector_settings settings{.tls = tls, .limits = limits};
    settings.interface = node.system.message_types<greeting_actor>();
    auto opened = transport_connector::open(node.system, std::move(settings));
    if (const auto* why = std::get_if<std::string>(&opened)) throw std::runtime_error{*why};
    connector = std::get<0>(std::move(opened));
  }

  transport_connector::connected connect(const collector_place& place) {
    std::promise<transport_connector::connected> promise;
    auto result = promise.get_future();
    connector->connect(place, [&](transport_connector::connected done) { promise.set_value(std::move(done)); });
    if (result.wait_for(test_timeout) != std::future_status::ready) throw std::runtime_error{"no answer of connect()"};
    return result.get();
  }
  /// Null if there is none.
  greeting_actor session(const collector_place& place) {
    auto connected = connect(place);
    if (const auto* why = std::get_if<std::string>(&connected)) {
      last_failure = *why;
      return {};
    }
    return caf::actor_cast<greeting_actor>(std::get<0>(connected));
  }
  std::string failure(const collector_place& place) {
    last_failure.clear();
    session(place);
    return last_failure;
  }
  /// The answer, or the error.
  std::string hello(const greeting_actor& session, const std::string& host) {
    std::string answer;
    self->request(session, test_timeout, hello_atom::value, host)
        .receive([&](const std::string& text) { answer = text; },
                 [&](const caf::error& error) { answer = node.system.render(error); });
    return answer;
  }
  std::uint64_t send_bytes(const greeting_actor& session, std::size_t bytes) {
    std::uint64_t counted = 0;
    self->request(session, test_timeout, bytes_atom::value, std::vector<char>(bytes, 'x'))
        .receive([&](std::uint64_t count) { counted = count; }, [](const caf::error&) {});
    return counted;
  }
  /// Whether the session's end is reported in time.
  bool lost(const greeting_actor& session, std::chrono::milliseconds limit = test_timeout) {
    bool down = false;
    self->monitor(session);
    self->receive([&](const caf::down_msg&) { down = true; }, caf::after(limit) >> [] {});
    return down;
  }

  std::string last_failure;
};

}  // namespace cellos::test
