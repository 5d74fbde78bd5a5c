#define CAF_SUITE failure
#include "actors/failure.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/test/dsl.hpp>

using namespace cellos;

CAF_TEST(what an actor died of is its death) {
  CAF_CHECK(receiver_died(caf::sec::request_receiver_down));
  CAF_CHECK(receiver_died(caf::sec::runtime_error));
  CAF_CHECK(receiver_died(caf::sec::invalid_argument));  // a request to nobody
  for (const caf::exit_reason reason : {caf::exit_reason::kill, caf::exit_reason::user_shutdown,
                                        caf::exit_reason::unhandled_exception, caf::exit_reason::out_of_workers}) {
    CAF_CHECK(receiver_died(reason));
  }
}

CAF_TEST(every other error is an answer) {
  CAF_CHECK(!receiver_died(caf::sec::request_timeout));
  CAF_CHECK(!receiver_died(caf::sec::unexpected_message));
  CAF_CHECK(!receiver_died(caf::error{7, caf::atom("foreign")}));
  CAF_CHECK(!receiver_died(caf::error{}));
  CAF_CHECK(!receiver_died(make_failure(failure::cell_ended, "the run is over")));
}

CAF_TEST(a failure says its kind and its sentence) {
  const caf::error refused = make_failure(failure::cell_conflict, "taken");
  CAF_CHECK(is_failure(refused, failure::cell_conflict));
  CAF_CHECK(!is_failure(refused, failure::bind_failed));
  CAF_CHECK_EQUAL(explanation(refused), "taken");
  CAF_CHECK_EQUAL(explanation(caf::sec::request_timeout), "request_timeout");
  CAF_CHECK_EQUAL(explanation(caf::exit_reason::kill), "kill");
  CAF_CHECK_EQUAL(explanation(caf::error{7, caf::atom("foreign")}), "error 7");
}
