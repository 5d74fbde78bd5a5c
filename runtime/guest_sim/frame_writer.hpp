#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "messages/probe_source.hpp"
#include "messages/wire_format.hpp"

namespace cellos::guest_sim {

/// RFC 8949 major types.
enum class major_type : std::uint8_t { unsigned_int, negative_int, bytes, text, array, map, tag, simple };

/// Writes one frame at a time: the length, then CBOR items as they are asked for, well-formed or not.
///
/// Written from RFC 8949 without a CBOR library, so that the host's decoder and this encoder check each other. Throws
/// `std::length_error` where a body would outgrow `wire::max_frame_body_bytes`.
class frame_writer {
 public:
  /// Forgets the frame before.
  void start() { end_ = wire::frame_header_bytes; }

  /// The frame so far, its length filled in. Valid until the next `start`.
  std::span<const std::uint8_t> framed();

  std::size_t body_bytes() const { return end_ - wire::frame_header_bytes; }

  /// Drops the end of the body.
  void cut_body(std::size_t keep) { end_ = wire::frame_header_bytes + keep; }

  /// An item's head in the shortest form.
  void head(major_type type, std::uint64_t argument) {
    if (argument < 24) return byte(initial_byte(type, static_cast<unsigned>(argument)));
    wide_head(type, argument, argument_bytes(argument));
  }
  /// An item's head with the argument in 1, 2, 4 or 8 bytes, needed or not.
  void wide_head(major_type type, std::uint64_t argument, std::size_t bytes);
  void byte(std::uint8_t value) { *grow(1) = value; }
  void raw(std::span<const std::uint8_t> bytes) {
    if (!bytes.empty()) std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
  }

  void unsigned_int(std::uint64_t value) { head(major_type::unsigned_int, value); }
  /// -1 - `magnitude`.
  void negative_int(std::uint64_t magnitude) { head(major_type::negative_int, magnitude); }
  void bytes(std::span<const std::uint8_t> value);
  void text(std::string_view value);
  void array(std::uint64_t items) { head(major_type::array, items); }
  void map(std::uint64_t pairs) { head(major_type::map, pairs); }
  void tag(std::uint64_t number) { head(major_type::tag, number); }
  void float64(double value);
  void boolean(bool value) { byte(value ? 0xf5 : 0xf4); }
  void null() { byte(0xf6); }
  void undefined() { byte(0xf7); }
  /// For bytes, text, arrays and maps; ended by `end_indefinite`.
  void begin_indefinite(major_type type) { byte(initial_byte(type, 31)); }
  void end_indefinite() { byte(0xff); }

 private:
  static std::uint8_t initial_byte(major_type type, unsigned additional) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 5 | additional);
  }
  static std::size_t argument_bytes(std::uint64_t argument) {
    if (argument <= 0xff) return 1;
    if (argument <= 0xffff) return 2;
    return argument <= 0xffffffff ? 4 : 8;
  }
  [[noreturn]] static void refuse_growth();

  std::uint8_t* grow(std::size_t bytes) {
    if (bytes > buffer_.size() - end_) refuse_growth();
    auto* place = buffer_.data() + end_;
    end_ += bytes;
    return place;
  }

  std::array<std::uint8_t, wire::max_frame_bytes> buffer_;
  std::size_t end_ = wire::frame_header_bytes;
};

/// What a version 1.1 agent adds to each frame.
struct loss_counters {
  std::uint64_t seq = 0;
  std::uint64_t dropped = 0;
};

/// One declaration as an agent would put it on the wire.
struct declaration {
  std::uint16_t content_version = wire::content_version_1_0;
  std::string_view source;
  std::uint32_t pid = 0;
  std::string_view comm;
  std::uint64_t monotonic_ns = 0;
  std::optional<loss_counters> losses;

  /// Pairs in its map.
  std::uint64_t pairs() const { return losses ? 7 : 5; }
};

/// The five keys every frame has, in the agent's order.
enum class field : std::uint8_t { content_version, probe_source, guest_pid, guest_comm, guest_monotonic_ns };
inline constexpr std::array fields{field::content_version, field::probe_source, field::guest_pid, field::guest_comm,
                                   field::guest_monotonic_ns};
std::string_view key_of(field which);

void write_pair(frame_writer& out, const declaration& declared, field which);
/// `seq` and `dropped`; nothing in version 1.0.
void write_loss_pairs(frame_writer& out, const declaration& declared);
/// The whole map, exactly as the agent orders it.
void write_map(frame_writer& out, const declaration& declared);

}  // namespace cellos::guest_sim
