#define CAF_SUITE torn_append
#include "runtime/evidence/torn_append.hpp"

#include <caf/test/dsl.hpp>

using namespace cellos;

namespace {

/// Three appends to the second segment, and one to the first, by a process of "boot-1".
struct fixture {
  fixture() {
    left.header.emplace();
    left.header->boot_id = "boot-1";
    add({1, 100}, 300);
    add({2, 0}, 100);
    add({2, 100}, 50);
    add({2, 150}, 50);
  }

  void add(segment_position begin, std::uint64_t bytes) { left.records.push_back({begin, bytes, {}, {}}); }
  /// Where the append that is torn began; the end if none is.
  std::uint64_t goes_back_to(std::uint64_t offset, const char* boot_id) const {
    const journal_record* const torn = torn_append(left, {2, offset}, boot_id);
    return torn == nullptr ? offset : torn->begin.offset;
  }

  journal_content left;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(torn_append_tests, fixture)

CAF_TEST(whoever was killed had begun the last append and no other) {
  CAF_CHECK_EQUAL(goes_back_to(150, "boot-1"), 150u);
  CAF_CHECK_EQUAL(goes_back_to(151, "boot-1"), 150u);
  CAF_CHECK_EQUAL(goes_back_to(199, "boot-1"), 150u);
  CAF_CHECK_EQUAL(goes_back_to(200, "boot-1"), 200u);
  CAF_CHECK_EQUAL(goes_back_to(250, "boot-1"), 250u);
  CAF_MESSAGE("what ends before was cut by somebody");
  CAF_CHECK_EQUAL(goes_back_to(120, "boot-1"), 120u);
}

CAF_TEST(a loss of power may leave a part of any append) {
  CAF_CHECK_EQUAL(goes_back_to(0, "boot-2"), 0u);
  CAF_CHECK_EQUAL(goes_back_to(1, "boot-2"), 0u);
  CAF_CHECK_EQUAL(goes_back_to(100, "boot-2"), 100u);
  CAF_CHECK_EQUAL(goes_back_to(120, "boot-2"), 100u);
  CAF_CHECK_EQUAL(goes_back_to(199, "boot-2"), 150u);
  CAF_CHECK_EQUAL(goes_back_to(200, "boot-2"), 200u);
}

CAF_TEST(appends to other segments and a journal without appends say nothing) {
  add({3, 0}, 500);
  CAF_CHECK_EQUAL(goes_back_to(160, "boot-1"), 160u);
  CAF_CHECK_EQUAL(goes_back_to(300, "boot-2"), 300u);
  left = {};
  CAF_CHECK_EQUAL(goes_back_to(50, "boot-1"), 50u);
}

CAF_TEST_FIXTURE_SCOPE_END()
