#include "runtime/guest_sim/frame_writer.hpp"

#include <stdexcept>
#include <string>

#define CAF_SUITE frame_writer
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;

namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string hex_of_body(frame_writer& out) { return hex(out.framed().subspan(wire::frame_header_bytes)); }

template <class Write>
std::string written(Write write) {
  frame_writer out;
  write(out);
  return hex_of_body(out);
}

bool overflows(frame_writer& out) {
  try {
    out.byte(0);
    return false;
  } catch (const std::length_error&) {
    return true;
  }
}

declaration sample() {
  return {.source = "process.spawned", .pid = 4711, .comm = "b\xc3\xa4sh", .monotonic_ns = 5'000'000'000, .losses = {}};
}

// content_version: 256, probe_source: process.spawned, guest_pid: 4711, guest_comm: bäsh, guest_monotonic_ns: 5e9.
constexpr std::string_view five_pairs =
    "6f636f6e74656e745f76657273696f6e"
    "190100"
    "6c70726f62655f736f75726365"
    "6f70726f636573732e737061776e6564"
    "6967756573745f706964"
    "191267"
    "6a67756573745f636f6d6d"
    "6562c3a47368"
    "7267756573745f6d6f6e6f746f6e69635f6e73"
    "1b000000012a05f200";

}  // namespace

CAF_TEST(a_version_1_0_frame_is_the_agents_bytes_exactly) {
  frame_writer out;
  write_map(out, sample());
  CAF_CHECK_EQUAL(hex(out.framed()), "6b000000a5" + std::string{five_pairs});
}

CAF_TEST(a_version_1_1_frame_adds_seq_and_dropped_at_the_end) {
  auto declared = sample();
  declared.losses = loss_counters{.seq = 23, .dropped = 24};
  frame_writer out;
  write_map(out, declared);
  CAF_CHECK_EQUAL(hex_of_body(out), "a7" + std::string{five_pairs} + "6373657117" + "6764726f707065641818");
}

CAF_TEST(heads_take_the_shortest_form) {
  const auto unsigned_int = [](std::uint64_t value) {
    return written([=](frame_writer& out) { out.unsigned_int(value); });
  };
  // RFC 8949, appendix A.
  CAF_CHECK_EQUAL(unsigned_int(0), "00");
  CAF_CHECK_EQUAL(unsigned_int(23), "17");
  CAF_CHECK_EQUAL(unsigned_int(24), "1818");
  CAF_CHECK_EQUAL(unsigned_int(255), "18ff");
  CAF_CHECK_EQUAL(unsigned_int(256), "190100");
  CAF_CHECK_EQUAL(unsigned_int(65536), "1a00010000");
  CAF_CHECK_EQUAL(unsigned_int(1'000'000'000'000), "1b000000e8d4a51000");
  CAF_CHECK_EQUAL(unsigned_int(UINT64_MAX), "1bffffffffffffffff");
}

CAF_TEST(every_major_type_is_spelled_as_the_rfc_does) {
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.negative_int(999); }), "3903e7");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.bytes(std::array<std::uint8_t, 2>{1, 2}); }), "420102");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.text("IETF"); }), "6449455446");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.array(25); }), "9819");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.map(0); }), "a0");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.tag(55799); }), "d9d9f7");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.float64(1.1); }), "fb3ff199999999999a");
  CAF_CHECK_EQUAL(written([](frame_writer& out) { out.wide_head(major_type::unsigned_int, 7, 8); }),
                  "1b0000000000000007");
  CAF_CHECK_EQUAL(written([](frame_writer& out) {
                    out.begin_indefinite(major_type::text);
                    out.boolean(true);
                    out.null();
                    out.end_indefinite();
                  }),
                  "7ff5f6ff");
}

CAF_TEST(a_body_fills_up_to_its_limit_and_not_beyond) {
  frame_writer out;
  for (std::size_t i = 0; i < wire::max_frame_body_bytes; ++i) out.byte(0);
  CAF_CHECK_EQUAL(hex(out.framed().first(4)), "00100000");
  CAF_CHECK(overflows(out));
  out.start();
  CAF_CHECK_EQUAL(out.body_bytes(), 0u);
}
