// One exchange is one request and its answer: received (bounded) -> handler, while its connection is suspended -> the
// answer resumes it -> sent. What resumes a connection may come on any thread and at any time, so it goes through the
// exchange, which knows whether its connection still stands.

#include "runtime/control/http_server.hpp"

#include <microhttpd.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "runtime/control/connection_deadlines.hpp"
#include "runtime/control/http_acceptor.hpp"
#include "runtime/control/resumable.hpp"
#include "runtime/os/descriptor_plan.hpp"
#include "runtime/os/unix_listener.hpp"

namespace cellos {

namespace {

/// What a stream hands over at once.
constexpr std::size_t stream_block_bytes = 16 * 1024;

/// How long a stop waits for those that take their last answer slowly, or are in the middle of a request. Chosen here.
constexpr std::chrono::milliseconds farewell_timeout{500};

struct exchange {
  explicit exchange(MHD_Connection* connection) : waiting(std::make_shared<resumable>(connection)) {}

  http_request request;
  bool body_too_large = false;
  bool dispatched = false;
  std::shared_ptr<resumable> waiting;

  /// The answer, from whichever thread it comes.
  struct slot {
    std::mutex mutex;
    std::optional<http_answer> answer;
  };
  std::shared_ptr<slot> answered = std::make_shared<slot>();

  std::optional<http_answer> take_answer() const {
    const std::lock_guard lock{answered->mutex};
    return std::exchange(answered->answer, std::nullopt);
  }
};

/// A stream as the library reads it.
struct stream_reader {
  std::shared_ptr<http_stream> stream;
  std::shared_ptr<resumable> waiting;
  bool ended = false;
};

ssize_t read_stream(void* closure, std::uint64_t, char* buffer, std::size_t most) {
  auto& reader = *static_cast<stream_reader*>(closure);
  if (reader.ended || reader.waiting->closing()) return MHD_CONTENT_READER_END_OF_STREAM;
  const http_stream::piece piece = reader.stream->take(most, [waiting = reader.waiting] { waiting->resume(); });
  reader.ended = piece.last;
  if (piece.bytes.empty()) {
    if (piece.last) return MHD_CONTENT_READER_END_OF_STREAM;
    reader.waiting->suspend();
    return 0;
  }
  std::copy(piece.bytes.begin(), piece.bytes.end(), buffer);
  return static_cast<ssize_t>(piece.bytes.size());
}

void free_stream(void* closure) { delete static_cast<stream_reader*>(closure); }

MHD_Result collect_query(void* closure, MHD_ValueKind, const char* key, const char* value) {
  auto& query = static_cast<http_request*>(closure)->query;
  constexpr std::size_t most_parameters = 32;
  if (query.size() < most_parameters) query.emplace(key, value == nullptr ? "" : value);
  return MHD_YES;
}

/// The library hands out what it decodes as C strings: a NUL would cut off what is behind it, and leave another's id.
std::size_t unescape(void*, MHD_Connection*, char* text) {
  const std::size_t bytes = MHD_http_unescape(text);
  constexpr char never_in_an_id = '\x01';
  std::replace(text, text + bytes, '\0', never_in_an_id);
  return bytes;
}

MHD_Result collect_header(void* closure, MHD_ValueKind, const char* key, const char* value) {
  auto& head = *static_cast<request_head*>(closure);
  const std::pair<const char*, std::vector<std::string>*> wanted[]{
      {MHD_HTTP_HEADER_HOST, &head.hosts},
      {MHD_HTTP_HEADER_ORIGIN, &head.origins},
      {"Sec-Fetch-Site", &head.fetch_sites},
      {MHD_HTTP_HEADER_CONTENT_LENGTH, &head.content_lengths},
  };
  for (const auto& [name, values] : wanted) {
    if (::strcasecmp(key, name) == 0) values->emplace_back(value == nullptr ? "" : value);
  }
  if (::strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) head.has_transfer_encoding = true;
  return MHD_YES;
}

/// As `check_request` has let it through.
std::size_t announced_bytes(const request_head& head) {
  std::size_t bytes = 0;
  if (head.content_lengths.empty()) return bytes;
  const std::string& text = head.content_lengths.front();
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return failed == std::errc{} ? bytes : std::numeric_limits<std::size_t>::max();
}

int socket_of(MHD_Connection* connection) {
  const auto* known = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return known == nullptr ? -1 : known->connect_fd;
}

/// The page may run its own script and talk to us, and nothing else.
constexpr const char* page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void add_headers(MHD_Response* response, const http_answer& answer) {
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (!answer.allow.empty()) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer.allow.c_str());
  if (answer.retry_after > 0) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, std::to_string(answer.retry_after).c_str());
  }
  if (answer.content_type.starts_with("text/html")) {
    MHD_add_response_header(response, "Content-Security-Policy", page_policy);
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
  }
}

/// Without a copy: what many clients are answered with is there once.
MHD_Response* respond_with(std::shared_ptr<const std::string> body) {
  auto kept = std::make_unique<std::shared_ptr<const std::string>>(std::move(body));
  const std::string& text = **kept;
  MHD_Response* made = MHD_create_response_from_buffer_with_free_callback_cls(
      text.size(), const_cast<char*>(text.data()),
      [](void* closure) { delete static_cast<std::shared_ptr<const std::string>*>(closure); }, kept.get());
  if (made != nullptr) (void)kept.release();
  return made;
}

MHD_Result queue_answer(MHD_Connection* connection, http_answer answer, const std::shared_ptr<resumable>& waiting) {
  MHD_Response* response = nullptr;
  if (answer.stream) {
    auto reader = std::make_unique<stream_reader>(stream_reader{answer.stream, waiting});
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, stream_block_bytes, read_stream, reader.get(), free_stream);
    if (response != nullptr) (void)reader.release();
  } else {
    response = respond_with(answer.shared_body ? answer.shared_body
                                               : std::make_shared<const std::string>(std::move(answer.body)));
  }
  if (response == nullptr) return MHD_NO;
  add_headers(response, answer);
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

class http_server::implementation {
 public:
  implementation(http_handler handler, options settings)
      : handler_(std::move(handler)),
        settings_(std::move(settings)),
        deadlines_({settings_.limits.request, settings_.limits.answer}) {
    auto& allowed = settings_.allowed_uids;
    if (!allowed.empty()) allowed.insert(allowed.end(), {0u, static_cast<std::uint32_t>(::geteuid())});
  }

  ~implementation() {
    if (acceptor_) acceptor_->stop();
    if (daemon_ == nullptr) return;
    {
      std::unique_lock lock{mutex_};
      stopping_ = true;
      for (const auto& waiting : open_) waiting->close();
      // The library closes connections without sending what is due.
      completed_.wait_for(lock, farewell_timeout, [this] { return open_.empty(); });
    }
    MHD_stop_daemon(daemon_);
  }

  bool start(file_descriptor listening) {
    // The library's own accept spins where descriptors run out.
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    const auto most = static_cast<unsigned>(
        std::min(settings_.limits.connections, plan_descriptors(descriptor_limit()).http_connections));
    constexpr unsigned being_closed = 16;  // counted by the library, not by the acceptor
    daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &on_request, this,  //
                               MHD_OPTION_CONNECTION_LIMIT, most + being_closed, MHD_OPTION_CONNECTION_TIMEOUT,
                               static_cast<unsigned>(settings_.limits.idle.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                               settings_.limits.head_bytes + 2 * stream_block_bytes, MHD_OPTION_NOTIFY_COMPLETED,
                               &on_completed, this, MHD_OPTION_NOTIFY_CONNECTION, &on_connection, this,
                               MHD_OPTION_UNESCAPE_CALLBACK, &unescape, nullptr,  //
                               MHD_OPTION_END);
    if (daemon_ == nullptr) return false;
    try {
      acceptor_.emplace(std::move(listening), most,
                        [this](file_descriptor accepted, const sockaddr* peer, socklen_t peer_bytes) {
                          return MHD_add_connection(daemon_, accepted.release(), peer, peer_bytes) == MHD_YES;
                        });
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char* version, const char* upload, std::size_t* upload_bytes, void** state) {
    auto& server = *static_cast<implementation*>(self);
    try {
      if (*state == nullptr) return server.begin(connection, {version, method, url, {}, {}, {}, {}, false}, state);
      auto& one = *static_cast<exchange*>(*state);
      if (*upload_bytes > 0) {
        server.take_body(one, {upload, *upload_bytes});
        *upload_bytes = 0;
        return MHD_YES;
      }
      return server.answer(connection, one);
    } catch (const std::exception&) {
      return MHD_NO;  // no memory: this connection ends
    }
  }

  static void on_connection(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what) {
    auto& server = *static_cast<implementation*>(self);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) server.deadlines_.awaits_request(socket_of(connection));
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
      server.deadlines_.closes(socket_of(connection));
      server.acceptor_->connection_closed();
    }
  }

  static void on_completed(void* self, MHD_Connection* connection, void** state, MHD_RequestTerminationCode) {
    auto* one = static_cast<exchange*>(std::exchange(*state, nullptr));
    if (one == nullptr) return;
    one->waiting->forget_connection();
    auto& server = *static_cast<implementation*>(self);
    server.deadlines_.awaits_request(socket_of(connection));
    {
      const std::lock_guard lock{server.mutex_};
      server.open_.erase(one->waiting);
      server.completed_.notify_all();
    }
    delete one;
  }

  MHD_Result begin(MHD_Connection* connection, request_head head, void** state) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, &collect_header, &head);
    auto one = std::make_unique<exchange>(connection);
    checked_request checked = check_request(head, settings_.names);
    one->request.method = head.method;
    one->request.path = std::move(checked.path);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &collect_query, &one->request);
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return MHD_NO;
      open_.insert(one->waiting);
    }
    auto* kept = one.release();
    *state = kept;
    if (!is_allowed(connection)) {
      return refuse(connection, refusal(403, "your uid is not in [control] allow_uids"), *kept);
    }
    if (checked.refusal) return refuse(connection, *std::move(checked.refusal), *kept);
    if (announced_bytes(head) > settings_.limits.body_bytes) return refuse(connection, too_large(), *kept);
    return MHD_YES;
  }

  /// Before its body was read, which nobody wants any more: the connection ends.
  MHD_Result refuse(MHD_Connection* connection, http_answer refused, const exchange& one) {
    if (settings_.refused) settings_.refused();
    return send(connection, std::move(refused), one.waiting);
  }

  MHD_Result send(MHD_Connection* connection, http_answer answer, const std::shared_ptr<resumable>& waiting) {
    const int socket = socket_of(connection);
    answer.stream ? deadlines_.awaits_nothing(socket) : deadlines_.takes_answer(socket);
    return queue_answer(connection, std::move(answer), waiting);
  }

  void take_body(exchange& one, std::string_view bytes) const {
    if (one.body_too_large || one.request.body.size() + bytes.size() > settings_.limits.body_bytes) {
      one.body_too_large = true;
      one.request.body.clear();
      return;
    }
    one.request.body += bytes;
  }

  http_answer too_large() const {
    return refusal(413, "the body is longer than " + std::to_string(settings_.limits.body_bytes) + " bytes", {},
                   "send the fields of one cell and nothing else");
  }

  MHD_Result answer(MHD_Connection* connection, exchange& one) {
    deadlines_.awaits_nothing(socket_of(connection));
    if (auto ready = one.take_answer()) return send(connection, *std::move(ready), one.waiting);
    if (one.waiting->closing()) return send(connection, refusal_for_now("the daemon is stopping"), one.waiting);
    if (std::exchange(one.dispatched, true)) {
      one.waiting->suspend();
      return MHD_YES;
    }
    if (one.body_too_large) return send(connection, too_large(), one.waiting);
    handler_(std::move(one.request), [waiting = one.waiting, slot = one.answered](http_answer given) {
      {
        const std::lock_guard lock{slot->mutex};
        slot->answer = std::move(given);
      }
      waiting->resume();
    });
    // An answer that was there at once needs no detour.
    if (auto ready = one.take_answer()) return send(connection, *std::move(ready), one.waiting);
    one.waiting->suspend();
    return MHD_YES;
  }

  bool is_allowed(MHD_Connection* connection) const {
    const auto& allowed = settings_.allowed_uids;
    if (allowed.empty()) return true;
    const auto uid = peer_uid(socket_of(connection));
    return uid && std::find(allowed.begin(), allowed.end(), *uid) != allowed.end();
  }

  const http_handler handler_;
  options settings_;
  connection_deadlines deadlines_;
  MHD_Daemon* daemon_ = nullptr;
  std::optional<http_acceptor> acceptor_;
  std::mutex mutex_;
  std::condition_variable completed_;
  bool stopping_ = false;
  std::set<std::shared_ptr<resumable>> open_;
};

http_server::opening http_server::start(file_descriptor listening, http_handler handler, options settings) {
  auto made = std::make_unique<implementation>(std::move(handler), std::move(settings));
  if (!made->start(std::move(listening))) {
    return {nullptr,
            "the HTTP server cannot be started: threads or descriptors have run out; raise TasksMax= and LimitNOFILE= "
            "of the unit"};
  }
  opening opened;
  opened.server.reset(new http_server{std::move(made)});
  return opened;
}

http_server::http_server(std::unique_ptr<implementation> started) : implementation_(std::move(started)) {}

http_server::~http_server() = default;

}  // namespace cellos
