#include "runtime/guest_sim/malformed_frames.hpp"

#include <array>

namespace cellos::guest_sim {

namespace {

using namespace std::string_view_literals;

void noise(frame_writer& out, splitmix& random, std::uint32_t bytes) {
  for (std::uint32_t i = 0; i < bytes; ++i) out.byte(random.byte());
}

/// The five pairs, those of `replaced` left to `write_instead`.
template <class Write>
void pairs_except(frame_writer& out, const declaration& declared, field replaced, Write write_instead) {
  for (auto which : fields) {
    if (which == replaced) {
      write_instead();
    } else {
      write_pair(out, declared, which);
    }
  }
}

/// A valid map but for one more pair, whose value is the caller's to write.
void map_with_unknown_key_last(frame_writer& out, const declaration& declared) {
  out.map(6);
  for (auto which : fields) write_pair(out, declared, which);
  out.text("note");
}

void not_a_map(frame_writer& out, splitmix& random, const declaration&) {
  auto first = random.byte();
  if (first >> 5 == static_cast<unsigned>(major_type::map)) first ^= 0x80;
  out.byte(first);
  noise(out, random, random.below(200));
}

void first_key_not_text(frame_writer& out, splitmix& random, const declaration&) {
  out.map(5);
  auto key = random.byte();
  if (key >> 5 == static_cast<unsigned>(major_type::text)) key ^= 0x80;
  out.byte(key);
  noise(out, random, random.below(200));
}

void empty_map(frame_writer& out, splitmix&, const declaration&) { out.map(0); }

void cut_short(frame_writer& out, splitmix& random, const declaration& declared) {
  write_map(out, declared);
  out.cut_body(random.between(1, static_cast<std::uint32_t>(out.body_bytes()) - 1));
}

void trailing_bytes(frame_writer& out, splitmix& random, const declaration& declared) {
  write_map(out, declared);
  noise(out, random, random.between(1, 16));
}

/// Anything but an unsigned integer or a text.
void value_of_no_field(frame_writer& out, splitmix& random) {
  switch (random.below(8)) {
    case 0: return out.negative_int(random.below(5000));
    case 1: return out.bytes(std::array<std::uint8_t, 4>{'b', 'a', 's', 'h'});
    case 2: return out.array(0);
    case 3: return out.map(0);
    case 4: return out.null();
    case 5: return out.boolean(true);
    case 6: return out.float64(256.0);
    default:
      // A bignum: still wrong for a decoder that looks through tags.
      out.tag(2);
      return out.bytes(std::array<std::uint8_t, 2>{0x01, 0x00});
  }
}

void wrong_type(frame_writer& out, splitmix& random, const declaration& declared) {
  const auto which = random.pick(fields);
  const bool is_text = which == field::probe_source || which == field::guest_comm;
  out.map(5);
  pairs_except(out, declared, which, [&] {
    out.text(key_of(which));
    if (!random.one_in(3)) return value_of_no_field(out, random);
    if (is_text) return out.unsigned_int(random.next());
    out.text("256");
  });
}

void missing_key(frame_writer& out, splitmix& random, const declaration& declared) {
  out.map(4);
  pairs_except(out, declared, random.pick(fields), [] {});
}

void duplicate_key(frame_writer& out, splitmix& random, const declaration& declared) {
  const auto which = random.pick(fields);
  const bool at_once = random.one_in(2);
  out.map(6);
  pairs_except(out, declared, which, [&] {
    write_pair(out, declared, which);
    if (at_once) write_pair(out, declared, which);
  });
  if (!at_once) write_pair(out, declared, which);
}

void version_not_first(frame_writer& out, splitmix& random, const declaration& declared) {
  const auto place = random.between(1, 4);
  out.map(5);
  for (std::uint32_t i = 1; i < fields.size(); ++i) {
    write_pair(out, declared, fields[i]);
    if (i == place) write_pair(out, declared, field::content_version);
  }
}

void unknown_key_first(frame_writer& out, splitmix& random, const declaration& declared) {
  out.map(6);
  out.text("note");
  out.unsigned_int(random.below(1000));
  for (auto which : fields) write_pair(out, declared, which);
}

void overflowed_width(frame_writer& out, splitmix& random, const declaration& declared) {
  const auto which = random.one_in(2) ? field::content_version : field::guest_pid;
  out.map(5);
  pairs_except(out, declared, which, [&] {
    out.text(key_of(which));
    // Cut to its width, each would pass.
    if (which == field::content_version) return out.unsigned_int(0x10000u + declared.content_version);
    out.unsigned_int((std::uint64_t{random.between(1, 0xffff)} << 32) + declared.pid);
  });
}

void invalid_utf8(frame_writer& out, splitmix& random, const declaration& declared) {
  static constexpr std::array spoiled{
      "\x80"sv,
      "ba\xffsh"sv,
      "\xc0\xaf"sv,
      "\xc3("sv,
      "\xe2\x82"sv,
      "\xe0\x80\xaf"sv,
      "sur\xed\xa0\x80"sv,
      "\xf0\x9f\x98"sv,
      "\xf5\x80\x80\x80"sv,
      "\xf4\x90\x80\x80"sv,
      "\xf8\x88\x80"sv,
      "process.spawned\x80"sv,
  };
  auto spoilt = declared;
  (random.one_in(3) ? spoilt.source : spoilt.comm) = random.pick(spoiled);
  write_map(out, spoilt);
}

void indefinite_outer_map(frame_writer& out, splitmix&, const declaration& declared) {
  out.begin_indefinite(major_type::map);
  for (auto which : fields) write_pair(out, declared, which);
  out.end_indefinite();
}

void tagged_outer_map(frame_writer& out, splitmix& random, const declaration& declared) {
  constexpr std::uint64_t self_described_cbor = 55799;
  out.tag(random.one_in(2) ? self_described_cbor : random.next() >> random.between(0, 62));
  write_map(out, declared);
}

void too_deep(frame_writer& out, splitmix& random, const declaration& declared) {
  map_with_unknown_key_last(out, declared);
  // The frame's own map is the first level. One in four goes far beyond, for decoders that recurse.
  const auto levels = random.one_in(4) ? random.between(100, 1500) : random.between(wire::max_nesting, 20);
  for (std::uint32_t i = 0; i < levels; ++i) {
    if (random.one_in(2)) {
      out.array(1);
    } else {
      out.map(1);
      out.unsigned_int(0);
    }
  }
  out.null();
}

void map_count_too_large(frame_writer& out, splitmix& random, const declaration& declared) {
  static constexpr std::array<std::uint64_t, 6> counts{6, 23, 24, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff};
  out.map(random.pick(counts));
  for (auto which : fields) write_pair(out, declared, which);
}

void map_count_too_small(frame_writer& out, splitmix& random, const declaration& declared) {
  out.map(random.between(1, 4));
  for (auto which : fields) write_pair(out, declared, which);
}

void overlong_text(frame_writer& out, splitmix& random, const declaration& declared) {
  static constexpr std::array<std::uint64_t, 6> lengths{
      500, wire::max_frame_body_bytes, 0xffffffff, 0x7fffffffffffffff, 0xfffffffffffffff0, 0xffffffffffffffff};
  out.map(5);
  pairs_except(out, declared, field::guest_comm, [&] {
    out.text(wire::key_guest_comm);
    out.head(major_type::text, random.pick(lengths));
  });
}

void reserved_head(frame_writer& out, splitmix& random, const declaration& declared) {
  map_with_unknown_key_last(out, declared);
  out.byte(static_cast<std::uint8_t>(random.below(8) << 5 | random.between(28, 30)));
}

void stray_break(frame_writer& out, splitmix& random, const declaration& declared) {
  map_with_unknown_key_last(out, declared);
  if (random.one_in(2)) out.array(1);
  out.end_indefinite();
}

void unclosed_indefinite(frame_writer& out, splitmix& random, const declaration& declared) {
  static constexpr std::array types{major_type::bytes, major_type::text, major_type::array, major_type::map};
  map_with_unknown_key_last(out, declared);
  out.begin_indefinite(random.pick(types));
}

void wrong_chunk_type(frame_writer& out, splitmix& random, const declaration& declared) {
  map_with_unknown_key_last(out, declared);
  out.begin_indefinite(random.one_in(2) ? major_type::bytes : major_type::text);
  out.unsigned_int(random.below(24));
  out.end_indefinite();
}

void odd_indefinite_map(frame_writer& out, splitmix&, const declaration& declared) {
  map_with_unknown_key_last(out, declared);
  out.begin_indefinite(major_type::map);
  out.text("key without value");
  out.end_indefinite();
}

constexpr std::array kinds{
    malformed_kind{"not_a_map", not_a_map},
    malformed_kind{"first_key_not_text", first_key_not_text},
    malformed_kind{"empty_map", empty_map},
    malformed_kind{"cut_short", cut_short},
    malformed_kind{"trailing_bytes", trailing_bytes},
    malformed_kind{"wrong_type", wrong_type},
    malformed_kind{"missing_key", missing_key},
    malformed_kind{"duplicate_key", duplicate_key},
    malformed_kind{"version_not_first", version_not_first},
    malformed_kind{"unknown_key_first", unknown_key_first},
    malformed_kind{"overflowed_width", overflowed_width},
    malformed_kind{"invalid_utf8", invalid_utf8},
    malformed_kind{"indefinite_outer_map", indefinite_outer_map},
    malformed_kind{"tagged_outer_map", tagged_outer_map},
    malformed_kind{"too_deep", too_deep},
    malformed_kind{"map_count_too_large", map_count_too_large},
    malformed_kind{"map_count_too_small", map_count_too_small},
    malformed_kind{"overlong_text", overlong_text},
    malformed_kind{"reserved_head", reserved_head},
    malformed_kind{"stray_break", stray_break},
    malformed_kind{"unclosed_indefinite", unclosed_indefinite},
    malformed_kind{"wrong_chunk_type", wrong_chunk_type},
    malformed_kind{"odd_indefinite_map", odd_indefinite_map},
};

}  // namespace

std::span<const malformed_kind> malformed_kinds() { return kinds; }

void write_wrong_major(frame_writer& out, splitmix& random) {
  out.map(5);
  out.text(wire::key_content_version);
  out.unsigned_int((random.one_in(2) ? 0x0200u : 0u) + random.byte());
  noise(out, random, random.below(100));
}

std::string_view unknown_source(splitmix& random) {
  static constexpr std::array names{
      ""sv,
      "process.spawn"sv,
      "process.spawned "sv,
      "process.spawned\0"sv,
      "Process.Spawned"sv,
      "process_spawned"sv,
      "host.cgroup"sv,
      "cell.observability.guest.agent_silenced"sv,
      "agent.heartbeats"sv,
      "dns.\xc3\xbc"
      "berraschung"sv,
      "evil\r\n\x1b[31mfake log line"sv,
      "a.very.long.probe.source.that.no.one.has.ever.heard.of.and.that.nobody.will.ever.hear.of.again"sv,
  };
  return random.pick(names);
}

}  // namespace cellos::guest_sim
