#include "messages/stamped_declaration.hpp"

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "messages/cloud_event.hpp"

#define CAF_SUITE stamped_declaration
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

const host_stamp cell_1{"host-a", "cell-1", "run-7", "sha256:abc"};
constexpr wall_time received_at{1'796'000'000s + 1ns};
const guest_declaration bash{probe_source::process_spawned, 4242, 5'123'456'789, "bash"};

run_projection projection() { return {std::make_shared<const host_stamp>(cell_1), {"host-a/cell-1/run-7/1"}}; }

}  // namespace

CAF_TEST(attribution_is_the_hosts_verbatim) {
  const guest_declaration declared{probe_source::process_spawned, 1, 2, "cell-2"};
  const auto stamped = stamp(declared, cell_1, received_at);
  CAF_CHECK(&stamped.attribution() == &cell_1);
  CAF_CHECK(stamped.attribution() == (host_stamp{"host-a", "cell-1", "run-7", "sha256:abc"}));
  CAF_CHECK(stamped.host_received_at() == received_at);
}

CAF_TEST(the_four_fields_are_the_guests_verbatim) {
  const std::string comm("\"run_id\":\"run-9\"\0\n\xE2\x80\xA8", 20);
  for (auto source : {probe_source::process_spawned, probe_source::telemetry_dropped}) {
    const guest_declaration declared{source, std::numeric_limits<std::uint32_t>::max(),
                                     std::numeric_limits<std::uint64_t>::max(), comm};
    const auto stamped = stamp(declared, cell_1, received_at);
    CAF_CHECK(stamped.declared() == declared);
    CAF_CHECK(stamped.declared().guest_comm.data() == comm.data());
    CAF_CHECK_EQUAL(stamped.declared().guest_comm.size(), comm.size());
  }
}

CAF_TEST(nothing_a_guest_says_changes_the_stamp) {
  for (std::string_view comm : {"cell-2", "", "{\"cell_id\":\"cell-2\"}"}) {
    for (std::uint64_t ns : {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
      const guest_declaration declared{probe_source::process_exited, 7, ns, comm};
      const auto stamped = stamp(declared, cell_1, received_at);
      CAF_CHECK(stamped.attribution() == cell_1);
      CAF_CHECK(stamped.host_received_at() == received_at);
    }
  }
}

CAF_TEST(each_declaration_has_its_own_receive_time) {
  run_projection run = projection();
  std::string out;
  for (const wall_time received : {received_at, received_at, received_at + 1ns, wall_time{}, received_at}) {
    out.clear();
    run.declaration(out, stamp(bash, cell_1, received));
    const auto event = nlohmann::json::parse(out);
    const std::string written{timestamp_text{received}.view()};
    CAF_CHECK_EQUAL(event["time"].get<std::string>(), written);
    CAF_CHECK_EQUAL(event["data"]["hostReceivedAt"].get<std::string>(), written);
  }
}

CAF_TEST(a_declaration_of_any_other_attribution_is_not_rendered) {
  run_projection run = projection();
  std::string out;
  for (const host_stamp& other :
       {host_stamp{"host-b", "cell-1", "run-7", "sha256:abc"}, host_stamp{"host-a", "cell-2", "run-7", "sha256:abc"},
        host_stamp{"host-a", "cell-1", "run-8", "sha256:abc"}, host_stamp{"host-a", "cell-1", "run-7", "sha256:abd"},
        host_stamp{}}) {
    CAF_CHECK(!run.is_attributed(other));
    bool refused = false;
    try {
      run.declaration(out, stamp(bash, other, received_at));
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    CAF_CHECK(refused);
  }
  CAF_CHECK_EQUAL(out, "");
  run.declaration(out, stamp(bash, cell_1, received_at));
  std::string untouched;
  projection().declaration(untouched, stamp(bash, cell_1, received_at));
  CAF_CHECK_EQUAL(out, untouched);
}

template <class Declaration, class Attribution>
constexpr bool can_be_stamped = requires(Declaration&& declared, Attribution&& attribution) {
  stamp(std::forward<Declaration>(declared), std::forward<Attribution>(attribution), received_at);
};

// Nobody but stamp() makes one, of nothing less than both.
static_assert(!std::is_default_constructible_v<stamped_declaration>);
static_assert(!std::is_aggregate_v<stamped_declaration>);
static_assert(!std::is_constructible_v<stamped_declaration, const guest_declaration&>);
static_assert(!std::is_constructible_v<stamped_declaration, const host_stamp&, wall_time, const guest_declaration&>);
static_assert(!std::is_constructible_v<stamped_declaration, const guest_declaration&, const host_stamp&, wall_time>);
static_assert(std::is_final_v<stamped_declaration>);

// Neither side can be changed or exchanged.
static_assert(std::is_same_v<decltype(std::declval<stamped_declaration&>().attribution()), const host_stamp&>);
static_assert(std::is_same_v<decltype(std::declval<stamped_declaration&>().declared()), const guest_declaration&>);
static_assert(!std::is_copy_assignable_v<stamped_declaration>);

// It costs nothing to pass on, and borrows from nothing that is gone.
static_assert(std::is_trivially_copyable_v<stamped_declaration>);
static_assert(can_be_stamped<const guest_declaration&, const host_stamp&>);
static_assert(!can_be_stamped<guest_declaration, const host_stamp&>);
static_assert(!can_be_stamped<const guest_declaration&, host_stamp>);
static_assert(!can_be_stamped<guest_declaration, host_stamp>);

// What no host has stamped cannot be rendered.
static_assert(!std::is_invocable_v<decltype(&run_projection::declaration), run_projection&, std::string&,
                                   const guest_declaration&>);
