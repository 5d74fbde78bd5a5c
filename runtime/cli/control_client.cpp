#include "runtime/cli/control_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/os/socket_path.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

constexpr const char* elsewhere = "--socket or CELLOS_TELEMETRY_SOCKET names another socket";
constexpr const char* packaged_socket = "/run/cellos-telemetry/control.sock";
/// An answer may wait for a cell that drains; the daemon itself gives up before. Chosen here.
constexpr long answer_seconds = 90;
/// Of one text in an answer that is shown.
constexpr std::size_t most_bytes = 1024;

std::size_t append_body(char* bytes, std::size_t size, std::size_t count, void* closure) {
  static_cast<std::string*>(closure)->append(bytes, size * count);
  return size * count;
}

struct following {
  CURL* handle;
  std::function<bool(std::string_view)> take;
  std::string refusal;
};

std::size_t pass_on(char* bytes, std::size_t size, std::size_t count, void* closure) {
  auto& follower = *static_cast<following*>(closure);
  long status = 0;
  ::curl_easy_getinfo(follower.handle, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    follower.refusal.append(bytes, size * count);
    return size * count;
  }
  return follower.take({bytes, size * count}) ? size * count : CURL_WRITEFUNC_ERROR;
}

std::string unreachable(const std::string& socket, CURLcode failed, long os_error) {
  const std::string at = "\"" + escaped(socket, 256) + "\"";
  if (failed != CURLE_COULDNT_CONNECT) return fmt::format("no answer from {}: {}", at, ::curl_easy_strerror(failed));
  if (os_error == EACCES) return fmt::format("you may not connect to {}: see [control] mode, owner and group", at);
  const auto why = std::error_code{static_cast<int>(os_error), std::system_category()}.message();
  return fmt::format("cellos-telemetryd cannot be reached at {}{}; is it running? {}", at,
                     os_error == 0 ? "" : ": " + why, elsewhere);
}

}  // namespace

control_client::control_client(std::string socket) : socket_(std::move(socket)) {
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  handle_ = ready == CURLE_OK ? ::curl_easy_init() : nullptr;
  if (handle_ == nullptr) throw std::runtime_error{"libcurl cannot be used"};
}

control_client::~control_client() { ::curl_easy_cleanup(handle_); }

std::optional<control_answer> control_client::ask(const char* method, const std::string& path,
                                                  const std::string& body) {
  ::curl_easy_reset(handle_);
  control_answer answer;
  ::curl_easy_setopt(handle_, CURLOPT_TIMEOUT, answer_seconds);
  ::curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &append_body);
  ::curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &answer.body);
  if (!body.empty()) {
    ::curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    ::curl_easy_setopt(handle_, CURLOPT_COPYPOSTFIELDS, body.c_str());
  }
  const auto performed = perform(method, path);
  if (!performed) return std::nullopt;
  answer.status = performed->status;
  return answer;
}

std::optional<control_answer> control_client::follow(const std::string& path,
                                                     std::function<bool(std::string_view)> take) {
  ::curl_easy_reset(handle_);
  following follower{handle_, std::move(take), {}};
  ::curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &pass_on);
  ::curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &follower);
  auto performed = perform("GET", path);
  // A stream that was begun and is cut off has ended, however it was cut off.
  long status = 0;
  ::curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  if (!performed && status == 200) performed = control_answer{status, {}};
  if (performed) performed->body = std::move(follower.refusal);
  return performed;
}

std::optional<control_answer> control_client::perform(const char* method, const std::string& path) {
  if (socket_.size() > longest_socket_path) {
    problem_ = fmt::format("\"{}\" is {} bytes long, and a socket path has at most {}; {}", escaped(socket_, 256),
                           socket_.size(), longest_socket_path, elsewhere);
    return std::nullopt;
  }
  const std::string url = "http://localhost" + path;
  ::curl_easy_setopt(handle_, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  ::curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
  // A cell may be called "..".
  ::curl_easy_setopt(handle_, CURLOPT_PATH_AS_IS, 1L);
  ::curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, method);
  ::curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  // Whatever a proxy variable says: this never leaves the host.
  ::curl_easy_setopt(handle_, CURLOPT_PROXY, "");
  const CURLcode outcome = ::curl_easy_perform(handle_);
  control_answer answer;
  ::curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &answer.status);
  if (outcome == CURLE_OK || outcome == CURLE_WRITE_ERROR) return answer;
  long os_error = 0;
  ::curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &os_error);
  problem_ = unreachable(socket_, outcome, os_error);
  return std::nullopt;
}

std::string control_client::escape(const std::string& text) {
  char* made = ::curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
  std::string out = made == nullptr ? std::string{} : made;
  ::curl_free(made);
  return out;
}

void add_socket_option(CLI::App& app, std::string& socket) {
  socket = packaged_socket;
  app.add_option("--socket", socket, "The daemon's control socket")
      ->envname("CELLOS_TELEMETRY_SOCKET")
      ->capture_default_str();
}

exit_code complain_unreachable(const control_client& client) {
  std::fprintf(stderr, "cellos-telemetryctl: %s\n", client.problem().c_str());
  return exit_unavailable;
}

exit_code complain_refused(const control_answer& answer) {
  const auto words = [](const json& object, const char* key) {
    const auto member = object.find(key);
    return member != object.end() && member->is_string() ? escaped(member->get<std::string>(), most_bytes, "\"")
                                                         : text_of(object, key);
  };
  const json refused = json::parse(answer.body, nullptr, false);
  if (!refused.is_object() || !refused.contains("error")) {
    std::fprintf(stderr, "cellos-telemetryctl: the daemon answers %ld\n", answer.status);
    return exit_failure_found;
  }
  const std::string hint = refused.contains("hint") ? "; " + words(refused, "hint") : "";
  std::fprintf(stderr, "cellos-telemetryctl: %s%s\n", words(refused, "error").c_str(), hint.c_str());
  if (const auto errors = refused.find("errors"); errors != refused.end() && errors->is_array()) {
    for (const json& each : *errors) {
      std::fprintf(stderr, "%s:%s:%s: %s: %s; %s\n", words(each, "file").c_str(), words(each, "line").c_str(),
                   words(each, "column").c_str(), words(each, "key").c_str(), words(each, "problem").c_str(),
                   words(each, "remedy").c_str());
    }
  }
  return exit_failure_found;
}

std::optional<json> fetch(control_client& client, const std::string& path, exit_code& failed, long also) {
  const auto answer = client.ask("GET", path);
  if (!answer) {
    failed = complain_unreachable(client);
    return std::nullopt;
  }
  json body = json::parse(answer->body, nullptr, false);
  if ((answer->is_good() || answer->status == also) && body.is_object()) return body;
  failed = complain_refused(*answer);
  return std::nullopt;
}

std::string text_of(const json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || member->is_null()) return "-";
  return escaped(member->is_string() ? member->get<std::string>() : member->dump(), most_bytes);
}

std::string vmm_of(const json& cell) { return text_of(cell.value("host_saw", json::object()), "vmm"); }

std::uint64_t count_of(const json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_number_unsigned() ? member->get<std::uint64_t>() : 0;
}

std::uint64_t refused_of(const json& totals) {
  const json refused = totals.value("refused", json::object());
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : refused.items()) sum += count_of(refused, kind.c_str());
  return sum;
}

}  // namespace cellos::cli
