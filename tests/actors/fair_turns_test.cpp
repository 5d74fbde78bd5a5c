#define CAF_SUITE fair_turns
#include "actors/fair_turns.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <random>
#include <string>

using namespace cellos;

namespace {

using turns_of_texts = fair_turns<std::string, int>;

/// Serves `most` items; whose they were.
std::string served(turns_of_texts& turns, std::uint64_t quantum, std::size_t most = 1000) {
  std::string owners;
  while (turns.ready() && most-- > 0) {
    const std::uint64_t cost = turns.next(quantum).cost;
    owners += turns.owner();
    turns.take(cost);
  }
  return owners;
}

}  // namespace

CAF_TEST(who queued much waits behind itself) {
  turns_of_texts turns;
  for (int i = 0; i < 5; ++i) turns.push("a", 10, i);
  turns.push("b", 10, 0);
  turns.push("c", 10, 0);
  CAF_CHECK_EQUAL(served(turns, 10), "abcaaaa");
  CAF_CHECK(turns.empty());
}

CAF_TEST(what an owner queued stays in its order) {
  turns_of_texts turns;
  for (int i = 0; i < 4; ++i) {
    turns.push("a", 1, i);
    turns.push("b", 3, i);
  }
  std::map<std::string, int> expected;
  while (turns.ready()) {
    const auto& next = turns.next(2);
    CAF_CHECK_EQUAL(next.work, expected[turns.owner()]++);
    turns.take(next.cost);
  }
  CAF_CHECK_EQUAL(expected["a"], 4);
  CAF_CHECK_EQUAL(expected["b"], 4);
}

CAF_TEST(turns are measured by cost and not by items) {
  turns_of_texts turns;
  for (int i = 0; i < 6; ++i) turns.push("s", 1, i);  // small
  for (int i = 0; i < 2; ++i) turns.push("L", 3, i);
  CAF_CHECK_EQUAL(served(turns, 3), "sssLsssL");
}

CAF_TEST(what costs more than a turn is saved up for) {
  turns_of_texts turns;
  turns.push("L", 10, 0);
  for (int i = 0; i < 6; ++i) turns.push("s", 2, i);
  CAF_CHECK_EQUAL(served(turns, 4), "ssssLss");
}

CAF_TEST(no owner is ahead of another by more than a turn and an item) {
  std::mt19937 random{1};
  turns_of_texts turns;
  std::map<std::string, std::uint64_t> left;
  for (const char* owner : {"a", "b", "c", "d"}) {
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t cost = 1 + random() % 20;
      turns.push(owner, cost, i);
      left[owner] += cost;
    }
  }
  std::map<std::string, std::uint64_t> had;
  for (int i = 0; i < 800; ++i) {
    const std::uint64_t cost = turns.next(10).cost;
    had[turns.owner()] += cost;
    turns.take(cost);
    for (const auto& [one, ones] : had) {
      for (const auto& [other, others] : had) CAF_REQUIRE(ones <= others + 10 + 2 * 20);
    }
  }
}

CAF_TEST(an owner that is set aside keeps its queue and its order) {
  turns_of_texts turns;
  turns.push("a", 1, 1);
  turns.push("b", 1, 1);
  turns.next(5);
  turns.set_aside();
  turns.push("a", 1, 2);
  CAF_CHECK(turns.waits("a"));
  CAF_CHECK_EQUAL(served(turns, 5), "b");
  CAF_CHECK(!turns.ready());
  CAF_CHECK(!turns.empty());
  turns.bring_back();
  CAF_CHECK_EQUAL(turns.next(5).work, 1);
  CAF_CHECK_EQUAL(served(turns, 5), "aa");
}

CAF_TEST(everything of one owner can be taken whether it is set aside or not ) {
  turns_of_texts turns;
  for (const char* owner : {"a", "b"}) turns.push(owner, 1, 1);
  for (const char* owner : {"a", "b"}) turns.push(owner, 1, 2);
  turns.next(1);
  turns.set_aside();
  const auto held = turns.take_all("a");
  CAF_REQUIRE_EQUAL(held.size(), 2u);
  CAF_CHECK_EQUAL(held.front().work, 1);
  CAF_CHECK_EQUAL(turns.take_all("b").size(), 2u);
  CAF_CHECK(turns.take_all("c").empty());
  turns.bring_back();
  CAF_CHECK(!turns.ready());
  CAF_CHECK(turns.empty());
}
