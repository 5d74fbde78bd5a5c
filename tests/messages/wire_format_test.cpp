#include "messages/wire_format.hpp"

#include <algorithm>
#include <set>
#include <string>

#define CAF_SUITE wire_format
#include "caf/test/dsl.hpp"

// What guests in the field already speak. A change here is a change of the wire format, not of a test.

using namespace cellos;

CAF_TEST(port_and_major_are_the_original_agents) {
  static_assert(wire::vsock_telemetry_port == 9001);
  static_assert(wire::wire_content_version_major == 1);
  static_assert(std::is_same_v<decltype(wire::vsock_telemetry_port), const std::uint32_t>);
  static_assert(std::is_same_v<decltype(wire::wire_content_version_major), const std::uint16_t>);
  CAF_CHECK_EQUAL(wire::vsock_telemetry_port, 9001u);
  CAF_CHECK_EQUAL(wire::wire_content_version_major, 1u);
}

CAF_TEST(versions_are_major_and_minor_in_one_number) {
  CAF_CHECK_EQUAL(wire::content_version_1_0, 256u);
  CAF_CHECK_EQUAL(wire::content_version_1_1, 257u);
  CAF_CHECK_EQUAL(wire::version_major(0x0000), 0u);
  CAF_CHECK_EQUAL(wire::version_major(0x00FF), 0u);
  CAF_CHECK_EQUAL(wire::version_major(0x0100), 1u);
  CAF_CHECK_EQUAL(wire::version_major(0x01FF), 1u);
  CAF_CHECK_EQUAL(wire::version_major(0xFF00), 255u);
}

CAF_TEST(limits_are_these) {
  CAF_CHECK_EQUAL(wire::frame_header_bytes, 4u);
  CAF_CHECK_EQUAL(wire::max_frame_body_bytes, 4096u);
  CAF_CHECK_EQUAL(wire::max_frame_bytes, 4100u);
  CAF_CHECK_EQUAL(wire::max_nesting, 8u);
}

CAF_TEST(keys_are_spelled_so) {
  CAF_CHECK_EQUAL(std::string{wire::key_content_version}, "content_version");
  CAF_CHECK_EQUAL(std::string{wire::key_probe_source}, "probe_source");
  CAF_CHECK_EQUAL(std::string{wire::key_guest_pid}, "guest_pid");
  CAF_CHECK_EQUAL(std::string{wire::key_guest_comm}, "guest_comm");
  CAF_CHECK_EQUAL(std::string{wire::key_guest_monotonic_ns}, "guest_monotonic_ns");
  CAF_CHECK_EQUAL(std::string{wire::key_seq}, "seq");
  CAF_CHECK_EQUAL(std::string{wire::key_dropped}, "dropped");
}

CAF_TEST(known_keys_differ_in_length) {
  // The decoder distinguishes them by it.
  const std::set<std::size_t> lengths{
      wire::key_content_version.size(), wire::key_probe_source.size(),       wire::key_guest_pid.size(),
      wire::key_guest_comm.size(),      wire::key_guest_monotonic_ns.size(), wire::key_seq.size(),
      wire::key_dropped.size()};
  CAF_CHECK_EQUAL(lengths.size(), 7u);
}

CAF_TEST(attribution_is_the_hosts_alone) {
  const std::set<std::string_view> keys{wire::attribution_keys.begin(), wire::attribution_keys.end()};
  const std::set<std::string_view> expected{"cell_id", "run_id", "spec_signature_hash", "host_received_at", "output"};
  CAF_CHECK(keys == expected);
}

CAF_TEST(a_length_is_32_bits_little_endian) {
  const auto length = [](std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    const std::uint8_t header[] = {a, b, c, d};
    return wire::body_length(header);
  };
  CAF_CHECK_EQUAL(length(0, 0, 0, 0), 0u);
  CAF_CHECK_EQUAL(length(0x7A, 0, 0, 0), 122u);
  CAF_CHECK_EQUAL(length(0x00, 0x10, 0, 0), 4096u);
  CAF_CHECK_EQUAL(length(0x78, 0x56, 0x34, 0x12), 0x12345678u);
  CAF_CHECK_EQUAL(length(0, 0, 0, 0x80), 0x80000000u);
  CAF_CHECK_EQUAL(length(0xFF, 0xFF, 0xFF, 0xFF), 0xFFFFFFFFu);
}

CAF_TEST(a_body_has_1_to_4096_bytes) {
  CAF_CHECK(!wire::is_frameable(0));
  CAF_CHECK(wire::is_frameable(1));
  CAF_CHECK(wire::is_frameable(4096));
  CAF_CHECK(!wire::is_frameable(4097));
  CAF_CHECK(!wire::is_frameable(0x10000001));
  CAF_CHECK(!wire::is_frameable(0xFFFFFFFF));
}
