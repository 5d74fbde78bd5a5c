#include "tests/support/nats_server.hpp"

#include <arpa/inet.h>
#include <nats/nats.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "runtime/os/file_descriptor.hpp"
#include "tests/support/files.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

namespace {

std::string program_of_the_server() {
  for (const char* each : {"/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"}) {
    if (std::filesystem::exists(each)) return each;
  }
  throw std::runtime_error("there is no nats-server; install the package nats-server");
}

std::uint16_t free_port() {
  const file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), at, size) != 0 || ::getsockname(socket.get(), at, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

void require(natsStatus status, const char* what) {
  if (status == NATS_OK) return;
  const char* last = nats_GetLastError(nullptr);
  throw std::runtime_error(std::string{what} + ": " + natsStatus_GetText(status) + " " + (last ? last : ""));
}

/// A client of the test's own.
class client {
 public:
  explicit client(const nats_server& server) {
    require(natsConnection_ConnectTo(&connection_, server.url().c_str()), "connect");
    require(natsConnection_JetStream(&jetstream_, connection_, nullptr), "JetStream");
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() {
    jsCtx_Destroy(jetstream_);
    natsConnection_Destroy(connection_);
  }
  jsCtx* jetstream() { return jetstream_; }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* jetstream_ = nullptr;
};

std::string header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : "";
}

void put_stream(const nats_server& server, const stream_options& stream, bool is_new) {
  client with{server};
  const char* subject = stream.subject.c_str();
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = stream.name.c_str();
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Duplicates = stream.duplicate_window.count();
  config.Discard = js_DiscardNew;
  if (stream.max_bytes > 0) config.MaxBytes = stream.max_bytes;
  jsErrCode code{};
  require(is_new ? js_AddStream(nullptr, with.jetstream(), &config, nullptr, &code)
                 : js_UpdateStream(nullptr, with.jetstream(), &config, nullptr, &code),
          "stream");
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto line : lines_of(text)) lines.emplace_back(line);
  return lines;
}

}  // namespace

nats_server::nats_server(std::string further) : further_(std::move(further)), port_(free_port()) { start(); }

void nats_server::start() {
  const auto file = home_ / "nats.conf";
  write_file(file, "listen: \"127.0.0.1:" + std::to_string(port_) + "\"\njetstream { store_dir: \"" + store().string() +
                       "\" }\n" + further_);
  server_.emplace(command{.program = program_of_the_server(), .arguments = {"-c", file.string()}});
  server_->wait_for_line("Server is ready");
}

void nats_server::kill() {
  server_->send(SIGKILL);
  server_->wait();
}

void nats_server::cut_last_block(std::uintmax_t bytes) const {
  std::map<std::uint64_t, std::filesystem::path> blocks;
  for (const auto& each : std::filesystem::recursive_directory_iterator{store()}) {
    if (each.path().extension() == ".blk") blocks[std::stoull(each.path().stem().string())] = each.path();
  }
  if (blocks.empty()) throw std::runtime_error("the store has no block");
  const auto& last = blocks.rbegin()->second;
  const auto size = std::filesystem::file_size(last);
  std::filesystem::resize_file(last, size - std::min(size, bytes));
}

void create_stream(const nats_server& server, const stream_options& stream) { put_stream(server, stream, true); }
void update_stream(const nats_server& server, const stream_options& stream) { put_stream(server, stream, false); }

void publish(const nats_server& server, const std::string& subject, const std::string& content) {
  client with{server};
  jsErrCode code{};
  require(js_Publish(nullptr, with.jetstream(), subject.c_str(), content.data(), static_cast<int>(content.size()),
                     nullptr, &code),
          "publish");
}

stream_content read_stream(const nats_server& server, const std::string& name) {
  client with{server};
  jsErrCode code{};
  jsStreamInfo* info = nullptr;
  require(js_GetStreamInfo(&info, with.jetstream(), name.c_str(), nullptr, &code), "stream");
  const std::uint64_t count = info->State.Msgs;
  jsStreamInfo_Destroy(info);
  jsSubOptions options;
  jsSubOptions_Init(&options);
  options.Ordered = true;
  options.Stream = name.c_str();
  natsSubscription* subscription = nullptr;
  require(js_SubscribeSync(&subscription, with.jetstream(), ">", nullptr, &options, &code), "subscribe");
  stream_content content;
  constexpr std::int64_t longest_wait_ms = 5000;
  for (natsMsg* in = nullptr; content.messages.size() < count; natsMsg_Destroy(std::exchange(in, nullptr))) {
    require(natsSubscription_NextMsg(&in, subscription, longest_wait_ms), "next message");
    auto& message = content.messages.emplace_back();
    jsMsgMetaData* about = nullptr;
    require(natsMsg_GetMetaData(&about, in), "metadata");
    message.sequence = about->Sequence.Stream;
    jsMsgMetaData_Destroy(about);
    message.subject = natsMsg_GetSubject(in);
    message.id = header_of(in, "Nats-Msg-Id");
    message.content_type = header_of(in, "Content-Type");
    message.content.assign(natsMsg_GetData(in), static_cast<std::size_t>(natsMsg_GetDataLength(in)));
  }
  natsSubscription_Destroy(subscription);
  return content;
}

std::string stream_content::lines() const {
  std::string all;
  for (const message& each : messages) {
    if (each.content_type != "application/cloudevents-batch+json") {
      all += each.content + '\n';
      continue;
    }
    for (const std::string& line : split(each.content + '\n')) {
      if (line == "[" || line == "]") continue;
      all += (line.ends_with(',') ? line.substr(0, line.size() - 1) : line) + '\n';
    }
  }
  return all;
}

std::string compare_lines(const std::string& log, const std::string& stream) {
  const auto wanted = split(log);
  std::map<std::string_view, std::size_t> place;
  for (std::size_t i = 0; i < wanted.size(); ++i) place[wanted[i]] = i;
  std::vector<bool> seen(wanted.size());
  std::size_t doubled = 0;
  std::size_t out_of_order = 0;
  std::size_t foreign = 0;
  std::size_t newest = 0;
  for (const std::string& line : split(stream)) {
    const auto found = place.find(line);
    if (found == place.end()) {
      ++foreign;
      continue;
    }
    if (seen[found->second])
      ++doubled;
    else if (found->second < newest)
      ++out_of_order;
    seen[found->second] = true;
    newest = std::max(newest, found->second);
  }
  const auto missing = std::count(seen.begin(), seen.end(), false);
  return "missing " + std::to_string(missing) + ", doubled " + std::to_string(doubled) + ", out of order " +
         std::to_string(out_of_order) + ", foreign " + std::to_string(foreign);
}

}  // namespace cellos::test
