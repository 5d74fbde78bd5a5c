// What a server says that no server would, or somebody else in its place: none of it may end the daemon.

#include <chrono>
#include <optional>
#include <string>

#include "runtime/jetstream/nats_link.hpp"
#include "tests/support/hostile_nats_server.hpp"

#define CAF_SUITE hostile_server
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::string stream_info = "$JS.API.STREAM.INFO.S";
const std::string last_message = "$JS.API.STREAM.MSG.GET.S";
const std::string empty_stream =
    R"({"type":"io.nats.jetstream.api.v1.stream_info_response","config":{"name":"S","subjects":["p.>"]},)"
    R"("state":{"messages":0,"first_seq":1,"last_seq":0}})";
const std::string no_message = R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})";

struct client {
  explicit client(const hostile_nats_server& server) : link(settings(server), "host-a") { link.connect(1); }

  static jetstream_settings settings(const hostile_nats_server& server) {
    jetstream_settings wanted;
    wanted.servers = {server.url()};
    wanted.stream = "S";
    wanted.prefix = "p";
    return wanted;
  }
  /// The next of this kind, or of a loss.
  std::optional<link_event> next(link_event::kind what) {
    for (const auto until = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < until;) {
      for (auto& each : link.take_events(100ms)) {
        if (each.what == what || each.what == link_event::kind::lost) return each;
      }
    }
    return std::nullopt;
  }

  nats_link link;
};

stream_message one_line() {
  stream_message message;
  message.number = 7;
  message.subject = "p.host-a.c1";
  message.id = "host-a/1";
  message.content = "{}";
  return message;
}

}  // namespace

CAF_TEST(an_answer_without_a_configuration_is_a_loss) {
  hostile_nats_server server{{{stream_info, "{}"}, {last_message, no_message}}, ""};
  client asks{server};
  CAF_REQUIRE(asks.next(link_event::kind::connected));
  asks.link.ask_tail(1);
  const auto answer = asks.next(link_event::kind::found);
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK(answer->what == link_event::kind::lost);
  CAF_CHECK(answer->cause.find("configuration") != std::string::npos);
}

CAF_TEST(a_message_with_a_subject_of_somebody_elses_is_no_answer) {
  for (const char* strange :
       {"MSG x SID 2\r\n{}\r\n", "MSG _INBOX.somebody.else.that.is.longer.than.ours.7 SID 2\r\n{}\r\n"}) {
    hostile_nats_server server{{{stream_info, empty_stream}, {last_message, no_message}}, strange};
    client delivers{server};
    CAF_REQUIRE(delivers.next(link_event::kind::connected));
    delivers.link.ask_tail(1);
    const auto tail = delivers.next(link_event::kind::found);
    CAF_REQUIRE(tail && tail->what == link_event::kind::found);
    CAF_CHECK_EQUAL(tail->tail.refusal, "");
    delivers.link.publish(1, {one_line()});
    // Were it taken for an answer it would be there at once.
    bool is_answered = false;
    for (const auto until = std::chrono::steady_clock::now() + 500ms; std::chrono::steady_clock::now() < until;) {
      for (const auto& each : delivers.link.take_events(50ms)) {
        is_answered = is_answered || each.what == link_event::kind::answered;
      }
    }
    CAF_CHECK(!is_answered);
  }
}
