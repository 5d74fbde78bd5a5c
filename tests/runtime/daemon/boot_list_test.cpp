#include "runtime/daemon/boot_list.hpp"

#include <stdexcept>
#include <string>
#include <system_error>

#define CAF_SUITE boot_list
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

/// Writes down what is done in which order.
struct fixture {
  std::string done;

  boot_step good(const char* name) {
    return {name,
            [this, name] {
              done += std::string{"+"} + name;
              return std::string{};
            },
            [this, name] { done += std::string{"-"} + name; }};
  }
  boot_step step(const char* name, std::function<std::string()> boot) {
    return {name, std::move(boot), [this, name] { done += std::string{"-"} + name; }};
  }
  boot_refusal run(const std::vector<boot_step>& steps) {
    return run_boot_list(
        steps, [this](const boot_refusal& refusal) { done += std::string{"!"} + refusal.step; },
        [this] { done += "*"; });
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(boot_list_tests, fixture)

CAF_TEST(steps_are_done_in_order_and_undone_in_reverse_after_serving) {
  CAF_CHECK_EQUAL(run({good("a"), good("b"), good("c")}).cause, "");
  CAF_CHECK_EQUAL(done, "+a+b+c*-c-b-a");
}

CAF_TEST(a_step_that_refuses_undoes_those_before_it_and_nothing_is_served) {
  const boot_refusal refused = run({good("a"), step("b", [] { return std::string{"taken"}; }), good("c")});
  CAF_CHECK_EQUAL(refused.step, std::string{"b"});
  CAF_CHECK_EQUAL(refused.cause, "taken");
  CAF_CHECK_EQUAL(done, "+a!b-a");
}

CAF_TEST(what_a_step_throws_is_its_refusal) {
  CAF_CHECK_EQUAL(run({step("a", []() -> std::string { throw std::runtime_error{"no luck"}; })}).cause, "no luck");
  const auto no_thread = []() -> std::string {
    throw std::system_error{std::make_error_code(std::errc::resource_unavailable_try_again)};
  };
  CAF_CHECK_EQUAL(run({step("a", no_thread)}).cause, thread_shortage());
  CAF_CHECK(thread_shortage().find("TasksMax=") != std::string::npos);
}

CAF_TEST(threads_that_are_allowed_are_found_allowed) { CAF_CHECK(threads_are_allowed(20)); }

CAF_TEST_FIXTURE_SCOPE_END()
