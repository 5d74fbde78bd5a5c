#include "runtime/guest_sim/malformed_frames.hpp"

#include <set>
#include <string>

#include "messages/wire_codec.hpp"

#define CAF_SUITE malformed_frames
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;

namespace {

declaration sample() {
  return {.source = "process.spawned", .pid = 1, .comm = "bash", .monotonic_ns = 1, .losses = {}};
}

}  // namespace

CAF_TEST(every_kind_stays_framed_and_differs_from_the_valid_frame) {
  frame_writer valid;
  write_map(valid, sample());
  const std::string intact{valid.framed().begin(), valid.framed().end()};
  std::set<std::string_view> names;
  for (const auto& kind : malformed_kinds()) {
    CAF_MESSAGE(kind.name);
    CAF_CHECK(names.insert(kind.name).second);
    splitmix random{9};
    int spoilt = 0;
    for (int i = 0; i < 500; ++i) {
      frame_writer out;
      kind.write(out, random, sample());
      const auto framed = out.framed();
      if (out.body_bytes() > 0 && std::string(framed.begin(), framed.end()) != intact) ++spoilt;
    }
    CAF_CHECK_EQUAL(spoilt, 500);
  }
}

CAF_TEST(the_hosts_decoder_refuses_every_kind) {
  for (const auto& kind : malformed_kinds()) {
    CAF_MESSAGE(kind.name);
    splitmix random{4};
    int refused = 0;
    for (int i = 0; i < 2000; ++i) {
      frame_writer out;
      kind.write(out, random, sample());
      const auto result = decode_frame_body(out.framed().subspan(wire::frame_header_bytes));
      if (result.refusal == telemetry_errc::malformed_frame) ++refused;
    }
    CAF_CHECK_EQUAL(refused, 2000);
  }
}

CAF_TEST(unknown_sources_are_unknown) {
  splitmix random{1};
  int known = 0;
  for (int i = 0; i < 500; ++i) known += parse_probe_source(unknown_source(random)) ? 1 : 0;
  CAF_CHECK_EQUAL(known, 0);
}

CAF_TEST(a_wrong_major_stands_first_and_is_0_or_2) {
  splitmix random{1};
  std::set<unsigned> majors;
  for (int i = 0; i < 500; ++i) {
    frame_writer out;
    write_wrong_major(out, random);
    // Map head, key of 16 bytes, then the version in one to three bytes.
    const auto version = out.framed().subspan(wire::frame_header_bytes + 17);
    majors.insert(version[0] == 0x19 ? version[1] : 0u);
  }
  CAF_CHECK((majors == std::set<unsigned>{0, 2}));
}
