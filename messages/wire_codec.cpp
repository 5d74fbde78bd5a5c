// A frame body is one definite CBOR map with text keys. libcbor's streaming decoder turns bytes into one item at a time
// without allocating; its callbacks only note what the item was, so that the grammar below reads as a pull parser:
//
//   body  = map(n) n*pair                       nothing may follow
//   pair  = text value                          `content_version` must be the first
//   value = what its key asks for, or, behind an unknown key, any well-formed item, skipped unread
//
// Refusals are decided in this order: form of the map, version, form of the rest, meaning (probe source).

#include "messages/wire_codec.hpp"

#include <cbor.h>

#include <array>
#include <limits>

#include "messages/utf8.hpp"
#include "messages/wire_format.hpp"

namespace cellos {

namespace {

enum class item_kind : std::uint8_t {
  unsigned_integer,
  text,
  text_chunks_start,
  bytes,
  bytes_chunks_start,
  array,
  array_open_ended,
  map,
  map_open_ended,
  tag,
  /// Negative integers, floats, booleans, null, undefined, other simple values: complete in themselves.
  scalar,
  stop,
};

struct item {
  item_kind kind{};
  /// Integer value, or number of elements or pairs.
  std::uint64_t number = 0;
  /// Content of a definite text string.
  std::string_view text;
};

item& as_item(void* context) { return *static_cast<item*>(context); }

template <class Unsigned>
void on_unsigned(void* context, Unsigned value) {
  as_item(context) = {item_kind::unsigned_integer, value, {}};
}
template <class Value>
void on_scalar(void* context, Value) {
  as_item(context).kind = item_kind::scalar;
}
void on_bare_scalar(void* context) { as_item(context).kind = item_kind::scalar; }
void on_text(void* context, cbor_data data, size_t bytes) {
  as_item(context) = {item_kind::text, 0, {reinterpret_cast<const char*>(data), bytes}};
}
void on_bytes(void* context, cbor_data, size_t) { as_item(context).kind = item_kind::bytes; }
template <item_kind Kind>
void on_start(void* context) {
  as_item(context).kind = Kind;
}
template <item_kind Kind>
void on_sized_start(void* context, size_t size) {
  as_item(context) = {Kind, size, {}};
}

const cbor_callbacks note_item{
    .uint8 = on_unsigned<std::uint8_t>,
    .uint16 = on_unsigned<std::uint16_t>,
    .uint32 = on_unsigned<std::uint32_t>,
    .uint64 = on_unsigned<std::uint64_t>,
    .negint64 = on_scalar<std::uint64_t>,
    .negint32 = on_scalar<std::uint32_t>,
    .negint16 = on_scalar<std::uint16_t>,
    .negint8 = on_scalar<std::uint8_t>,
    .byte_string_start = on_start<item_kind::bytes_chunks_start>,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = on_start<item_kind::text_chunks_start>,
    .indef_array_start = on_start<item_kind::array_open_ended>,
    .array_start = on_sized_start<item_kind::array>,
    .indef_map_start = on_start<item_kind::map_open_ended>,
    .map_start = on_sized_start<item_kind::map>,
    .tag = on_sized_start<item_kind::tag>,
    .float2 = on_scalar<float>,
    .float4 = on_scalar<float>,
    .float8 = on_scalar<double>,
    .undefined = on_bare_scalar,
    .null = on_bare_scalar,
    .boolean = on_scalar<bool>,
    .indef_break = on_start<item_kind::stop>,
};

/// Pulls one CBOR item after the other out of a body.
class item_reader {
 public:
  explicit item_reader(std::span<const std::uint8_t> body) : rest_(body) {}

  /// False at the end of the bytes and at anything that is not CBOR.
  bool next(item& out) {
    if (rest_.empty()) return false;
    if (const std::size_t bytes = unassigned_simple_bytes()) {
      out.kind = item_kind::scalar;
      rest_ = rest_.subspan(bytes);
      return true;
    }
    if (is_short_tag_libcbor_refuses()) {
      out.kind = item_kind::tag;
      rest_ = rest_.subspan(1);
      return true;
    }
    const cbor_decoder_result result = cbor_stream_decode(rest_.data(), rest_.size(), &note_item, &out);
    if (result.status != CBOR_DECODER_FINISHED) return false;
    rest_ = rest_.subspan(result.read);
    return true;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  /// Length of a simple value that has no meaning yet, else 0. Well-formed CBOR (RFC 8949, 3.3), but libcbor refuses
  /// it.
  std::size_t unassigned_simple_bytes() const {
    constexpr std::uint8_t simple_major = 0xE0;
    const auto info = static_cast<std::uint8_t>(rest_[0] - simple_major);
    if (rest_[0] < simple_major) return 0;
    if (info < 20) return 1;
    return info == 24 && rest_.size() > 1 && rest_[1] >= 32 ? 2 : 0;
  }

  /// Tags 6 to 20 in one byte. libcbor takes these numbers in their longer forms only.
  bool is_short_tag_libcbor_refuses() const { return rest_[0] >= 0xC6 && rest_[0] <= 0xD4; }

  std::span<const std::uint8_t> rest_;
};

/// Walks over one well-formed item of any shape, keeping only how many elements each open container still wants.
class item_skipper {
 public:
  explicit item_skipper(item_reader& reader) : reader_(reader) {}

  /// `outer_levels`: containers already open around the item.
  bool skip(std::size_t outer_levels) {
    depth_limit_ = wire::max_nesting - outer_levels;
    do {
      if (!reader_.next(item_) || !take(item_)) return false;
    } while (tagged_ || depth_ > 0);
    return true;
  }

 private:
  enum class container : std::uint8_t { counted, open_ended, open_ended_map, text_chunks, bytes_chunks };
  struct open_container {
    container kind{};
    std::uint64_t left = 0;
  };

  open_container& innermost() { return open_[depth_ - 1]; }

  bool take(const item& taken) {
    if (depth_ > 0 && !fits_chunks(taken)) return false;
    switch (taken.kind) {
      case item_kind::stop: return close_open_ended();
      case item_kind::tag: tagged_ = true; return true;
      case item_kind::array: return open_counted(taken.number);
      case item_kind::map:
        if (taken.number > std::numeric_limits<std::uint64_t>::max() / 2) return false;
        return open_counted(taken.number * 2);
      case item_kind::array_open_ended: return open(container::open_ended);
      case item_kind::map_open_ended: return open(container::open_ended_map);
      case item_kind::text_chunks_start: return open(container::text_chunks);
      case item_kind::bytes_chunks_start: return open(container::bytes_chunks);
      default: complete(); return true;
    }
  }

  /// Inside an indefinite string only definite chunks of its own type, or the end, may stand.
  bool fits_chunks(const item& taken) {
    if (innermost().kind == container::text_chunks) {
      return taken.kind == item_kind::text || taken.kind == item_kind::stop;
    }
    if (innermost().kind == container::bytes_chunks) {
      return taken.kind == item_kind::bytes || taken.kind == item_kind::stop;
    }
    return true;
  }

  bool open(container kind, std::uint64_t left = 0) {
    tagged_ = false;
    if (depth_ == depth_limit_) return false;
    open_[depth_++] = {kind, left};
    return true;
  }

  bool open_counted(std::uint64_t elements) {
    if (!open(container::counted, elements)) return false;
    if (elements == 0) {
      --depth_;
      complete();
    }
    return true;
  }

  bool close_open_ended() {
    if (tagged_ || depth_ == 0 || innermost().kind == container::counted) return false;
    if (innermost().kind == container::open_ended_map && innermost().left % 2 != 0) return false;
    --depth_;
    complete();
    return true;
  }

  /// One item is whole; a counted container that wanted only that one is whole too, and so on outwards.
  void complete() {
    tagged_ = false;
    while (depth_ > 0) {
      if (innermost().kind != container::counted) {
        ++innermost().left;  // open-ended: counts what came, for the even number a map needs
        return;
      }
      if (--innermost().left > 0) return;
      --depth_;
    }
  }

  item_reader& reader_;
  item item_;
  std::array<open_container, wire::max_nesting> open_{};
  std::size_t depth_ = 0;
  std::size_t depth_limit_ = 0;
  bool tagged_ = false;
};

/// Bits of the keys seen so far.
enum key_bit : std::uint8_t {
  no_key = 0,
  content_version = 1,
  probe_source_key = 2,
  guest_pid = 4,
  guest_comm = 8,
  guest_monotonic_ns = 16,
  seq = 32,
  dropped = 64,
};
constexpr std::uint8_t required_keys = content_version | probe_source_key | guest_pid | guest_comm | guest_monotonic_ns;

key_bit known_key(std::string_view key) {
  switch (key.size()) {
    case wire::key_content_version.size(): return key == wire::key_content_version ? content_version : no_key;
    case wire::key_probe_source.size(): return key == wire::key_probe_source ? probe_source_key : no_key;
    case wire::key_guest_pid.size(): return key == wire::key_guest_pid ? guest_pid : no_key;
    case wire::key_guest_comm.size(): return key == wire::key_guest_comm ? guest_comm : no_key;
    case wire::key_guest_monotonic_ns.size(): return key == wire::key_guest_monotonic_ns ? guest_monotonic_ns : no_key;
    case wire::key_seq.size(): return key == wire::key_seq ? seq : no_key;
    case wire::key_dropped.size(): return key == wire::key_dropped ? dropped : no_key;
    default: return no_key;
  }
}

bool is_attribution_key(std::string_view key) {
  for (auto name : wire::attribution_keys) {
    if (key == name) return true;
  }
  return false;
}

class frame_parser {
 public:
  explicit frame_parser(std::span<const std::uint8_t> body) : reader_(body) {}

  decoded_frame parse() {
    frame_.refusal = parse_map();
    return frame_;
  }

 private:
  telemetry_errc parse_map() {
    constexpr auto malformed = telemetry_errc::malformed_frame;
    if (!reader_.next(item_) || item_.kind != item_kind::map || item_.number == 0) return malformed;
    const std::uint64_t pairs = item_.number;
    if (!parse_version()) return malformed;
    if (wire::version_major(version_) != wire::wire_content_version_major) return telemetry_errc::unsupported_version;
    for (std::uint64_t i = 1; i < pairs; ++i) {
      if (!parse_pair()) return malformed;
    }
    if (!reader_.at_end() || (seen_ & required_keys) != required_keys) return malformed;
    const auto source = parse_probe_source(source_text_);
    if (!source) return telemetry_errc::unknown_probe_source;
    frame_.declaration.source = *source;
    return telemetry_errc::none;
  }

  bool parse_version() {
    if (!next_key() || known_key(item_.text) != content_version) return false;
    seen_ = content_version;
    return read_unsigned(version_);
  }

  bool parse_pair() {
    if (!next_key()) return false;
    const key_bit key = known_key(item_.text);
    const bool optional_of_1_0 = (key & (seq | dropped)) != 0 && version_ == wire::content_version_1_0;
    if (key == no_key || optional_of_1_0) {
      frame_.forged_attribution = frame_.forged_attribution || is_attribution_key(item_.text);
      return item_skipper{reader_}.skip(1);
    }
    if ((seen_ & key) != 0) return false;
    seen_ |= key;
    return read_value(key);
  }

  bool read_value(key_bit key) {
    switch (key) {
      case probe_source_key: return read_text(source_text_);
      case guest_pid: return read_unsigned(frame_.declaration.guest_pid);
      case guest_comm: return read_text(frame_.declaration.guest_comm);
      case guest_monotonic_ns: return read_unsigned(frame_.declaration.guest_monotonic_ns);
      case seq: return read_unsigned(frame_.seq.emplace());
      case dropped: return read_unsigned(frame_.dropped.emplace());
      default: return false;
    }
  }

  bool next_key() { return reader_.next(item_) && item_.kind == item_kind::text; }

  template <class Unsigned>
  bool read_unsigned(Unsigned& out) {
    if (!reader_.next(item_) || item_.kind != item_kind::unsigned_integer) return false;
    if (item_.number > std::numeric_limits<Unsigned>::max()) return false;
    out = static_cast<Unsigned>(item_.number);
    return true;
  }

  bool read_text(std::string_view& out) {
    if (!reader_.next(item_) || item_.kind != item_kind::text || !is_valid_utf8(item_.text)) return false;
    out = item_.text;
    return true;
  }

  item_reader reader_;
  item item_;
  decoded_frame frame_;
  std::string_view source_text_;
  std::uint16_t version_ = 0;
  std::uint8_t seen_ = 0;
};

}  // namespace

decoded_frame decode_frame_body(std::span<const std::uint8_t> body) { return frame_parser{body}.parse(); }

}  // namespace cellos
