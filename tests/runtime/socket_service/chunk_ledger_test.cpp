#define CAF_SUITE chunk_ledger
#include "runtime/socket_service/chunk_ledger.hpp"

#include <vector>

#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

struct fixture {
  cell_intake::delivery to(std::vector<std::uint64_t>& sequences) {
    return [&sequences](const chunk_ptr& chunk) { sequences.push_back(chunk->sequence); };
  }
  void keep(int count) {
    for (int i = 0; i < count; ++i) ledger.keep({});
  }

  byte_budget budget{1 << 20};
  chunk_ledger ledger{100, budget};
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
};

using sequences = std::vector<std::uint64_t>;

}  // namespace

CAF_TEST_FIXTURE_SCOPE(chunk_ledger_tests, fixture)

CAF_TEST(what_is_kept_is_delivered_together_and_once) {
  ledger.attach(1, to(first));
  keep(3);
  CAF_CHECK(first.empty());
  ledger.deliver_kept();
  ledger.deliver_kept();
  CAF_CHECK(first == (sequences{1, 2, 3}));
  keep(1);
  ledger.deliver_kept();
  CAF_CHECK(first == (sequences{1, 2, 3, 4}));
}

CAF_TEST(a_delivery_that_comes_between_has_everything_once) {
  ledger.attach(1, to(first));
  keep(2);
  ledger.deliver_kept();
  keep(2);
  ledger.attach(2, to(second));
  ledger.deliver_kept();
  CAF_CHECK(first == (sequences{1, 2}));
  CAF_CHECK(second == (sequences{1, 2, 3, 4}));
  keep(1);
  ledger.deliver_kept();
  CAF_CHECK(second.back() == 5u);
}

CAF_TEST(what_is_kept_before_anybody_is_attached_waits_for_them) {
  keep(2);
  ledger.deliver_kept();
  ledger.attach(1, to(first));
  ledger.deliver_kept();
  CAF_CHECK(first == (sequences{1, 2}));
}

CAF_TEST(what_was_acknowledged_before_it_was_delivered_again_is_not) {
  ledger.attach(1, to(first));
  keep(3);
  ledger.deliver_kept();
  keep(2);
  // By whoever had it before; the two that are new are still to come.
  CAF_CHECK(!ledger.acknowledge(3));
  ledger.deliver_kept();
  CAF_CHECK(first == (sequences{1, 2, 3, 4, 5}));
}

CAF_TEST(an_earlier_generation_takes_nothing) {
  ledger.attach(2, to(second));
  ledger.attach(1, to(first));
  keep(1);
  ledger.deliver_kept();
  CAF_CHECK(first.empty());
  CAF_CHECK(second == sequences{1});
}

CAF_TEST_FIXTURE_SCOPE_END()
