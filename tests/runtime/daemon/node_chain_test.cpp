#include "runtime/daemon/node_chain.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "tests/support/wait.hpp"

#define CAF_SUITE node_chain
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// A log that refuses while its disk is full.
struct fixture {
  void open() {
    chain.opened(
        [this](const joint_append_ptr& what) {
          const std::lock_guard guard{mutex};
          numbers.push_back(what->number);
          if (is_full) return std::make_error_code(std::errc::no_space_on_device);
          for (const host_statement& each : what->behind) {
            appended.push_back(std::get<seen_host>(*std::get<node_statement_ptr>(each)).host_id);
          }
          return std::error_code{};
        },
        [this](std::error_code) { ++refusals; });
  }
  std::size_t appends() {
    const std::lock_guard guard{mutex};
    return appended.size();
  }
  std::size_t attempts() {
    const std::lock_guard guard{mutex};
    return numbers.size();
  }
  void set_full(bool full) {
    const std::lock_guard guard{mutex};
    is_full = full;
  }

  std::mutex mutex;
  bool is_full = false;
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> appended;
  std::atomic<int> refusals = 0;
  node_chain chain;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(node_chain_tests, fixture)

CAF_TEST(what is said before it is open is appended then and in order) {
  chain.say({seen_host{"a"}, seen_host{"b"}});
  chain.say({seen_host{"c"}});
  CAF_CHECK(!chain.is_idle());
  open();
  CAF_CHECK(holds_within(10s, [&] { return chain.is_idle(); }));
  chain.closed();
  CAF_CHECK(appended == (std::vector<std::string>{"a", "b", "c"}));
  CAF_CHECK(!chain.is_idle());
}

CAF_TEST(a full disk is reported once and asked again under the same number) {
  set_full(true);
  open();
  chain.say({seen_host{"a"}});
  CAF_CHECK(holds_within(10s, [&] { return attempts() >= 2; }));
  CAF_CHECK_EQUAL(refusals.load(), 1);
  CAF_CHECK(!chain.is_idle());
  set_full(false);
  CAF_CHECK(holds_within(10s, [&] { return chain.is_idle(); }));
  chain.closed();
  CAF_CHECK(appended == std::vector<std::string>{"a"});
  for (const std::uint64_t number : numbers) CAF_CHECK_EQUAL(number, 1u);
}

CAF_TEST(the last words are in the log when it is closed and a full disk holds nobody up) {
  open();
  chain.before_close([this] { chain.say({seen_host{"last"}}); });
  chain.closed();
  CAF_CHECK(appended == std::vector<std::string>{"last"});
  set_full(true);
  open();
  chain.say({seen_host{"lost"}});
  chain.closed();
  CAF_CHECK_EQUAL(appends(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
