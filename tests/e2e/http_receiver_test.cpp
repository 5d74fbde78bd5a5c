#include <atomic>
#include <string>

#include "tests/support/daemon_process.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/http_receiver.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE http_receiver
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::uint64_t frames = 2000;

daemon_settings settings(const http_receiver& receiver, const std::string& further = "") {
  return {.cells = {{.id = "c1"}},
          .evidence = "fsync = '10ms'\n",
          .tables = "[forward.http]\nurl = '" + receiver.url() + "'\nbatched = true\n" + further};
}

std::string log_of(const daemon_home& home) {
  std::string all;
  for (const auto& [segment, text] : log_text_of(home.evidence_dir())) all += text;
  return all;
}

}  // namespace

CAF_TEST(a receiver has every line of a log whose host has stopped) {
  http_receiver receiver{[](std::size_t number, const http_receiver::request& asked) {
    if (number == 1 || number == 4) return http_receiver::answer{503, "", {{"Retry-After", "1"}}};
    return http_receiver::answer{asked.body.size() > 100'000 ? 413U : 204U};
  }};
  const daemon_home home{settings(receiver)};
  for (int life = 0; life < 2; ++life) {
    auto host = daemon_process::ready(home);
    simulate({.socket = home.socket_of("c1"), .frames = frames});
    CAF_REQUIRE(holds_within(test_timeout, [&] { return log_of(home).size() == receiver.lines().size(); }));
    CAF_CHECK_EQUAL(host.stop(), 0);
    CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 0u);
    CAF_CHECK(log_of(home) == receiver.lines());
  }
}

CAF_TEST(a line that is refused stops the delivery until a reload) {
  std::atomic<bool> is_mended{false};
  http_receiver receiver{
      [&](std::size_t, const http_receiver::request&) { return http_receiver::answer{is_mended ? 204U : 400U}; }};
  const daemon_home home{settings(receiver)};
  auto host = daemon_process::ready(home);
  const std::string said = host.wait_for_line("delivery_stopped");
  CAF_CHECK_NOT_EQUAL(said.find("at=1:0 "), std::string::npos);
  CAF_CHECK_NOT_EQUAL(said.find("HTTP 400; mend the receiver and reload"), std::string::npos);
  is_mended = true;
  host.reload();
  host.wait_for_line("receiver_reached");
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK(log_of(home) == receiver.lines());
}

CAF_TEST(what is sent as authorization has to be readable) {
  http_receiver receiver{[](std::size_t, const http_receiver::request&) { return http_receiver::answer{}; }};
  const daemon_home home{settings(receiver, "authorization_file = '/nowhere/auth'\n")};
  daemon_process host{home};
  CAF_CHECK_NOT_EQUAL(host.wait(), 0);
  CAF_CHECK_EQUAL(count_lines(host.err(), "/nowhere/auth cannot be read"), 1u);
}
