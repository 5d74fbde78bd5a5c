#include "messages/frame_listing.hpp"

#include "messages/wire_format.hpp"
#include "tests/support/frame_bodies.hpp"

#define CAF_SUITE frame_listing
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

const cbor::octets honest = framed(body_of(honest_pairs()));

}  // namespace

CAF_TEST(no_bytes_are_no_frames) { CAF_CHECK(list_frames({}).empty()); }

CAF_TEST(each_frame_is_found_where_it_stands_and_a_bad_one_costs_itself) {
  const cbor::octets refused = framed({0xA0, 1, 2});
  const cbor::octets bytes = cbor::join({honest, refused, honest});
  const auto frames = list_frames(bytes);
  CAF_REQUIRE_EQUAL(frames.size(), 3u);
  CAF_CHECK_EQUAL(frames[0].offset, 0u);
  CAF_CHECK_EQUAL(frames[1].offset, honest.size());
  CAF_CHECK_EQUAL(frames[2].offset, honest.size() + refused.size());
  CAF_CHECK_EQUAL(frames[0].length.value_or(0), honest.size() - wire::frame_header_bytes);
  CAF_CHECK_EQUAL(frames[1].length.value_or(0), 3u);
  CAF_CHECK(frames[0].decoded.refusal == telemetry_errc::none);
  CAF_CHECK(frames[1].decoded.refusal == telemetry_errc::malformed_frame);
  CAF_CHECK(frames[2].decoded.refusal == telemetry_errc::none);
  CAF_CHECK_EQUAL(frames[2].decoded.declaration.guest_pid, 4242u);
  CAF_CHECK_EQUAL(frames[1].body.data() - bytes.data(), static_cast<std::ptrdiff_t>(honest.size() + 4));
}

CAF_TEST(wherever_the_bytes_end_the_last_frame_is_torn_there) {
  for (std::size_t cut = 1; cut < honest.size(); ++cut) {
    cbor::octets bytes = honest;
    bytes.insert(bytes.end(), honest.begin(), honest.begin() + static_cast<std::ptrdiff_t>(cut));
    const auto frames = list_frames(bytes);
    CAF_REQUIRE_EQUAL(frames.size(), 2u);
    CAF_CHECK(frames[1].decoded.refusal == telemetry_errc::torn_frame);
    CAF_CHECK_EQUAL(frames[1].length.has_value(), cut >= wire::frame_header_bytes);
    CAF_CHECK_EQUAL(frames[1].body.size(), cut < wire::frame_header_bytes ? 0 : cut - wire::frame_header_bytes);
  }
}

CAF_TEST(a_length_that_no_frame_has_ends_the_list) {
  for (const cbor::octets& length : {cbor::octets{0, 0, 0, 0}, cbor::octets{1, 16, 0, 0}}) {
    const cbor::octets bytes = cbor::join({honest, length, honest});
    const auto frames = list_frames(bytes);
    CAF_REQUIRE_EQUAL(frames.size(), 2u);
    CAF_CHECK(frames[1].decoded.refusal == telemetry_errc::framing_lost);
    CAF_CHECK_EQUAL(frames[1].body.size(), honest.size());
  }
}
