#define CAF_SUITE run_lifecycle
#include "actors/run_lifecycle.hpp"

#include <caf/test/dsl.hpp>

using namespace cellos;
using step = run_lifecycle::step;
using phase = run_lifecycle::phase;

CAF_TEST(a run is opened and drained and closed) {
  run_lifecycle run;
  CAF_CHECK(!run.may_retire());
  run.begin(step::open_run);
  CAF_CHECK(run.now() == phase::opening);
  CAF_CHECK(run.opened() == step::none);
  CAF_CHECK(run.is_live());
  CAF_CHECK(run.may_retire());
  CAF_CHECK(run.retire() == step::drain);
  run.begin(step::drain);
  CAF_CHECK(run.waits_for_listener());
  run.begin(step::close_run);
  CAF_CHECK(run.waits_for_sink());
  run.ended();
  CAF_CHECK(!run.may_retire());
  CAF_CHECK(run.again() == step::none);
}

CAF_TEST(a run that is to end while it is being opened is drained as soon as it is open) {
  run_lifecycle run;
  run.begin(step::open_run);
  CAF_CHECK(run.may_retire());
  CAF_CHECK(run.retire() == step::none);
  CAF_CHECK(!run.may_retire());
  CAF_CHECK(run.opened() == step::drain);
}

CAF_TEST(what an earlier attempt brings does not count) {
  run_lifecycle run;
  const auto first = run.begin(step::open_run);
  CAF_CHECK(run.is_current(first));
  const auto second = run.begin(step::open_run);
  CAF_CHECK(!run.is_current(first));
  CAF_CHECK(run.is_current(second));
}

CAF_TEST(the step under way is the one that is begun again) {
  run_lifecycle run;
  CAF_CHECK(run.again() == step::none);
  for (const step next : {step::open_run, step::drain, step::close_run}) {
    run.begin(next);
    CAF_CHECK(run.again() == next);
  }
  run_lifecycle live;
  live.begin(step::open_run);
  live.opened();
  CAF_CHECK(live.again() == step::start_children);
  CAF_CHECK(!live.waits_for_sink());
  CAF_CHECK(!live.waits_for_listener());
}

CAF_TEST(a run that was not opened has nothing to retire) {
  run_lifecycle run;
  run.begin(step::open_run);
  run.not_opened();
  CAF_CHECK(!run.may_retire());
  CAF_CHECK(run.again() == step::none);
}
