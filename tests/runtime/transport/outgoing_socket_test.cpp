#include "runtime/transport/outgoing_socket.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <string>
#include <variant>

#include "runtime/transport/socket_address.hpp"
#include "tests/support/network_wire.hpp"
#include "tests/support/wait.hpp"

// ctest: SKIP_REGULAR_EXPRESSION skipped:
#define CAF_SUITE outgoing_socket
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

/// Of a network that has no way to it.
constexpr const char* address = "10.77.99.2";
constexpr std::uint16_t port = 7440;

struct attempt {
  std::variant<file_descriptor, std::string> result;
  steady::duration took{};
};

attempt try_for(std::chrono::milliseconds limit, int stop) {
  const auto began = steady::now();
  const auto found = std::get<0>(resolve(address, port));
  auto result = connect_to_any(found, stop, began + limit);
  return {std::move(result), steady::now() - began};
}

bool skipped() {
  const std::string why = network_namespace::why_not();
  if (!why.empty()) CAF_MESSAGE("skipped: " << why);
  return !why.empty();
}

}  // namespace

CAF_TEST(a network that is away has until the deadline to come back) {
  if (skipped()) return;
  const network_namespace alone;
  const file_descriptor stop{::eventfd(0, EFD_CLOEXEC)};
  attempt away;
  alone.inside([&] { away = try_for(600ms, stop.get()); });
  CAF_CHECK(away.took >= 600ms);
  CAF_REQUIRE(std::holds_alternative<std::string>(away.result));
  CAF_CHECK_EQUAL(std::get<std::string>(away.result).find("no answer in time"), 0u);
}

CAF_TEST(and is used as soon as it is back) {
  if (skipped()) return;
  const network_namespace alone;
  const file_descriptor stop{::eventfd(0, EFD_CLOEXEC)};
  file_descriptor listener;
  alone.inside([&] { listener = std::get<0>(listen_on(std::get<0>(resolve("0.0.0.0", port)).front())); });
  auto answer = std::async(std::launch::async, [&] {
    attempt made;
    alone.inside([&] { made = try_for(test_timeout, stop.get()); });
    return made;
  });
  CAF_CHECK(answer.wait_for(300ms) == std::future_status::timeout);
  alone.ip({"addr", "add", std::string{address} + "/32", "dev", "lo"});
  const attempt back = answer.get();
  CAF_CHECK(std::holds_alternative<file_descriptor>(back.result));
  CAF_CHECK(back.took < test_timeout);
}

CAF_TEST(who stops meanwhile is not waited for) {
  if (skipped()) return;
  const network_namespace alone;
  const file_descriptor stop{::eventfd(1, EFD_CLOEXEC)};
  attempt ended;
  alone.inside([&] { ended = try_for(test_timeout, stop.get()); });
  CAF_CHECK(ended.took < 5s);
  CAF_CHECK_EQUAL(std::get<std::string>(ended.result), "this node stops");
}
