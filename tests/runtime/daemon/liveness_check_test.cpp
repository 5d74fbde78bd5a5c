#include "runtime/daemon/liveness_check.hpp"

#include <spdlog/sinks/null_sink.h>

#include "tests/support/sharing_scheduler.hpp"

#define CAF_SUITE liveness_check
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

using namespace std::chrono_literals;

struct fixture {
  test::sharing_scheduler configuration;
  caf::actor_system system{configuration};
  operator_events events{std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>()),
                         log_format::text};
  socket_service sockets{{}, events};

  host_supervisor_actor host_that(const caf::behavior& what) {
    return caf::actor_cast<host_supervisor_actor>(
        system.spawn([](caf::event_based_actor*, const caf::behavior& does) { return does; }, what));
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(liveness_check_tests, fixture)

CAF_TEST(a_host_that_answers_is_alive_and_says_how_many_cells_it_has) {
  const auto host = host_that({[](alive_atom) -> std::uint64_t { return 12; }});
  const sign_of_life seen = check_liveness(system, host, sockets, 20s);
  CAF_CHECK_EQUAL(seen.problem, "");
  CAF_CHECK_EQUAL(seen.cells, 12u);
  caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
}

CAF_TEST(a_host_that_does_not_answer_in_time_is_named) {
  std::vector<caf::typed_response_promise<std::uint64_t>> kept;
  const auto host = host_that({[&kept](alive_atom) {
    caf::typed_response_promise<std::uint64_t> never;
    kept.push_back(never);
    return never;
  }});
  CAF_CHECK_EQUAL(check_liveness(system, host, sockets, 20ms).problem, "The HOST SUPERVISOR does not answer");
  caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
}

CAF_TEST(a_host_that_is_dead_is_named) {
  const auto host = host_that({[](alive_atom) -> std::uint64_t { return 0; }});
  caf::scoped_actor self{system};
  self->send_exit(host, caf::exit_reason::kill);
  self->wait_for(host);
  CAF_CHECK_EQUAL(check_liveness(system, host, sockets, 20s).problem, "The HOST SUPERVISOR does not answer");
}

CAF_TEST_FIXTURE_SCOPE_END()
