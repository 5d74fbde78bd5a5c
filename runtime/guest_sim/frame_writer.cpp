#include "runtime/guest_sim/frame_writer.hpp"

#include <bit>
#include <stdexcept>

namespace cellos::guest_sim {

namespace {

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::span<const std::uint8_t> frame_writer::framed() {
  const auto length = body_bytes();
  for (std::size_t i = 0; i < wire::frame_header_bytes; ++i) buffer_[i] = static_cast<std::uint8_t>(length >> 8 * i);
  return {buffer_.data(), end_};
}

void frame_writer::refuse_growth() { throw std::length_error("frame body over its limit"); }

void frame_writer::wide_head(major_type type, std::uint64_t argument, std::size_t bytes) {
  auto* place = grow(1 + bytes);
  *place = initial_byte(type, 24u + static_cast<unsigned>(std::countr_zero(bytes)));
  for (std::size_t i = bytes; i > 0; --i, argument >>= 8) place[i] = static_cast<std::uint8_t>(argument);
}

void frame_writer::bytes(std::span<const std::uint8_t> value) {
  head(major_type::bytes, value.size());
  raw(value);
}

void frame_writer::text(std::string_view value) {
  head(major_type::text, value.size());
  raw(as_bytes(value));
}

void frame_writer::float64(double value) {
  wide_head(major_type::simple, std::bit_cast<std::uint64_t>(value), sizeof value);
}

std::string_view key_of(field which) {
  switch (which) {
    case field::content_version: return wire::key_content_version;
    case field::probe_source: return wire::key_probe_source;
    case field::guest_pid: return wire::key_guest_pid;
    case field::guest_comm: return wire::key_guest_comm;
    case field::guest_monotonic_ns: return wire::key_guest_monotonic_ns;
  }
  return {};
}

void write_pair(frame_writer& out, const declaration& declared, field which) {
  out.text(key_of(which));
  switch (which) {
    case field::content_version: return out.unsigned_int(declared.content_version);
    case field::probe_source: return out.text(declared.source);
    case field::guest_pid: return out.unsigned_int(declared.pid);
    case field::guest_comm: return out.text(declared.comm);
    case field::guest_monotonic_ns: return out.unsigned_int(declared.monotonic_ns);
  }
}

void write_loss_pairs(frame_writer& out, const declaration& declared) {
  if (!declared.losses) return;
  out.text(wire::key_seq);
  out.unsigned_int(declared.losses->seq);
  out.text(wire::key_dropped);
  out.unsigned_int(declared.losses->dropped);
}

void write_map(frame_writer& out, const declaration& declared) {
  out.map(declared.pairs());
  for (auto which : fields) write_pair(out, declared, which);
  write_loss_pairs(out, declared);
}

}  // namespace cellos::guest_sim
