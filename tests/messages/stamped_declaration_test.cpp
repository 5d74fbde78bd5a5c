#include "messages/stamped_declaration.hpp"

#include <limits>
#include <string>
#include <type_traits>

#define CAF_SUITE stamped_declaration
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

const host_stamp cell_1{"host-a", "cell-1", "run-7", "sha256:abc"};
constexpr wall_time received_at{1'796'000'000s + 1ns};

}  // namespace

CAF_TEST(attribution_is_the_hosts_verbatim) {
  const guest_declaration declared{probe_source::process_spawned, 1, 2, "cell-2"};
  const auto stamped = stamp(declared, cell_1, received_at);
  CAF_CHECK(&stamped.attribution == &cell_1);
  CAF_CHECK(stamped.attribution == (host_stamp{"host-a", "cell-1", "run-7", "sha256:abc"}));
  CAF_CHECK(stamped.host_received_at == received_at);
}

CAF_TEST(the_four_fields_are_the_guests_verbatim) {
  const std::string comm("\"run_id\":\"run-9\"\0\n\xE2\x80\xA8", 20);
  for (auto source : {probe_source::process_spawned, probe_source::telemetry_dropped}) {
    const guest_declaration declared{source, std::numeric_limits<std::uint32_t>::max(),
                                     std::numeric_limits<std::uint64_t>::max(), comm};
    const auto stamped = stamp(declared, cell_1, received_at);
    CAF_CHECK(stamped.declared == declared);
    CAF_CHECK(stamped.declared.guest_comm.data() == comm.data());
    CAF_CHECK_EQUAL(stamped.declared.guest_comm.size(), comm.size());
  }
}

CAF_TEST(nothing_a_guest_says_changes_the_stamp) {
  for (std::string_view comm : {"cell-2", "", "{\"cell_id\":\"cell-2\"}"}) {
    for (std::uint64_t ns : {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
      const auto stamped = stamp({probe_source::process_exited, 7, ns, comm}, cell_1, received_at);
      CAF_CHECK(stamped.attribution == cell_1);
      CAF_CHECK(stamped.host_received_at == received_at);
    }
  }
}

// A stamp cannot be changed through a declaration.
static_assert(std::is_same_v<decltype(stamped_declaration::attribution), const host_stamp&>);
static_assert(!std::is_copy_assignable_v<stamped_declaration>);
static_assert(!std::is_default_constructible_v<stamped_declaration>);
