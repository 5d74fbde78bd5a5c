#define CAF_SUITE reading_credit
#include "runtime/socket_service/reading_credit.hpp"

#include "caf/test/dsl.hpp"

using cellos::reading_credit;

namespace {

constexpr bool exhausted = true;

reading_credit::holdings held(std::size_t chunks, bool budget_exhausted = false) {
  return {true, chunks, budget_exhausted};
}

}  // namespace

CAF_TEST(a cell may have as many chunks unacknowledged as it may and no more) {
  reading_credit credit{2};
  CAF_CHECK(credit.may_read(held(0)));
  CAF_CHECK(credit.may_read(held(1)));
  CAF_CHECK(!credit.may_read(held(2)));
  CAF_CHECK(!credit.may_read(held(3)));
}

CAF_TEST(nothing is read before somebody takes it) {
  reading_credit credit{2};
  CAF_CHECK(!credit.may_read({false, 0, false}));
  CAF_CHECK(!credit.resumes({false, 0, false}));
  CAF_CHECK(credit.resumes(held(0)));
}

CAF_TEST(a cell with nothing outstanding may read one chunk whatever the others hold) {
  reading_credit credit{8};
  CAF_CHECK(credit.may_read(held(0, exhausted)));
  CAF_CHECK(!credit.may_read(held(1, exhausted)));
  CAF_MESSAGE("so the acknowledgement of its last chunk has it go on");
  CAF_CHECK(credit.resumes(held(0, exhausted)));
}

CAF_TEST(that a paused cell may go on is said once and only to a paused one) {
  reading_credit credit{2};
  CAF_CHECK(!credit.resumes(held(0)));
  CAF_CHECK(!credit.may_read(held(2)));
  CAF_CHECK(!credit.resumes(held(2)));
  CAF_CHECK(credit.resumes(held(1)));
  CAF_CHECK(!credit.resumes(held(0)));
  CAF_MESSAGE("whoever sees that there is credit is not reported it");
  CAF_CHECK(!credit.may_read(held(2)));
  CAF_CHECK(credit.may_read(held(1)));
  CAF_CHECK(!credit.resumes(held(0)));
}
