#include "runtime/http_forwarding/http_forwarder.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/http_forwarding/http_cursor_file.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/files.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/http_receiver.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE http_forwarder
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using note_kind = receiver_note::kind;

class noted_events final : public receiver_events {
 public:
  void noted(const receiver_note& note, std::string_view) override {
    const std::lock_guard guard{mutex_};
    notes_.push_back(note);
  }
  std::optional<receiver_note> first(note_kind kind) const {
    const std::lock_guard guard{mutex_};
    const auto found = std::ranges::find(notes_, kind, &receiver_note::what);
    if (found == notes_.end()) return std::nullopt;
    return *found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<receiver_note> notes_;
};

struct fixture {
  fixture() {
    std::filesystem::create_directory(dir / "log");
    append(30);
  }
  void append(int lines) {
    for (; lines > 0; --lines) {
      ++written;
      text += R"({"id":"host-a/)" + std::to_string(written) + R"(","data":{"text":"a, {\"b\": [1]}"}})" + "\n";
    }
    write_file(dir / "log" / segment_file_name(1), text);
  }
  void start(const std::string& url) {
    settings.dir = dir / "log";
    settings.receiver.url = url;
    const segment_position end{1, text.size()};
    forwarder = std::make_unique<http_forwarder>(settings, events, [end] { return end; });
  }
  receiver_note wait_for(note_kind kind) const {
    CAF_REQUIRE(holds_within(test_timeout, [&] { return events.first(kind).has_value(); }));
    return *events.first(kind);
  }
  static http_receiver::script always(unsigned status) {
    return [status](std::size_t, const http_receiver::request&) { return http_receiver::answer{status}; };
  }

  temporary_directory dir;
  std::string text;
  int written = 0;
  noted_events events;
  http_forwarder_settings settings;
  std::unique_ptr<http_forwarder> forwarder;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(http_forwarder_tests, fixture)

CAF_TEST(events_arrive_in_order_one_a_request) {
  http_receiver receiver{always(204)};
  write_file(dir / "auth", "Bearer secret\nsecond line\n");
  settings.receiver.authorization_file = dir / "auth";
  start(receiver.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(receiver.lines(), text);
  const auto requests = receiver.requests();
  CAF_REQUIRE_EQUAL(requests.size(), 30u);
  CAF_CHECK_EQUAL(requests[0].headers.at("content-type"), "application/cloudevents+json");
  CAF_CHECK_EQUAL(requests[0].headers.at("authorization"), "Bearer secret");
  CAF_CHECK_EQUAL(requests[0].path, "/events");
  CAF_CHECK(!requests[0].headers.contains("expect"));
}

CAF_TEST(a_batch_has_many_and_a_start_goes_on_behind_what_was_taken) {
  http_receiver receiver{always(200)};
  settings.receiver.batched = true;
  start(receiver.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  forwarder.reset();
  const auto requests = receiver.requests();
  CAF_CHECK_EQUAL(requests.size(), 1u);
  CAF_CHECK_EQUAL(requests[0].headers.at("content-type"), "application/cloudevents-batch+json");
  append(5);
  start(receiver.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(receiver.lines(), text);
  forwarder.reset();
  CAF_MESSAGE("another receiver gets all");
  http_receiver other{always(200)};
  start(other.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(other.lines(), text);
}

CAF_TEST(a_receiver_with_a_limit_gets_smaller_batches) {
  http_receiver receiver{[](std::size_t, const http_receiver::request& asked) {
    return http_receiver::answer{asked.body.size() > 500 ? 413U : 200U};
  }};
  settings.receiver.batched = true;
  start(receiver.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(receiver.lines(), text);
}

CAF_TEST(a_receiver_s_pause_is_kept_and_its_errors_are_no_loss) {
  std::optional<std::chrono::steady_clock::time_point> asked_at;
  std::chrono::nanoseconds waited{0};
  http_receiver receiver{[&](std::size_t number, const http_receiver::request&) {
    const auto now = std::chrono::steady_clock::now();
    if (number == 2) {
      asked_at = now;
      return http_receiver::answer{429, "slow down", {{"Retry-After", "1"}}};
    }
    if (number == 3) waited = now - *asked_at;
    return http_receiver::answer{number % 4 == 1 ? 500U : 200U};
  }};
  settings.receiver.batched = true;
  settings.receiver.batch_bytes = 1024;
  start(receiver.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(receiver.lines(), text);
  forwarder.reset();
  CAF_CHECK(waited >= 1s);
  const auto refused = wait_for(note_kind::refuses);
  CAF_CHECK_EQUAL(refused.cause, "HTTP 500");
}

CAF_TEST(a_refused_line_stops_it_until_it_is_asked_to_go_on) {
  std::atomic<bool> is_mended{false};
  http_receiver receiver{[&](std::size_t, const http_receiver::request& asked) {
    const bool has_it = asked.body.find("host-a/17\"") != std::string::npos;
    return http_receiver::answer{has_it && !is_mended ? 422U : 200U, "no such field\nat all"};
  }};
  settings.receiver.batched = true;
  start(receiver.url());
  const auto stopped = wait_for(note_kind::stopped);
  CAF_CHECK_NOT_EQUAL(stopped.cause.find("HTTP 422: no such field;"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(stopped.cause.find("\"host-a/17\""), std::string::npos);
  CAF_CHECK(text.substr(stopped.from.offset).starts_with("{\"id\":\"host-a/17\""));
  is_mended = true;
  forwarder->go_on();
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(receiver.lines(), text);
}

CAF_TEST(redirections_are_not_followed) {
  http_receiver elsewhere{always(200)};
  http_receiver receiver{[&](std::size_t, const http_receiver::request&) {
    return http_receiver::answer{307, "", {{"Location", elsewhere.url()}}};
  }};
  start(receiver.url());
  CAF_CHECK_NOT_EQUAL(wait_for(note_kind::stopped).cause.find("HTTP 307"), std::string::npos);
  CAF_CHECK(elsewhere.requests().empty());
}

CAF_TEST(a_receiver_that_is_not_there_is_waited_for_and_holds_up_no_end) {
  std::string url;
  {
    http_receiver gone{always(200)};
    url = gone.url();
  }
  start(url);
  const auto lost = wait_for(note_kind::lost);
  CAF_CHECK(!lost.cause.empty());
  const auto asked = std::chrono::steady_clock::now();
  forwarder.reset();
  CAF_CHECK(std::chrono::steady_clock::now() - asked < 5s);
}

CAF_TEST(a_receiver_is_believed_only_if_its_certificate_is) {
  const certificate_directory certificates;
  certificates.add_collector("receiver");
  http_receiver receiver{always(200), content_of(certificates / "receiver.pem"),
                         content_of(certificates / "receiver.key")};
  start(receiver.url());
  const auto lost = wait_for(note_kind::lost);
  CAF_CHECK_NOT_EQUAL(lost.cause.find("certificate"), std::string::npos);
  forwarder.reset();
  CAF_CHECK(receiver.requests().empty());
  settings.receiver.ca_file = certificates / "authority.pem";
  start(receiver.url());
  CAF_CHECK(forwarder->drain(test_timeout));
  CAF_CHECK_EQUAL(receiver.lines(), text);
}

CAF_TEST(a_cursor_is_read_as_it_was_written_and_nothing_else_is) {
  http_mark mark{{{3, 4567}, {}}, "https://r.example/in?q=1"};
  for (std::size_t i = 0; i < mark.reached.line_before.size(); ++i) {
    mark.reached.line_before[i] = static_cast<std::uint8_t>(i * 7);
  }
  CAF_CHECK(!read_http_mark(dir.path()));
  CAF_CHECK(!write_http_mark(dir.path(), mark));
  CAF_CHECK(read_http_mark(dir.path()) == std::optional{mark});
  const std::string good = content_of(dir / "delivered-over-http");
  for (const std::string& bad : {std::string{}, std::string{"x"}, good.substr(1), good.substr(0, good.size() - 1),
                                 good.substr(0, 20) + "\n", "3 -1" + good.substr(6)}) {
    write_file(dir / "delivered-over-http", bad);
    CAF_CHECK(read_http_mark(dir.path()) != std::optional{mark});
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
