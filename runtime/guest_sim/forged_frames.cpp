#include "runtime/guest_sim/forged_frames.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace cellos::guest_sim {

namespace {

using namespace std::string_view_literals;

/// Well-formed CBOR values of every kind, bounded in depth and in total size over one frame.
class value_writer {
 public:
  value_writer(frame_writer& out, splitmix& random) : out_(out), random_(random) {}

  void write(std::uint32_t depth_left) {
    if (items_left_ == 0) return out_.unsigned_int(0);
    --items_left_;
    if (depth_left > 0 && random_.one_in(3)) return container(depth_left - 1);
    leaf(depth_left);
  }

  /// Arrays and maps within each other until the frame's own map makes it exactly `wire::max_nesting`.
  void deepest() {
    for (std::size_t level = 1; level < wire::max_nesting; ++level) {
      if (random_.one_in(2)) {
        out_.array(1);
      } else {
        out_.map(1);
        out_.text(random_.one_in(2) ? "run_id"sv : "deeper"sv);
      }
    }
    out_.null();
  }

 private:
  void leaf(std::uint32_t depth_left) {
    switch (random_.below(12)) {
      case 0: return out_.unsigned_int(random_.next() >> random_.below(64));
      case 1: return out_.negative_int(random_.next() >> random_.below(64));
      case 2: return wide_unsigned_int();
      case 3: return byte_string();
      case 4: return out_.text(some_text());
      case 5: return out_.float64(static_cast<double>(random_.below(1000)) / 8.0);
      case 6: return out_.wide_head(major_type::simple, random_.below(0x10000), 2);
      case 7: return out_.wide_head(major_type::simple, random_.next() >> 32, 4);
      case 8: return out_.boolean(random_.one_in(2));
      case 9: return random_.one_in(2) ? out_.null() : out_.undefined();
      case 10: return indefinite_string();
      default: out_.tag(random_.next() >> random_.below(64)); return write(depth_left);
    }
  }

  void container(std::uint32_t depth_left) {
    const bool is_map = random_.one_in(2);
    const auto type = is_map ? major_type::map : major_type::array;
    const bool indefinite = random_.one_in(3);
    const auto count = random_.below(4);
    if (indefinite) {
      out_.begin_indefinite(type);
    } else {
      out_.head(type, count);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      if (is_map) inner_key();
      write(depth_left);
    }
    if (indefinite) out_.end_indefinite();
  }

  /// An attribution name in here is part of an unread value and counts for nothing.
  void inner_key() {
    switch (random_.below(4)) {
      case 0: return out_.unsigned_int(random_.below(100));
      case 1: return out_.text(random_.pick(wire::attribution_keys));
      case 2: return out_.text(key_of(random_.pick(fields)));
      default: return out_.text(some_text());
    }
  }

  void wide_unsigned_int() {
    const auto value = random_.byte();
    out_.wide_head(major_type::unsigned_int, value, std::size_t{1} << random_.below(4));
  }

  void byte_string() {
    const auto length = random_.below(30);
    out_.head(major_type::bytes, length);
    for (std::uint32_t i = 0; i < length; ++i) out_.byte(random_.byte());
  }

  void indefinite_string() {
    const bool is_text = random_.one_in(2);
    out_.begin_indefinite(is_text ? major_type::text : major_type::bytes);
    for (auto chunks = random_.below(3); chunks > 0; --chunks) {
      if (is_text) {
        out_.text(some_text());
      } else {
        byte_string();
      }
    }
    out_.end_indefinite();
  }

  std::string_view some_text() {
    static constexpr std::array texts{
        ""sv, "cell-2"sv, "run-8"sv, "sha256:0000"sv, "2031-01-01T00:00:00Z"sv, "proven"sv, "\xe2\x82\xac\n\x1b[0m"sv,
    };
    return random_.pick(texts);
  }

  frame_writer& out_;
  splitmix& random_;
  std::uint32_t items_left_ = 24;
};

/// Names that are neither the agent's nor attribution, though some look like it.
std::string_view unknown_key(splitmix& random) {
  static constexpr std::array names{
      ""sv,
      "labels"sv,
      "cellId"sv,
      "CELL_ID"sv,
      "cell_id "sv,
      "cell_id\0"sv,
      "run_id2"sv,
      "outpu"sv,
      "outputs"sv,
      "host_received"sv,
      "spec_id"sv,
      "tier"sv,
      "epistemicStatus"sv,
      "guest"sv,
      "guest_pid_"sv,
      "content_versio"sv,
      "\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87"sv,
      "\r\n\x1b[2J"sv,
      "a.key.that.is.rather.longer.than.any.that.an.agent.of.any.version.writes.or.ever.will.write"sv,
  };
  return random.pick(names);
}

void write_output_block(frame_writer& out) {
  out.text("output");
  out.map(3);
  out.text("epistemicStatus");
  out.text("proven");
  out.text("tier");
  out.unsigned_int(4);
  out.text("ruleClass");
  out.text("hostObservation");
}

struct extra_pair {
  enum class kind : std::uint8_t { unknown, attribution, output_block, deepest } what;
  std::string_view key;
};

extra_pair draw_extra(splitmix& random, bool may_forge) {
  using kind = extra_pair::kind;
  if (random.one_in(16)) return {kind::deepest, unknown_key(random)};
  if (!may_forge || random.one_in(3)) return {kind::unknown, unknown_key(random)};
  if (random.one_in(4)) return {kind::output_block, "output"};
  return {kind::attribution, random.pick(wire::attribution_keys)};
}

void write_extra(frame_writer& out, value_writer& values, const extra_pair& extra) {
  constexpr std::uint32_t value_depth = 4;
  if (extra.what == extra_pair::kind::output_block) return write_output_block(out);
  out.text(extra.key);
  if (extra.what == extra_pair::kind::deepest) return values.deepest();
  values.write(value_depth);
}

/// Fills the body up to its last allowed byte.
void write_padding(frame_writer& out) {
  constexpr std::size_t two_byte_head = 3;
  out.text("padding");
  const auto length = wire::max_frame_body_bytes - out.body_bytes() - two_byte_head;
  out.wide_head(major_type::bytes, length, 2);
  for (std::size_t i = 0; i < length; ++i) out.byte('.');
}

}  // namespace

bool write_forged(frame_writer& out, splitmix& random, const declaration& declared) {
  const bool may_forge = !random.one_in(5);
  const bool padded = random.one_in(32);
  std::array<extra_pair, 6> drawn{};
  const auto extras = std::span{drawn}.first(random.between(1, 6));
  for (auto& extra : extras) extra = draw_extra(random, may_forge);

  value_writer values{out, random};
  out.map(declared.pairs() + extras.size() + (padded ? 1 : 0));
  write_pair(out, declared, field::content_version);
  std::size_t next_field = 1;
  for (const auto& extra : extras) {
    while (next_field < fields.size() && random.one_in(2)) write_pair(out, declared, fields[next_field++]);
    write_extra(out, values, extra);
  }
  while (next_field < fields.size()) write_pair(out, declared, fields[next_field++]);
  write_loss_pairs(out, declared);
  if (padded) write_padding(out);

  return std::ranges::any_of(extras, [](const extra_pair& extra) {
    return extra.what == extra_pair::kind::attribution || extra.what == extra_pair::kind::output_block;
  });
}

}  // namespace cellos::guest_sim
