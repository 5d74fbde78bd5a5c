// One connection's thread: connects, then does what it is asked for, and takes answers while there are any to come. All
// that libnats would do by itself it does not: reconnect, buffer while away, wait for acknowledgements. Each connection
// is a new one, and what is on its way when it ends is the delivery's concern.

#include "runtime/jetstream/nats_session.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/jetstream/nats_handles.hpp"
#include "runtime/jetstream/stream_inquiry.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

/// To connect, and for each thing that JetStream is asked. Within the delivery's answer_timeout; chosen here.
constexpr std::int64_t connect_ms = 2000;
constexpr std::int64_t ask_ms = 1500;
/// A server that does not take bytes for so long is lost.
constexpr std::int64_t write_ms = 2000;
/// Two of them unanswered are a loss.
constexpr std::int64_t ping_ms = 2000;
constexpr int most_pings = 2;
/// How long an idle connection waits before it looks whether it still lives.
constexpr milliseconds idle{50};
/// How long an answer is waited for before new commands have their turn.
constexpr milliseconds answer_wait{2};

std::string first_line_of(const std::filesystem::path& file, bool& is_read) {
  std::ifstream in{file};
  std::string line;
  is_read = static_cast<bool>(std::getline(in, line));
  return line;
}

}  // namespace

void nats_session::start() {
  try {
    std::thread{[self = shared_from_this()] { self->run(); }}.detach();
  } catch (const std::system_error& none) {
    lose(std::string{"no thread for a connection: "} + none.what());
    has_ended_ = true;
  }
}

void nats_session::ask_tail() {
  {
    const std::lock_guard guard{mutex_};
    commands_.emplace_back();
  }
  changed_.notify_all();
}

void nats_session::publish(std::vector<stream_message> messages) {
  {
    const std::lock_guard guard{mutex_};
    for (stream_message& each : messages) commands_.push_back({std::move(each)});
  }
  changed_.notify_all();
}

void nats_session::leave() {
  {
    const std::lock_guard guard{mutex_};
    is_left_ = true;
  }
  changed_.notify_all();
}

bool nats_session::ended(std::chrono::steady_clock::time_point until) {
  std::unique_lock guard{mutex_};
  return changed_.wait_until(guard, until, [this] { return has_ended_; });
}

void nats_session::run() {
  serve();
  close();
  nats_ReleaseThreadMemory();
  {
    const std::lock_guard guard{mutex_};
    has_ended_ = true;
  }
  changed_.notify_all();
}

void nats_session::lose(std::string cause) { events_->add({link_event::kind::lost, number_, std::move(cause)}); }

void nats_session::serve() {
  if (std::string refused = connect(); !refused.empty()) return lose(std::move(refused));
  events_->add({link_event::kind::connected, number_});
  for (;;) {
    const auto commands = take_commands(unanswered_ > 0 ? milliseconds{0} : idle);
    {
      const std::lock_guard guard{mutex_};
      if (is_left_) return;
    }
    if (natsConnection_IsClosed(connection_)) {
      const char* why = nullptr;
      const auto status = natsConnection_GetLastError(connection_, &why);
      return lose(why != nullptr && *why != '\0' ? why : natsStatus_GetText(status));
    }
    for (const command& each : commands) {
      if (!carry_out(each)) return;
    }
    while (unanswered_ > 0 && take_answer(answer_wait)) {}
  }
}

std::vector<nats_session::command> nats_session::take_commands(milliseconds at_most) {
  std::unique_lock guard{mutex_};
  changed_.wait_for(guard, at_most, [this] { return is_left_ || !commands_.empty(); });
  return std::exchange(commands_, {});
}

std::string nats_session::set_security(natsOptions* options) {
  const jetstream_settings& wanted = settings_->stream;
  const auto fails = [](const std::filesystem::path& file, natsStatus status) {
    return file.native() + ": " + failure_of(status);
  };
  const auto& server = wanted.servers[number_ % wanted.servers.size()];
  if (server.starts_with("tls://")) {
    if (const auto status = natsOptions_SetSecure(options, true); status != NATS_OK) return failure_of(status);
  }
  if (!wanted.ca_file.empty()) {
    const auto status = natsOptions_LoadCATrustedCertificates(options, wanted.ca_file.c_str());
    if (status != NATS_OK) return fails(wanted.ca_file, status);
  }
  if (!wanted.certificate_file.empty()) {
    const auto status =
        natsOptions_LoadCertificatesChain(options, wanted.certificate_file.c_str(), wanted.key_file.c_str());
    if (status != NATS_OK) return fails(wanted.certificate_file, status);
  }
  if (!wanted.credentials_file.empty()) {
    const auto status = natsOptions_SetUserCredentialsFromFiles(options, wanted.credentials_file.c_str(), nullptr);
    if (status != NATS_OK) return fails(wanted.credentials_file, status);
  }
  if (!wanted.user.empty()) {
    bool is_read = false;
    const std::string password = first_line_of(wanted.password_file, is_read);
    if (!is_read) return wanted.password_file.native() + ": cannot be read";
    const auto status = natsOptions_SetUserInfo(options, wanted.user.c_str(), password.c_str());
    if (status != NATS_OK) return failure_of(status);
  }
  return {};
}

std::string nats_session::connect() {
  owned_options options;
  if (const auto status = natsOptions_Create(&options); status != NATS_OK) return failure_of(status);
  const auto& servers = settings_->stream.servers;
  const std::string name = "cellos-telemetryd " + settings_->host_id;
  natsOptions* const with = options.get();
  for (const auto status :
       {natsOptions_SetURL(with, servers[number_ % servers.size()].c_str()), natsOptions_SetName(with, name.c_str()),
        natsOptions_SetTimeout(with, connect_ms), natsOptions_SetAllowReconnect(with, false),
        natsOptions_SetIgnoreDiscoveredServers(with, true), natsOptions_SetPingInterval(with, ping_ms),
        natsOptions_SetMaxPingsOut(with, most_pings), natsOptions_SetWriteDeadline(with, write_ms)}) {
    if (status != NATS_OK) return failure_of(status);
  }
  if (std::string refused = set_security(with); !refused.empty()) return refused;
  if (const auto status = natsConnection_Connect(&connection_, with); status != NATS_OK) return failure_of(status);
  jsOptions wait;
  jsOptions_Init(&wait);
  wait.Wait = ask_ms;
  auto status = natsConnection_JetStream(&jetstream_, connection_, &wait);
  natsInbox* inbox = nullptr;
  if (status == NATS_OK) status = natsInbox_Create(&inbox);
  if (status == NATS_OK) {
    inbox_ = std::string{inbox} + '.';
    status = natsConnection_SubscribeSync(&answers_, connection_, (inbox_ + '*').c_str());
  }
  natsInbox_Destroy(inbox);
  return status == NATS_OK ? "" : failure_of(status);
}

void nats_session::close() {
  natsSubscription_Destroy(std::exchange(answers_, nullptr));
  jsCtx_Destroy(std::exchange(jetstream_, nullptr));
  natsConnection_Destroy(std::exchange(connection_, nullptr));
}

/// False once the connection is of no use.
bool nats_session::carry_out(const command& what) {
  if (what.message) return publish_one(*what.message);
  std::string failure;
  auto found = stream_inquiry{jetstream_, *settings_}.tail(failure);
  if (!found) {
    lose(std::move(failure));
    return false;
  }
  link_event event{link_event::kind::found, number_};
  event.tail = std::move(*found);
  events_->add(std::move(event));
  return true;
}

bool nats_session::publish_one(const stream_message& message) {
  const std::string reply = inbox_ + std::to_string(message.number);
  const std::string expected = std::to_string(message.expected);
  const std::string place = to_text(message.place);
  owned_message out;
  auto status = natsMsg_Create(&out, message.subject.c_str(), reply.c_str(), message.content.data(),
                               static_cast<int>(message.content.size()));
  const std::pair<const char*, const char*> headers[]{
      {stream_headers::content_type, message.is_batch ? stream_headers::batch_type : stream_headers::event_type},
      {stream_headers::message_id, message.id.c_str()},
      {stream_headers::expected_stream, settings_->stream.stream.c_str()},
      {message.is_batch ? stream_headers::expected_subject_sequence : stream_headers::expected_sequence,
       expected.c_str()},
      {stream_headers::log_position, place.c_str()}};
  for (const auto& [name, value] : headers) {
    if (status == NATS_OK && *value != '\0') status = natsMsgHeader_Set(out.get(), name, value);
  }
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection_, out.get());
  if (status == NATS_OK) {
    ++unanswered_;
    return true;
  }
  if (status == NATS_MAX_PAYLOAD) {
    link_event event{link_event::kind::answered, number_};
    event.number = message.number;
    event.answer.text = "larger than the server's max_payload";
    events_->add(std::move(event));
    return true;
  }
  lose(failure_of(status));
  return false;
}

/// False if there is none for now.
bool nats_session::take_answer(milliseconds at_most) {
  owned_message in;
  if (natsSubscription_NextMsg(&in, answers_, at_most.count()) != NATS_OK) return false;
  const std::string_view subject = natsMsg_GetSubject(in.get());
  // libnats believes the server which subscription it is for.
  if (!subject.starts_with(inbox_)) return true;
  --unanswered_;
  link_event event{link_event::kind::answered, number_};
  event.number = std::strtoull(subject.substr(inbox_.size()).data(), nullptr, 10);
  if (natsMsg_IsNoResponders(in.get())) {
    event.answer.text = "no stream takes this subject, or JetStream is not enabled";
  } else {
    event.answer =
        parse_stream_answer({natsMsg_GetData(in.get()), static_cast<std::size_t>(natsMsg_GetDataLength(in.get()))});
  }
  events_->add(std::move(event));
  return true;
}

}  // namespace cellos
