#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "messages/wire_codec.hpp"
#include "messages/wire_format.hpp"
#include "tests/support/frame_bodies.hpp"
#include "tests/support/frame_oracle.hpp"

#define CAF_SUITE wire_codec_sweep
#include "caf/test/dsl.hpp"

// Damages bodies at every place, then at random, and has a second reader check each (frame_oracle). Every body lies
// in memory of exactly its size, so that AddressSanitizer sees the first byte read beyond it.

using namespace cellos;
using cbor::octets;

namespace {

class comparison {
 public:
  void take(const octets& body) {
    const auto exact = std::make_unique<std::uint8_t[]>(body.size());
    std::copy(body.begin(), body.end(), exact.get());
    const std::span<const std::uint8_t> seen{exact.get(), body.size()};
    ++results_[static_cast<std::size_t>(decode_frame_body(seen).refusal)];
    const std::string disagreement = disagreement_about(seen);
    if (!disagreement.empty() && ++disagreements_ <= 5) CAF_MESSAGE(disagreement << ": " << hex_of(body));
  }

  int disagreements() const { return disagreements_; }
  int count(telemetry_errc result) const { return results_[static_cast<std::size_t>(result)]; }
  int total() const {
    int sum = 0;
    for (int count : results_) sum += count;
    return sum;
  }

 private:
  std::array<int, 8> results_{};
  int disagreements_ = 0;
};

/// Bodies that between them reach every branch of the format.
std::vector<octets> sample_bodies() {
  using namespace cbor;
  auto extended = honest_pairs(wire::content_version_1_1);
  extended = plus(plus(extended, "seq", number(70'000)), "dropped", number(3));
  auto unknown = honest_pairs();
  unknown.insert(unknown.begin() + 2, {"cell_id", map({text("a"), array({negative(5), half_float(0x3C00)})})});
  unknown.insert(unknown.begin() + 3, {"x", open_ended(major::map, {tag(1, simple(99)), simple(3)})});
  unknown.insert(unknown.begin() + 4,
                 {"y", open_ended(major::array, {open_ended(major::text, {text("b")}), boolean(true)})});
  return {body_of(honest_pairs()), body_of(extended), body_of(unknown)};
}

/// Random CBOR of at most so many levels, nearly always well-formed.
class random_frames {
 public:
  explicit random_frames(std::uint64_t seed) : random_(seed) {}

  octets next() {
    auto pairs = honest_pairs(version());
    while (one_in(2)) restructure(pairs);
    octets body = body_of(pairs);
    if (one_in(20)) body = cbor::open_ended(cbor::major::map, {pairs_only(pairs)});
    while (one_in(3)) damage(body);
    return body;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t chances) { return below(chances) == 0; }
  /// Many magnitudes, not only the largest.
  std::uint64_t any_number() { return random_() >> below(64); }

  std::uint16_t version() {
    constexpr std::uint16_t versions[] = {0x0100, 0x0101, 0x0107, 0x01FF, 0x0100, 0x0101, 0x0101, 0x0200};
    return versions[below(std::size(versions))];
  }

  std::string any_text() {
    constexpr std::string_view pieces[] = {"bash", "\xC3\xA9", "\xE2\x80\xA8", "\xF0\x9F\x98\x80",
                                           "\n",   "\"",       "\xED\xA0\x80", "\xC0"};
    std::string out;
    while (!one_in(3)) out += pieces[below(std::size(pieces) - (one_in(8) ? 0 : 2))];
    return out;
  }

  std::string any_key() {
    constexpr std::string_view keys[] = {"content_version",
                                         "probe_source",
                                         "guest_pid",
                                         "guest_comm",
                                         "guest_monotonic_ns",
                                         "seq",
                                         "dropped",
                                         "cell_id",
                                         "run_id",
                                         "spec_signature_hash",
                                         "host_received_at",
                                         "output",
                                         "x",
                                         ""};
    return std::string{keys[below(std::size(keys))]};
  }

  octets any_item(int levels) {
    using namespace cbor;
    switch (below(levels > 0 ? 13 : 8)) {
      case 0: return number(any_number());
      case 1: return negative(any_number());
      case 2: return bytes(any_text());
      case 3: return text(any_text());
      case 4: return simple(static_cast<std::uint8_t>(one_in(2) ? below(24) : 32 + below(224)));
      case 5: return half_float(static_cast<std::uint16_t>(random_()));
      case 6: return double_float(random_());
      case 7: return text(probe_source_names[below(probe_source_names.size())]);
      case 8: return tag(any_number(), any_item(levels - 1));
      case 9: return open_ended(one_in(2) ? major::text : major::bytes, {any_chunks(levels - 1)});
      case 10: return open_ended(major::array, {any_items(below(4), levels - 1)});
      case 11: return open_ended(major::map, {any_items(2 * below(3) + (one_in(10) ? 1 : 0), levels - 1)});
      default: {
        const auto items = below(4);
        return one_in(2) ? join({head(major::array, items), any_items(items, levels - 1)})
                         : join({head(major::map, items), any_items(2 * items, levels - 1)});
      }
    }
  }

  octets any_items(std::uint64_t count, int levels) {
    octets out;
    for (std::uint64_t i = 0; i < count; ++i) out = cbor::join({out, any_item(levels)});
    return out;
  }

  octets any_chunks(int levels) {
    if (one_in(4)) return any_items(1, levels);
    return cbor::repeated(below(3), one_in(2) ? cbor::text("ab") : cbor::bytes("ab"));
  }

  void restructure(body_pairs& pairs) {
    const auto place = [&] { return pairs.begin() + static_cast<std::ptrdiff_t>(below(pairs.size() + 1)); };
    const auto behind_version = [&] { return pairs.empty() || one_in(10) ? place() : pairs.begin() + 1; };
    switch (below(6)) {
      case 0: pairs.insert(behind_version(), {any_key(), any_item(9)}); return;
      case 1: pairs.insert(behind_version(), {one_in(2) ? "seq" : "dropped", cbor::number(any_number())}); return;
      case 2: pairs.insert(behind_version(), {"x", any_item(9)}); return;
      default: break;
    }
    if (pairs.empty()) return;
    auto& chosen = pairs[below(pairs.size())];
    switch (below(5)) {
      case 0: chosen.value = any_item(3); return;
      case 1: std::swap(chosen, pairs[below(pairs.size())]); return;
      case 2: chosen.key = any_key(); return;
      case 3: pairs = with(pairs, "guest_comm", cbor::text(any_text())); return;
      default: pairs = without(pairs, chosen.key); return;
    }
  }

  void damage(octets& body) {
    const auto at = [&] { return body.begin() + static_cast<std::ptrdiff_t>(below(body.size())); };
    if (body.empty()) return;
    switch (below(6)) {
      case 0: *at() ^= static_cast<std::uint8_t>(1 << below(8)); return;
      case 1: *at() = static_cast<std::uint8_t>(random_()); return;
      case 2: body.erase(at(), body.end()); return;
      case 3: body.erase(at()); return;
      case 4: body.insert(at(), static_cast<std::uint8_t>(one_in(3) ? 0xFF : random_())); return;
      default: body.push_back(static_cast<std::uint8_t>(random_())); return;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

CAF_TEST(the_samples_are_accepted) {
  comparison all;
  for (const auto& body : sample_bodies()) all.take(body);
  CAF_CHECK_EQUAL(all.count(telemetry_errc::none), 3);
  CAF_CHECK_EQUAL(all.disagreements(), 0);
}

CAF_TEST(every_prefix_of_a_body_is_malformed) {
  comparison all;
  for (const auto& body : sample_bodies()) {
    for (std::size_t size = 0; size < body.size(); ++size) {
      all.take({body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)});
    }
  }
  CAF_CHECK_GREATER(all.total(), 300);
  CAF_CHECK_EQUAL(all.count(telemetry_errc::malformed_frame), all.total());
  CAF_CHECK_EQUAL(all.disagreements(), 0);
}

CAF_TEST(every_byte_changed_to_every_value_gets_its_result) {
  comparison all;
  for (const auto& body : sample_bodies()) {
    for (std::size_t at = 0; at < body.size(); ++at) {
      auto changed = body;
      for (int value = 0; value <= 0xFF; ++value) {
        changed[at] = static_cast<std::uint8_t>(value);
        all.take(changed);
      }
    }
  }
  CAF_CHECK_EQUAL(all.disagreements(), 0);
  for (auto result : {telemetry_errc::none, telemetry_errc::malformed_frame, telemetry_errc::unsupported_version,
                      telemetry_errc::unknown_probe_source}) {
    CAF_CHECK_GREATER(all.count(result), 100);
  }
}

CAF_TEST(every_byte_removed_or_added_gets_its_result) {
  comparison all;
  for (const auto& body : sample_bodies()) {
    for (std::size_t at = 0; at < body.size(); ++at) {
      const auto place = static_cast<std::ptrdiff_t>(at);
      auto shorter = body;
      shorter.erase(shorter.begin() + place);
      all.take(shorter);
      auto longer = body;
      longer.insert(longer.begin() + place, 0);
      for (int value = 0; value <= 0xFF; ++value) {
        longer[at] = static_cast<std::uint8_t>(value);
        all.take(longer);
      }
    }
  }
  CAF_CHECK_EQUAL(all.disagreements(), 0);
}

CAF_TEST(every_initial_byte_of_an_unknown_value_gets_its_result) {
  comparison all;
  for (int initial = 0; initial <= 0xFF; ++initial) {
    for (std::size_t more = 0; more <= 12; ++more) {
      for (auto filler : octets{0x00, 0x01, 0x20, 0x41, 0x61, 0xFF}) {
        octets value(more + 1, filler);
        value[0] = static_cast<std::uint8_t>(initial);
        all.take(body_of(plus(honest_pairs(), "x", value)));
        all.take(body_of(plus(honest_pairs(), "x", cbor::open_ended(cbor::major::array, {value}))));
      }
    }
  }
  CAF_CHECK_EQUAL(all.disagreements(), 0);
  CAF_CHECK_GREATER(all.count(telemetry_errc::none), 1000);
}

CAF_TEST(random_frames_get_the_result_of_the_second_reader) {
  constexpr std::uint64_t seed = 9001;
  constexpr int frames = 200'000;
  CAF_MESSAGE("seed " << seed);
  random_frames random{seed};
  comparison all;
  for (int i = 0; i < frames; ++i) all.take(random.next());
  CAF_CHECK_EQUAL(all.total(), frames);
  CAF_CHECK_EQUAL(all.disagreements(), 0);
  // Worth nothing if nearly everything fell at the first hurdle.
  CAF_CHECK_GREATER(all.count(telemetry_errc::none), frames / 10);
  CAF_CHECK_GREATER(all.count(telemetry_errc::malformed_frame), frames / 10);
  CAF_CHECK_GREATER(all.count(telemetry_errc::unsupported_version), frames / 100);
  CAF_CHECK_GREATER(all.count(telemetry_errc::unknown_probe_source), frames / 1000);
}
