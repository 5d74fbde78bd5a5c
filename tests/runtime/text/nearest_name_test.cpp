#include "runtime/text/nearest_name.hpp"

#include <string>
#include <vector>

#define CAF_SUITE nearest_name
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

const std::vector<std::string_view> cell_names{"id", "run_id", "vsock_uds_base", "keepalive_window", "expected_uid"};

std::string nearest(std::string_view name) { return std::string{nearest_name(name, cell_names).value_or("nothing")}; }

}  // namespace

CAF_TEST(a_letter_more_or_less_or_other_is_forgiven) {
  CAF_CHECK_EQUAL(nearest("runid"), "run_id");
  CAF_CHECK_EQUAL(nearest("run-id"), "run_id");
  CAF_CHECK_EQUAL(nearest("runs_id"), "run_id");
  CAF_CHECK_EQUAL(nearest("ids"), "id");
  CAF_CHECK_EQUAL(nearest("keep_alive_window"), "keepalive_window");
}

CAF_TEST(swapped_neighbours_are_one_mistake) {
  CAF_CHECK_EQUAL(nearest("di"), "id");
  CAF_CHECK_EQUAL(nearest("rnu_id"), "run_id");
}

CAF_TEST(a_name_is_nearest_to_itself) {
  for (auto name : cell_names) CAF_CHECK_EQUAL(nearest(name), std::string{name});
}

CAF_TEST(nothing_is_near_to_a_name_of_another_kind) {
  CAF_CHECK_EQUAL(nearest("colour"), "nothing");
  CAF_CHECK_EQUAL(nearest("x"), "nothing");
  CAF_CHECK_EQUAL(nearest(""), "nothing");
  CAF_CHECK_EQUAL(nearest(std::string(1'000'000, 'i')), "nothing");
  CAF_CHECK(!nearest_name("id", {}));
}

CAF_TEST(of_equally_near_names_the_first_wins) {
  const std::vector<std::string_view> names{"cat", "car"};
  CAF_CHECK_EQUAL(std::string{*nearest_name("cab", names)}, "cat");
}
