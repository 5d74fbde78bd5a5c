#define CAF_SUITE shared_queue
#include "runtime/daemon/shared_queue.hpp"

#include <atomic>
#include <barrier>
#include <caf/all.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "caf/test/dsl.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using cellos::test::holds_within;
using cellos::test::test_timeout;

namespace {

using work = std::function<void()>;

struct configuration : caf::actor_system_config {
  explicit configuration(std::size_t threads) { use_shared_queue(*this, threads); }
};

/// A system of actors that do what they are sent.
struct running_actors {
  explicit running_actors(std::size_t threads) : config(threads) {}

  caf::actor spawn() {
    return system.spawn([](caf::event_based_actor*,
                           int) -> caf::behavior { return {[](const std::shared_ptr<work>& what) { (*what)(); }}; },
                        0);
  }
  static void send(const caf::actor& to, work what) { caf::anon_send(to, std::make_shared<work>(std::move(what))); }

  configuration config;
  caf::actor_system system{config};
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<work>)

CAF_TEST(a_message_is_handled_while_all_threads_but_one_hang) {
  constexpr int threads = 4;
  std::promise<void> over;
  const std::shared_future<void> end = over.get_future().share();
  std::atomic<int> hanging{0};
  std::atomic<int> handled{0};
  running_actors running{threads};
  // Each is alone: no later message comes that could wake anybody for it.
  for (int i = 1; i < threads; ++i) {
    running_actors::send(running.spawn(), [&, end] {
      ++hanging;
      end.wait();
    });
    CAF_CHECK(holds_within(test_timeout, [&] { return hanging == i; }));
    running_actors::send(running.spawn(), [&] { ++handled; });
    CAF_CHECK(holds_within(test_timeout, [&] { return handled == i; }));
  }
  over.set_value();
}

CAF_TEST(handlers_run_beside_each_other) {
  constexpr int threads = 3;
  // None goes on before all are here.
  std::barrier together{threads};
  std::atomic<int> done{0};
  running_actors running{threads};
  for (int i = 0; i < threads; ++i) {
    running_actors::send(running.spawn(), [&] {
      together.arrive_and_wait();
      ++done;
    });
  }
  CAF_CHECK(holds_within(test_timeout, [&] { return done == threads; }));
}

CAF_TEST(no_message_is_left_whoever_sends_it_and_whenever) {
  std::atomic<int> sent{0};
  std::atomic<int> handled{0};
  running_actors running{3};
  std::vector<caf::actor> actors;
  for (int i = 0; i < 50; ++i) actors.push_back(running.spawn());
  constexpr int senders = 4;
  constexpr int each_sends = 5000;
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, sender] {
      std::mt19937 random{static_cast<std::uint32_t>(sender)};
      for (int i = 0; i < each_sends; ++i) {
        // Half of them send another from within.
        const caf::actor& next = actors[random() % actors.size()];
        const bool again = random() % 2 == 0;
        sent += again ? 2 : 1;
        running_actors::send(actors[random() % actors.size()], [&handled, next, again] {
          if (again) running_actors::send(next, [&handled] { ++handled; });
          ++handled;
        });
      }
    });
  }
  for (std::thread& each : threads) each.join();
  CAF_CHECK(holds_within(test_timeout, [&] { return handled == sent; }));
}

CAF_TEST(one_message_at_a_time_is_answered_after_every_pause) {
  running_actors running{4};
  const caf::actor actor = running.spawn();
  // Shorter than a standby waits, about as long as it looks, and longer than there is one.
  for (const std::chrono::microseconds pause :
       {std::chrono::microseconds{10}, std::chrono::microseconds{1000}, std::chrono::microseconds{60'000}}) {
    for (int i = 0; i < (pause.count() > 10'000 ? 5 : 200); ++i) {
      std::promise<void> answer;
      running_actors::send(actor, [&] { answer.set_value(); });
      CAF_REQUIRE(answer.get_future().wait_for(test_timeout) == std::future_status::ready);
      // The pause is what is tried, not waited out for something.
      std::this_thread::sleep_for(pause);
    }
  }
}

CAF_TEST(a_system_ends_at_once_with_whatever_was_sent_last) {
  for (int round = 0; round < 50; ++round) {
    std::optional<running_actors> running{std::in_place, 2};
    for (int i = 0; i < 100; ++i) running_actors::send(running->spawn(), [] {});
    running.reset();
  }
}
