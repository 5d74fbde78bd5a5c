#include "runtime/guest_sim/scenarios.hpp"

#include <set>

#define CAF_SUITE scenarios
#include "caf/test/dsl.hpp"

using namespace cellos::guest_sim;

CAF_TEST(names_are_unique_and_explained) {
  std::set<std::string_view> names;
  for (const auto& known : scenarios()) {
    CAF_CHECK(names.insert(known.name).second);
    CAF_CHECK(!known.meaning.empty());
    CAF_CHECK(known.play != nullptr);
    CAF_CHECK(find_scenario(known.name) == &known);
  }
}

CAF_TEST(a_name_is_found_in_any_case_and_only_whole) {
  CAF_CHECK(find_scenario("HONEST") == &scenarios().front());
  CAF_CHECK(find_scenario("silent-after-n") != nullptr);
  CAF_CHECK(find_scenario("hones") == nullptr);
  CAF_CHECK(find_scenario("") == nullptr);
}
