#include "runtime/transport/basp_connection.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <cerrno>
#include <utility>
#include <vector>

namespace cellos {
namespace {

namespace net = caf::io::network;

caf::node_id node_of(caf::actor_system& system, const basp_node_id& bytes) {
  caf::node_id node;
  caf::binary_deserializer source{system, bytes.data(), bytes.size()};
  if (source(node)) return {};
  return node;
}

/// BASP starts an actor for every new node, which is to find the node's spawner, and keeps it for ever: a host that
/// connects again and again with new ids would use up the memory.
void forget_node(const caf::actor& broker, const basp_node_id& node) {
  auto* basp = static_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(broker));
  basp->system().middleman().backend().post([broker, basp, id = node_of(basp->system(), node)] {
    if (basp->getf(caf::abstract_actor::is_terminated_flag) || basp->instance.tbl().lookup_direct(id)) return;
    const auto seeker = basp->spawn_servers.find(id);
    if (seeker == basp->spawn_servers.end()) return;
    caf::anon_send_exit(seeker->second, caf::exit_reason::kill);
    basp->spawn_servers.erase(seeker);
  });
}

/// How bytes come and go on one connection: through TLS, if it has it, and past the guard.
class guarded_policy {
 public:
  guarded_policy(caf::actor broker, basp_endpoint endpoint, basp_guard guard)
      : broker_(std::move(broker)), endpoint_(std::move(endpoint)), guard_(std::move(guard)) {}
  guarded_policy(const guarded_policy&) = delete;
  guarded_policy& operator=(const guarded_policy&) = delete;
  // CAF closes the descriptor behind this.
  ~guarded_policy() {
    endpoint_.connection->end();
    if (guard_.peer_node()) forget_node(broker_, *guard_.peer_node());
  }

  net::rw_state read_some(std::size_t& read, net::native_socket fd, void* into, std::size_t bytes) {
    read = 0;
    const auto now = std::chrono::steady_clock::now();
    auto& connection = *endpoint_.connection;
    if (now >= connection.until()) {
      if (connection.is_aged(now)) ++connection.all().counts.aged;
      return lost("its time was over", connection.is_aged(now) ? connection_end::aged : connection_end::session_ended);
    }
    const auto got = endpoint_.ssl ? read_tls(into, bytes) : read_plain(fd, into, bytes);
    if (got < 0) return lost("the connection was lost");
    if (got == 0) return net::rw_state::success;
    const std::span<const char> came{static_cast<const char*>(into), static_cast<std::size_t>(got)};
    auto violation = guard_.incoming(came, now);
    if (!violation) violation = claim_node();
    if (violation) {
      connection.all().counts.count(*violation);
      return lost(to_string(*violation), connection_end::violated);
    }
    read = came.size();
    return net::rw_state::success;
  }

  net::rw_state write_some(std::size_t& written, net::native_socket fd, const void* from, std::size_t bytes) {
    written = 0;
    if (bytes == 0) return net::rw_state::indeterminate;
    const auto went = endpoint_.ssl ? write_tls(from, bytes) : write_plain(fd, from, bytes);
    if (went < 0) return lost("the connection was lost");
    written = static_cast<std::size_t>(went);
    guard_.outgoing({static_cast<const char*>(from), written});
    return net::rw_state::success;
  }

  bool must_read_more(net::native_socket, std::size_t threshold) const {
    return endpoint_.ssl && static_cast<std::size_t>(SSL_pending(endpoint_.ssl.get())) >= threshold;
  }

  bool has_read_ahead() const { return endpoint_.ssl && SSL_pending(endpoint_.ssl.get()) > 0; }
  std::size_t unsent_bytes() const { return endpoint_.unsent_bytes; }
  open_connection& connection() const { return *endpoint_.connection; }

 private:
  /// Both directions, so that what CAF still wants to write does not keep it.
  net::rw_state lost(std::string_view why, connection_end how = connection_end::lost) {
    endpoint_.connection->shut(why, how);
    return net::rw_state::failure;
  }

  /// Bytes, 0 for none at the moment, -1 for never again.
  std::ptrdiff_t read_tls(void* into, std::size_t bytes) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(endpoint_.ssl.get(), into, bytes, &got);
    if (result == 1) return static_cast<std::ptrdiff_t>(got);
    // A peer that makes reading depend on writing, and takes nothing, would keep this thread awake.
    return SSL_get_error(endpoint_.ssl.get(), result) == SSL_ERROR_WANT_READ ? 0 : -1;
  }
  std::ptrdiff_t write_tls(const void* from, std::size_t bytes) {
    std::size_t went = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(endpoint_.ssl.get(), from, bytes, &went);
    if (result == 1) return static_cast<std::ptrdiff_t>(went);
    return SSL_get_error(endpoint_.ssl.get(), result) == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
  static std::ptrdiff_t now_or_never(ssize_t result) {
    if (result >= 0) return result;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
  }
  static std::ptrdiff_t read_plain(int fd, void* into, std::size_t bytes) {
    const auto got = ::recv(fd, into, bytes, 0);
    return got == 0 ? -1 : now_or_never(got);
  }
  static std::ptrdiff_t write_plain(int fd, const void* from, std::size_t bytes) {
    return now_or_never(::send(fd, from, bytes, MSG_NOSIGNAL));
  }

  std::optional<basp_violation> claim_node() {
    if (claimed_ || !guard_.peer_node()) return std::nullopt;
    claimed_ = true;
    using result = open_connections::claim_result;
    const auto claimed = connection().all().claim(*guard_.peer_node(), connection());
    // A client's CAF would take the earlier connection, which ends.
    const bool ours = claimed == result::claimed || (claimed == result::replaced && guard_.is_server());
    return ours ? std::nullopt : std::optional{basp_violation::node_claimed};
  }

  const caf::actor broker_;
  basp_endpoint endpoint_;
  basp_guard guard_;
  bool claimed_ = false;
};

class guarded_stream final : public net::stream {
 public:
  guarded_stream(net::default_multiplexer& multiplexer, caf::actor broker, basp_endpoint endpoint, basp_guard guard)
      : stream(multiplexer, endpoint.socket.get()), policy_(std::move(broker), release(endpoint), std::move(guard)) {}

  void handle_event(net::operation operation) override {
    handle_event_impl(operation, policy_);
    // The connector has looked for the server's first byte, and OpenSSL keeps the record that it was in: the socket has
    // nothing more to announce. A client always writes first.
    if (!read_ahead_looked_for_ && operation == net::operation::write) {
      read_ahead_looked_for_ = true;
      if (policy_.has_read_ahead() && !read_channel_closed() && (eventbf() & EPOLLIN) != 0) {
        handle_event_impl(net::operation::read, policy_);
      }
    }
  }
  const guarded_policy& policy() const { return policy_; }

 private:
  static basp_endpoint release(basp_endpoint& endpoint) {
    endpoint.socket.release();
    return std::move(endpoint);
  }

  guarded_policy policy_;
  bool read_ahead_looked_for_ = false;
};

/// What BASP reads from and writes to: CAF's own scribe, over the stream above.
class guarded_scribe final : public caf::io::scribe {
 public:
  guarded_scribe(net::default_multiplexer& multiplexer, caf::actor broker, basp_endpoint endpoint, basp_guard guard)
      : scribe(net::conn_hdl_from_socket(endpoint.socket.get())),
        stream_(multiplexer, std::move(broker), std::move(endpoint), std::move(guard)) {}

  void configure_read(caf::io::receive_policy::config policy) override {
    stream_.configure_read(policy);
    if (!std::exchange(launched_, true)) stream_.start(this);
  }
  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    // A peer that reads nothing would keep what is unsent, and with it the connection.
    stream_.policy().connection().shut("closed by BASP", connection_end::lost);
    detach(&stream_.backend(), false);
  }
  void flush() override {
    if (stream_.wr_buf().size() > stream_.policy().unsent_bytes()) {
      ++stream_.policy().connection().all().counts.unsent;
      stream_.wr_buf().clear();
      return stream_.policy().connection().shut("the peer takes nothing", connection_end::unsent);
    }
    stream_.flush(this);
  }
  std::string addr() const override {
    auto address = net::remote_addr_of_fd(stream_.fd());
    return address ? *address : std::string{};
  }
  std::uint16_t port() const override {
    auto port = net::remote_port_of_fd(stream_.fd());
    return port ? *port : std::uint16_t{0};
  }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

 private:
  bool launched_ = false;
  guarded_stream stream_;
};

caf::actor basp_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

caf::io::scribe_ptr scribe_of(const caf::actor& broker, basp_endpoint endpoint, basp_guard guard) {
  auto& multiplexer = static_cast<net::default_multiplexer&>(broker.home_system().middleman().backend());
  return caf::make_counted<guarded_scribe>(multiplexer, broker, std::move(endpoint), std::move(guard));
}

}  // namespace

basp_node_id own_basp_node(caf::actor_system& system) {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  if (sink(system.node()) || bytes.size() != sizeof(basp_node_id)) return {};
  basp_node_id node;
  std::ranges::copy(bytes, node.begin());
  return node;
}

void offer_session(caf::actor_system& system, basp_endpoint endpoint, const caf::strong_actor_ptr& session,
                   std::set<std::string> interface) {
  // BASP keeps what it publishes by port. It is published for this one handshake, so any port will do, none listens.
  constexpr std::uint16_t nowhere = 1;
  const auto broker = basp_of(system);
  auto guard = basp_guard::for_server(own_basp_node(system), session->id(), endpoint.limits);
  caf::anon_send(broker, caf::publish_atom_v, scribe_of(broker, std::move(endpoint), std::move(guard)), nowhere,
                 session, std::move(interface));
  caf::anon_send(broker, caf::unpublish_atom_v, caf::actor_cast<caf::actor_addr>(session), nowhere);
}

std::variant<caf::strong_actor_ptr, std::string> await_session(caf::actor_system& system, basp_endpoint endpoint,
                                                               std::uint16_t port, std::chrono::milliseconds limit,
                                                               const std::set<std::string>& interface) {
  const auto connection = endpoint.connection;
  auto guard = basp_guard::for_client(own_basp_node(system), endpoint.limits);
  std::variant<caf::strong_actor_ptr, std::string> result;
  const auto failed = [&](std::string why) {
    connection->shut(why, connection_end::lost);
    result = std::move(why);
  };
  caf::scoped_actor self{system, true};
  const auto broker = basp_of(system);
  self->request(broker, limit, caf::connect_atom_v, scribe_of(broker, std::move(endpoint), std::move(guard)), port)
      .receive(
          [&](const caf::node_id&, caf::strong_actor_ptr& session, const std::set<std::string>& theirs) {
            if (!session) return failed("the collector has no session for this host");
            if (!interface.empty() && !system.assignable(theirs, interface)) {
              return failed("the collector is of another version and its sessions understand other messages; " +
                            std::string{"upgrade collectors before hosts"});
            }
            result = std::move(session);
          },
          [&](const caf::error& error) {
            auto why = connection->why_shut();
            failed(why.empty() ? system.render(error) : std::move(why));
          });
  return result;
}

}  // namespace cellos
