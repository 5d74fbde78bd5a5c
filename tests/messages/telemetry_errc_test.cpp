#include "messages/telemetry_errc.hpp"

#include <set>
#include <string>

#define CAF_SUITE telemetry_errc
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

constexpr telemetry_errc every_code[] = {
    telemetry_errc::none,
    telemetry_errc::bind_failed,
    telemetry_errc::malformed_frame,
    telemetry_errc::unsupported_version,
    telemetry_errc::unknown_probe_source,
    telemetry_errc::framing_lost,
    telemetry_errc::torn_frame,
    telemetry_errc::over_quota,
};

}  // namespace

CAF_TEST(numbers_are_append_only) {
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::none), 0);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::bind_failed), 1);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::malformed_frame), 2);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::unsupported_version), 3);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::unknown_probe_source), 4);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::framing_lost), 5);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::torn_frame), 6);
  CAF_CHECK_EQUAL(static_cast<int>(telemetry_errc::over_quota), 7);
}

CAF_TEST(words_are_the_enumerators) {
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::none)}, "none");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::bind_failed)}, "bind_failed");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::malformed_frame)}, "malformed_frame");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::unsupported_version)}, "unsupported_version");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::unknown_probe_source)}, "unknown_probe_source");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::framing_lost)}, "framing_lost");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::torn_frame)}, "torn_frame");
  CAF_CHECK_EQUAL(std::string{to_string(telemetry_errc::over_quota)}, "over_quota");
}

CAF_TEST(refusal_kinds_are_the_errors_a_guest_can_cause) {
  const std::set<telemetry_errc> kinds{refusal_kinds.begin(), refusal_kinds.end()};
  CAF_CHECK_EQUAL(kinds.size(), refusal_kinds.size());
  for (auto code : every_code) {
    const bool hosts_own = code == telemetry_errc::none || code == telemetry_errc::bind_failed;
    CAF_CHECK_EQUAL(kinds.contains(code), !hosts_own);
  }
}

CAF_TEST(counts_start_at_zero) {
  const refusal_counts counts;
  CAF_CHECK_EQUAL(counts.total(), 0u);
  for (auto kind : refusal_kinds) CAF_CHECK_EQUAL(counts[kind], 0u);
}

CAF_TEST(each_kind_is_counted_by_itself) {
  for (auto kind : refusal_kinds) {
    refusal_counts counts;
    counts.add(kind);
    counts.add(kind, 4);
    for (auto other : refusal_kinds) CAF_CHECK_EQUAL(counts[other], other == kind ? 5u : 0u);
    CAF_CHECK_EQUAL(counts.total(), 5u);
  }
}

CAF_TEST(counts_add_up_kind_by_kind) {
  refusal_counts some;
  refusal_counts more;
  std::uint64_t frames = 1;
  for (auto kind : refusal_kinds) {
    some.add(kind, frames);
    more.add(kind, 100);
    ++frames;
  }
  some += more;
  frames = 101;
  for (auto kind : refusal_kinds) CAF_CHECK_EQUAL(some[kind], frames++);
  CAF_CHECK_EQUAL(some.total(), 600u + 1 + 2 + 3 + 4 + 5 + 6);
  CAF_CHECK(some != more);
}
