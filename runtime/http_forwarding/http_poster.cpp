#include "runtime/http_forwarding/http_poster.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace cellos {

namespace {

constexpr long connect_ms = 3000;
/// A whole request; below the delivery's own limit.
constexpr long request_ms = 10'000;
/// Of what a receiver says to a refusal, for the operator.
constexpr std::size_t longest_text = 200;
/// A longer answer is not read to its end.
constexpr std::size_t longest_answer = std::size_t{64} << 10;
/// How long the end of the poster waits for its thread.
constexpr std::chrono::milliseconds farewell{2500};

struct received {
  std::string text;
  std::size_t bytes = 0;
};

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& answer = *static_cast<received*>(into);
  const std::size_t length = size * count;
  answer.bytes += length;
  if (answer.bytes > longest_answer) return 0;
  if (answer.text.size() < longest_text) answer.text.append(bytes, std::min(length, longest_text - answer.text.size()));
  return length;
}

/// Not 0: the request is given up.
int on_progress(void* given_up, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(given_up)->load() ? 1 : 0;
}

/// Once in a process, before there is a second thread that uses libcurl.
bool has_curl() {
  static const bool is_there = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return is_there;
}

using header_list = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;
using curl_handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

void add_header(header_list& headers, const std::string& header) {
  headers.reset(curl_slist_append(headers.release(), header.c_str()));
}

/// Empty if everything was taken.
std::string configure(CURL* curl, const http_settings& settings) {
  const auto set = [curl](CURLoption option, auto value) { return curl_easy_setopt(curl, option, value); };
  for (const CURLcode code :
       {set(CURLOPT_URL, settings.url.c_str()), set(CURLOPT_PROTOCOLS_STR, "http,https"), set(CURLOPT_NOSIGNAL, 1L),
        set(CURLOPT_FOLLOWLOCATION, 0L), set(CURLOPT_SSL_VERIFYPEER, 1L), set(CURLOPT_SSL_VERIFYHOST, 2L),
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)), set(CURLOPT_NOPROXY, "*"),
        set(CURLOPT_CONNECTTIMEOUT_MS, connect_ms), set(CURLOPT_TIMEOUT_MS, request_ms), set(CURLOPT_NOPROGRESS, 0L),
        set(CURLOPT_USERAGENT, "cellos-telemetryd"), set(CURLOPT_XFERINFOFUNCTION, &on_progress),
        set(CURLOPT_WRITEFUNCTION, &on_body)}) {
    if (code != CURLE_OK) return curl_easy_strerror(code);
  }
  CURLcode code = CURLE_OK;
  if (!settings.ca_file.empty()) code = set(CURLOPT_CAINFO, settings.ca_file.c_str());
  if (code == CURLE_OK && !settings.certificate_file.empty()) {
    code = set(CURLOPT_SSLCERT, settings.certificate_file.c_str());
    if (code == CURLE_OK) code = set(CURLOPT_SSLKEY, settings.key_file.c_str());
  }
  return code == CURLE_OK ? "" : curl_easy_strerror(code);
}

}  // namespace

/// The thread's and the poster's: whichever lives longer keeps it.
struct http_poster::worker {
  explicit worker(std::shared_ptr<const http_settings> wanted) : settings(std::move(wanted)) {}

  void run() {
    serve();
    {
      const std::lock_guard guard{mutex};
      has_left = true;
    }
    changed.notify_all();
  }

  void serve() {
    const curl_handle curl{has_curl() ? curl_easy_init() : nullptr, &curl_easy_cleanup};
    const std::string refused = curl ? configure(curl.get(), *settings) : "libcurl cannot be used";
    for (;;) {
      std::optional<event_post> request;
      {
        std::unique_lock guard{mutex};
        changed.wait(guard, [this] { return has_ended || next; });
        if (has_ended) return;
        request = std::exchange(next, std::nullopt);
      }
      posted done{request->number, {}};
      if (refused.empty())
        done.answer = post(curl.get(), *request);
      else
        done.answer.text = refused;
      {
        const std::lock_guard guard{mutex};
        answer = std::move(done);
      }
      changed.notify_all();
    }
  }

  post_answer post(CURL* curl, const event_post& request) {
    post_answer out;
    header_list headers{nullptr, &curl_slist_free_all};
    add_header(headers, request.is_batch ? "Content-Type: application/cloudevents-batch+json"
                                         : "Content-Type: application/cloudevents+json");
    // libcurl would ask first, and wait, before each larger body.
    add_header(headers, "Expect:");
    // Read each time, so that one that is replaced counts.
    if (!settings->authorization_file.empty()) {
      std::ifstream in{settings->authorization_file};
      std::string line;
      if (!std::getline(in, line)) {
        out.text = settings->authorization_file.native() + ": cannot be read";
        return out;
      }
      add_header(headers, "Authorization: " + line);
    }
    received body;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &given_up);
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    // An answer that is too long is one all the same.
    const bool has_answer = code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0);
    if (!has_answer) {
      out.text = curl_easy_strerror(code);
      return out;
    }
    out.status = static_cast<int>(status);
    out.text = body.text.substr(0, body.text.find_first_of("\r\n"));
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    out.retry_after = std::chrono::seconds{retry_after};
    return out;
  }

  const std::shared_ptr<const http_settings> settings;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<event_post> next;
  std::optional<posted> answer;
  /// From a post until its answer is taken.
  bool is_busy = false;
  bool has_ended = false;
  bool has_left = false;
  std::atomic<bool> given_up{false};
};

http_poster::http_poster(const http_settings& settings) : settings_(std::make_shared<const http_settings>(settings)) {
  (void)has_curl();
}

http_poster::~http_poster() {
  if (!worker_) return;
  std::unique_lock guard{worker_->mutex};
  worker_->has_ended = true;
  worker_->given_up = true;
  worker_->changed.notify_all();
  worker_->changed.wait_for(guard, farewell, [this] { return worker_->has_left; });
}

void http_poster::post(event_post request) {
  bool is_free = false;
  if (worker_) {
    const std::lock_guard guard{worker_->mutex};
    is_free = !worker_->next && !worker_->is_busy && !worker_->has_left;
  }
  if (!is_free) {
    if (worker_) {
      const std::lock_guard guard{worker_->mutex};
      worker_->has_ended = worker_->given_up = true;
      worker_->changed.notify_all();
    }
    worker_ = std::make_shared<worker>(settings_);
    try {
      std::thread{[its = worker_] { its->run(); }}.detach();
    } catch (const std::system_error& none) {
      worker_->answer = posted{request.number, {0, std::string{"no thread for a request: "} + none.what(), {}}};
      worker_->has_left = true;
      return;
    }
  }
  {
    const std::lock_guard guard{worker_->mutex};
    worker_->next = std::move(request);
    worker_->is_busy = true;
  }
  worker_->changed.notify_all();
}

std::optional<http_poster::posted> http_poster::take_answer(std::chrono::milliseconds at_most) {
  if (!worker_) {
    std::this_thread::sleep_for(at_most);
    return std::nullopt;
  }
  std::unique_lock guard{worker_->mutex};
  worker_->changed.wait_for(guard, at_most, [this] { return worker_->answer.has_value(); });
  if (!worker_->answer) return std::nullopt;
  worker_->is_busy = false;
  return std::exchange(worker_->answer, std::nullopt);
}

}  // namespace cellos
