#include "runtime/control/shared_answers.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "tests/support/wait.hpp"

#define CAF_SUITE shared_answers
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Makes nothing before it is asked to.
struct slow_maker {
  std::mutex mutex;
  std::vector<http_reply> begun;
  std::vector<std::chrono::steady_clock::time_point> times;

  shared_answers::maker make() {
    return [this](const http_reply& reply) {
      const std::lock_guard lock{mutex};
      begun.push_back(reply);
      times.push_back(std::chrono::steady_clock::now());
    };
  }
  std::size_t count() {
    const std::lock_guard lock{mutex};
    return begun.size();
  }
  void finish(std::size_t which, const std::string& body) {
    http_reply reply;
    {
      const std::lock_guard lock{mutex};
      reply = begun.at(which);
    }
    http_answer answer;
    answer.body = body;
    reply(std::move(answer));
  }
};

struct listener {
  std::mutex mutex;
  std::vector<std::string> heard;
  std::vector<const std::string*> bodies;

  http_reply reply() {
    return [this](const http_answer& answer) {
      const std::lock_guard lock{mutex};
      heard.push_back(answer.shared_body ? *answer.shared_body : "not shared");
      bodies.push_back(answer.shared_body.get());
    };
  }
  std::size_t count() {
    const std::lock_guard lock{mutex};
    return heard.size();
  }
};

}  // namespace

CAF_TEST(whoever_asks_while_an_answer_is_made_shares_the_next_one) {
  slow_maker maker;
  listener ears;
  shared_answers shared;
  shared.ask("a", 0s, maker.make(), ears.reply());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return maker.count() == 1; }));
  for (int i = 0; i < 60; ++i) shared.ask("a", 0s, maker.make(), ears.reply());
  CAF_CHECK_EQUAL(maker.count(), 1u);
  maker.finish(0, "first");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return maker.count() == 2; }));
  CAF_CHECK_EQUAL(ears.count(), 1u);
  maker.finish(1, "second");
  CAF_REQUIRE_EQUAL(ears.count(), 61u);
  CAF_CHECK_EQUAL(ears.heard.front(), "first");
  CAF_CHECK_EQUAL(ears.heard.back(), "second");
  CAF_CHECK_EQUAL(ears.bodies.at(1), ears.bodies.back());
  CAF_CHECK_EQUAL(maker.count(), 2u);
}

CAF_TEST(no_two_begin_within_the_interval) {
  slow_maker maker;
  listener ears;
  shared_answers shared;
  constexpr auto interval = 300ms;
  for (std::size_t round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) shared.ask("a", interval, maker.make(), ears.reply());
    CAF_REQUIRE(holds_within(test_timeout, [&] { return maker.count() == round + 1; }));
    maker.finish(round, "x");
  }
  CAF_REQUIRE(holds_within(test_timeout, [&] { return ears.count() >= 21; }));
  for (std::size_t i = 1; i < maker.times.size(); ++i) CAF_CHECK(maker.times[i] - maker.times[i - 1] >= interval);
}

CAF_TEST(one_question_does_not_wait_for_another) {
  slow_maker slow;
  slow_maker quick;
  listener ears;
  shared_answers shared;
  shared.ask("slow", 1h, slow.make(), ears.reply());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return slow.count() == 1; }));
  shared.ask("slow", 1h, slow.make(), ears.reply());
  shared.ask("quick", 0s, quick.make(), ears.reply());
  CAF_REQUIRE(holds_within(test_timeout, [&] { return quick.count() == 1; }));
  quick.finish(0, "quick");
  CAF_CHECK_EQUAL(ears.heard.front(), "quick");
}

CAF_TEST(a_maker_that_fails_is_answered_for) {
  std::atomic<unsigned> status{0};
  shared_answers shared;
  for (int i = 0; i < 2; ++i) {
    status = 0;
    shared.ask(
        "a", 0s, [](const http_reply&) { throw std::runtime_error{"no memory"}; },
        [&](const http_answer& answer) { status = answer.status; });
    CAF_CHECK(holds_within(test_timeout, [&] { return status == 503; }));
  }
}

CAF_TEST(an_answer_may_come_after_nobody_waits_any_more) {
  slow_maker maker;
  listener ears;
  {
    shared_answers shared;
    shared.ask("a", 0s, maker.make(), ears.reply());
    CAF_REQUIRE(holds_within(test_timeout, [&] { return maker.count() == 1; }));
    shared.ask("a", 0s, maker.make(), ears.reply());
  }
  maker.finish(0, "late");
  CAF_CHECK_EQUAL(ears.count(), 1u);
}
