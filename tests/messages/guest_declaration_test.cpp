#include "messages/guest_declaration.hpp"

#include <string>
#include <type_traits>

#include "messages/host_stamp.hpp"
#include "messages/stamped_declaration.hpp"

#define CAF_SUITE guest_declaration
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

struct with_cell_id : guest_declaration {
  std::string cell_id;
};
struct with_run_id : guest_declaration {
  std::string run_id;
};
struct with_spec_signature_hash : guest_declaration {
  std::string spec_signature_hash;
};
struct with_host_received_at : guest_declaration {
  wall_time host_received_at;
};
struct with_output : guest_declaration {
  std::string output;
};

}  // namespace

CAF_TEST(a_declaration_has_four_members_and_none_is_attribution) {
  static_assert(!detail::names_attribution<guest_declaration>);
  // Fails to compile with a fifth member, whatever its name.
  const guest_declaration declared{probe_source::process_exited, 1, 2, "x"};
  const auto& [source, guest_pid, guest_monotonic_ns, guest_comm] = declared;
  static_assert(std::is_same_v<decltype(source), const probe_source>);
  static_assert(std::is_same_v<decltype(guest_pid), const std::uint32_t>);
  static_assert(std::is_same_v<decltype(guest_monotonic_ns), const std::uint64_t>);
  static_assert(std::is_same_v<decltype(guest_comm), const std::string_view>);
  CAF_CHECK(source == probe_source::process_exited);
  CAF_CHECK_EQUAL(guest_pid, 1u);
  CAF_CHECK_EQUAL(guest_monotonic_ns, 2u);
  CAF_CHECK_EQUAL(std::string{guest_comm}, "x");
}

// The compile-time proof would notice each attribution name.
static_assert(detail::names_attribution<with_cell_id>);
static_assert(detail::names_attribution<with_run_id>);
static_assert(detail::names_attribution<with_spec_signature_hash>);
static_assert(detail::names_attribution<with_host_received_at>);
static_assert(detail::names_attribution<with_output>);
static_assert(detail::names_attribution<host_stamp>);

// Attribution and declarations do not convert into each other.
static_assert(!std::is_convertible_v<host_stamp, guest_declaration>);
static_assert(!std::is_constructible_v<guest_declaration, host_stamp>);
static_assert(!std::is_constructible_v<host_stamp, guest_declaration>);
static_assert(!std::is_convertible_v<guest_declaration, stamped_declaration>);

CAF_TEST(declarations_are_equal_when_all_four_fields_are) {
  const guest_declaration one{probe_source::process_spawned, 1, 2, "x"};
  CAF_CHECK(one == (guest_declaration{probe_source::process_spawned, 1, 2, std::string_view{"xy"}.substr(0, 1)}));
  CAF_CHECK(one != (guest_declaration{probe_source::process_exited, 1, 2, "x"}));
  CAF_CHECK(one != (guest_declaration{probe_source::process_spawned, 9, 2, "x"}));
  CAF_CHECK(one != (guest_declaration{probe_source::process_spawned, 1, 9, "x"}));
  CAF_CHECK(one != (guest_declaration{probe_source::process_spawned, 1, 2, "y"}));
}
