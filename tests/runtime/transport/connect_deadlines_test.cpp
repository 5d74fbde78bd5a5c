// ctest: TIMEOUT 120
#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "runtime/transport/socket_address.hpp"
#include "tests/runtime/transport/fleet_node.hpp"
#include "tests/runtime/transport/raw_peer.hpp"
#include "tests/runtime/transport/test_authority.hpp"

#define CAF_SUITE connect_deadlines
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  test_authority authority;
  tls_settings collector_files = authority.collector("collector-a");
  tls_settings host_files = authority.host("host-a");
};

/// Listens and never accepts.
struct deaf_listener {
  file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<file_descriptor> waiting;

  explicit deaf_listener(int backlog) {
    const auto address = std::get<0>(resolve("127.0.0.1", 0)).front();
    ::bind(socket.get(), address.get(), address.size);
    ::listen(socket.get(), backlog);
  }
  std::uint16_t port() const { return address_of(socket.get()).port(); }

  /// From here on the kernel drops who wants to connect, as a black hole does.
  void fill() {
    const auto address = address_of(socket.get());
    for (int i = 0; i < 8; ++i) {
      file_descriptor one{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
      ::connect(one.get(), address.get(), address.size);
      waiting.push_back(std::move(one));
    }
  }
};

template <class Action>
std::chrono::milliseconds time_of(Action action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

bool has(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) CAF_MESSAGE("said: " << text);
  return found;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(connect_deadlines_tests, fixture)

CAF_TEST(a_black_hole_is_left_after_two_seconds_and_nobody_waits_behind_it) {
  deaf_listener hole{0};
  hole.fill();
  greeting_collector collector{collector_files};
  greeting_host host{host_files};
  std::promise<transport_connector::connected> promise;
  auto answer = promise.get_future();
  const auto took = time_of([&] {
    host.connector->connect({.host = "127.0.0.1", .port = hole.port()},
                            [&](transport_connector::connected done) { promise.set_value(std::move(done)); });
    const auto beside = time_of([&] { CAF_CHECK_EQUAL(host.failure(collector.place()), ""); });
    CAF_CHECK_LESS(beside, 1800ms);
    const auto result = answer.get();
    CAF_REQUIRE(std::holds_alternative<std::string>(result));
    CAF_CHECK(
        has(std::get<std::string>(result), place_text("127.0.0.1", hole.port()) + ": no answer in time; see that"));
  });
  CAF_CHECK_GREATER_OR_EQUAL(took, 1900ms);
  CAF_CHECK_LESS(took, 4000ms);
}

CAF_TEST(who_accepts_and_says_nothing_is_left_after_two_seconds) {
  deaf_listener mute{16};
  greeting_host host{host_files};
  const auto took = time_of([&] {
    CAF_CHECK(has(host.failure({.host = "127.0.0.1", .port = mute.port()}), "TLS was not answered in time; see that"));
  });
  CAF_CHECK_GREATER_OR_EQUAL(took, 1900ms);
  CAF_CHECK_LESS(took, 4000ms);
}

CAF_TEST(who_speaks_no_tls_is_left_at_once) {
  greeting_host host{host_files};
  deaf_listener plain{16};
  std::promise<std::string> promise;
  auto answer = promise.get_future();
  host.connector->connect({.host = "127.0.0.1", .port = plain.port()}, [&](transport_connector::connected done) {
    promise.set_value(std::holds_alternative<std::string>(done) ? std::get<std::string>(done) : "connected");
  });
  const file_descriptor accepted{::accept4(plain.socket.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  const std::string greeting = "220 mail.example ESMTP\r\n";
  ::send(accepted.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL);
  CAF_CHECK(has(answer.get(), "the TLS handshake failed (wrong version number); see that a collector listens there"));
}

CAF_TEST(a_name_that_is_none_is_said) {
  greeting_host host{host_files};
  CAF_CHECK(has(host.failure({.host = "collector.invalid", .port = 1}), "collector.invalid:1: the name cannot be"));
}

CAF_TEST(a_connector_that_goes_waits_for_nobody) {
  deaf_listener hole{0};
  hole.fill();
  std::promise<bool> promise;
  auto answer = promise.get_future();
  const auto took = time_of([&] {
    greeting_host host{host_files};
    host.connector->connect({.host = "127.0.0.1", .port = hole.port()}, [&](transport_connector::connected done) {
      promise.set_value(std::holds_alternative<std::string>(done));
    });
  });
  CAF_CHECK(answer.get());
  CAF_CHECK_LESS(took, 1800ms);
}

CAF_TEST_FIXTURE_SCOPE_END()
