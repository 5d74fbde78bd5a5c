#include "tests/support/frame_oracle.hpp"

#include <cbor.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "messages/wire_codec.hpp"

namespace cellos {

namespace {

using octets = std::span<const std::uint8_t>;

/// By arithmetic on code points, where the decoder goes by byte ranges.
bool encodes_code_points(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[at++]);
    const int more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : -1;
    if (more < 0) return false;
    std::uint32_t point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int i = 0; i < more; ++i) {
      if (at == text.size() || (static_cast<std::uint8_t>(text[at]) & 0xC0) != 0x80) return false;
      point = point << 6 | (static_cast<std::uint8_t>(text[at++]) & 0x3F);
    }
    constexpr std::uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (point < smallest[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
  }
  return true;
}

/// The function `well_formed` of RFC 8949, appendix C, which also measures how deep things are nested.
class form_check {
 public:
  explicit form_check(octets body) : body_(body) { sound_ = item(place::plain) != failed && at_ == body_.size(); }

  /// One well-formed item and nothing after it.
  bool sound() const { return sound_; }
  /// Arrays, maps and indefinite strings within each other.
  std::size_t nesting() const { return deepest_; }
  /// The same with tags; what a recursive reader needs of stack.
  std::size_t recursion() const { return recursion_; }
  /// All keys of the outermost map are definite text strings.
  bool has_text_keys() const { return has_text_keys_; }
  /// The body without what libcbor's tree does not take: negative integers stand for unassigned simple values, tag 1
  /// for others of one byte, byte strings for text that is not UTF-8.
  const std::vector<std::uint8_t>& for_libcbor() const { return for_libcbor_; }

 private:
  enum : int { failed = -2, broke = -1, indefinite = 99 };
  enum class place : std::uint8_t { plain, breakable, chunk };

  std::optional<std::uint64_t> take(std::size_t bytes) {
    if (body_.size() - at_ < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | body_[at_++];
    return value;
  }

  /// Major type of a definite item, or how it ended.
  int item(place where) {
    const std::size_t start = at_;
    const auto initial = take(1);
    if (!initial) return failed;
    const int major = static_cast<int>(*initial >> 5);
    const std::uint64_t info = *initial & 0x1F;
    if (info == 31) return open_ended(major, where);
    if (info > 27) return failed;
    const auto argument = info < 24 ? info : take(std::size_t{1} << (info - 24));
    if (!argument) return failed;
    switch (major) {
      case 2:
      case 3: return string(major, *argument, start, where);
      case 4: return elements(*argument, major);
      case 5: return *argument > body_.size() ? failed : elements(*argument * 2, major);
      case 6: {
        if (info < 24) for_libcbor_[start] = 0xC1;
        const entered level{*this, false};
        return item(place::plain) == failed ? failed : major;
      }
      case 7:
        if (info == 24 && *argument < 32) return failed;
        if (info == 24) for_libcbor_[start] = 0x38;
        if (info < 20) for_libcbor_[start] &= 0x3F;
        return major;
      default: return major;
    }
  }

  int string(int major, std::uint64_t bytes, std::size_t start, place where) {
    if (body_.size() - at_ < bytes) return failed;
    const std::string_view content{reinterpret_cast<const char*>(body_.data()) + at_, static_cast<std::size_t>(bytes)};
    if (major == 3 && !encodes_code_points(content)) {
      const auto first = for_libcbor_.begin() + static_cast<std::ptrdiff_t>(at_);
      if (where == place::chunk) std::fill_n(first, content.size(), std::uint8_t{'?'});
      if (where != place::chunk) for_libcbor_[start] ^= 0x20;
    }
    at_ += content.size();
    return major;
  }

  int elements(std::uint64_t count, int major) {
    const entered level{*this, true};
    for (std::uint64_t i = 0; i < count; ++i) {
      const int element = item(place::plain);
      if (element == failed) return failed;
      if (levels_ == 1 && major == 5 && i % 2 == 0) has_text_keys_ = has_text_keys_ && element == 3;
    }
    return major;
  }

  int open_ended(int major, place where) {
    if (major == 7) return where == place::plain ? failed : broke;
    if (major < 2 || major == 6) return failed;
    const entered level{*this, true};
    while (true) {
      const int element = item(major < 4 ? place::chunk : place::breakable);
      if (element == broke) return indefinite;
      if (element == failed) return failed;
      if (major < 4 && element != major) return failed;
      if (major == 5 && item(place::plain) == failed) return failed;
    }
  }

  struct entered {
    entered(form_check& check, bool container) : check_(check), container_(container) {
      check_.recursion_ = std::max(check_.recursion_, ++check_.levels_);
      if (container_) check_.deepest_ = std::max(check_.deepest_, ++check_.containers_);
    }
    ~entered() {
      --check_.levels_;
      if (container_) --check_.containers_;
    }
    entered(const entered&) = delete;
    entered& operator=(const entered&) = delete;

   private:
    form_check& check_;
    bool container_;
  };

  octets body_;
  std::vector<std::uint8_t> for_libcbor_{body_.begin(), body_.end()};
  std::size_t at_ = 0;
  bool sound_ = false;
  bool has_text_keys_ = true;
  std::size_t levels_ = 0;
  std::size_t recursion_ = 0;
  std::size_t containers_ = 0;
  std::size_t deepest_ = 0;
};

/// The unsigned integer in the first pair, when the body begins as a definite map whose first key is `content_version`.
std::optional<std::uint16_t> leading_version(octets body) {
  std::size_t at = 0;
  const auto argument_of = [&](unsigned major) -> std::optional<std::uint64_t> {
    if (at == body.size() || body[at] >> 5 != major) return std::nullopt;
    const unsigned info = body[at++] & 0x1F;
    if (info < 24) return info;
    const std::size_t bytes = info < 28 ? std::size_t{1} << (info - 24) : body.size() + 1;
    if (body.size() - at < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | body[at++];
    return value;
  };
  const auto pairs = argument_of(5);
  if (!pairs || *pairs == 0) return std::nullopt;
  constexpr std::string_view key = "content_version";
  if (argument_of(3) != key.size() || body.size() - at < key.size()) return std::nullopt;
  if (!std::equal(key.begin(), key.end(), body.begin() + static_cast<std::ptrdiff_t>(at))) return std::nullopt;
  at += key.size();
  const auto version = argument_of(0);
  if (!version || *version > 0xFFFF) return std::nullopt;
  return static_cast<std::uint16_t>(*version);
}

std::string_view text_in(const cbor_item_t* item) {
  return {reinterpret_cast<const char*>(cbor_string_handle(item)), cbor_string_length(item)};
}

/// The rules of docs/wire-format.md on a document tree.
class tree_reader {
 public:
  tree_reader(const cbor_item_t* root, std::uint16_t version) : version_(version) { check(root); }

  const decoded_frame& result() const { return result_; }

 private:
  void check(const cbor_item_t* root) {
    result_.refusal = telemetry_errc::malformed_frame;
    std::map<std::string_view, const cbor_item_t*> known;
    for (std::size_t i = 0; i < cbor_map_size(root); ++i) {
      const cbor_pair& pair = cbor_map_handle(root)[i];
      const std::string_view key = cbor_isa_string(pair.key) ? text_in(pair.key) : "not UTF-8";
      if (is_known(key)) {
        if (!known.emplace(key, pair.value).second) return;
      } else {
        result_.forged_attribution |= key == "cell_id" || key == "run_id" || key == "spec_signature_hash" ||
                                      key == "host_received_at" || key == "output";
      }
    }
    std::optional<std::uint64_t> numbers[4];
    constexpr std::string_view number_keys[] = {"guest_pid", "guest_monotonic_ns", "seq", "dropped"};
    for (std::size_t i = 0; i < std::size(numbers); ++i) {
      if (!known.contains(number_keys[i])) continue;
      const cbor_item_t* value = known[number_keys[i]];
      if (!cbor_isa_uint(value)) return;
      numbers[i] = cbor_get_int(value);
    }
    const auto source = text(known["probe_source"]);
    const auto comm = text(known["guest_comm"]);
    if (!known.contains("content_version") || !source || !comm || !numbers[0] || !numbers[1]) return;
    if (*numbers[0] > 0xFFFF'FFFF) return;
    result_.declaration.guest_pid = static_cast<std::uint32_t>(*numbers[0]);
    result_.declaration.guest_monotonic_ns = *numbers[1];
    result_.declaration.guest_comm = *comm;
    result_.seq = numbers[2];
    result_.dropped = numbers[3];
    const auto parsed = parse_probe_source(*source);
    result_.refusal = parsed ? telemetry_errc::none : telemetry_errc::unknown_probe_source;
    result_.declaration.source = parsed.value_or(probe_source{});
  }

  bool is_known(std::string_view key) const {
    if (key == "seq" || key == "dropped") return version_ > 0x0100;
    return key == "content_version" || key == "probe_source" || key == "guest_pid" || key == "guest_comm" ||
           key == "guest_monotonic_ns";
  }

  static std::optional<std::string_view> text(const cbor_item_t* item) {
    if (item == nullptr || !cbor_isa_string(item) || !cbor_string_is_definite(item)) return std::nullopt;
    return text_in(item);
  }

  std::uint16_t version_;
  decoded_frame result_;
};

struct release_item {
  void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};

std::string difference(const decoded_frame& decoded, const decoded_frame& expected) {
  if (decoded.refusal != expected.refusal) {
    return "result " + std::string{to_string(decoded.refusal)} + ", expected " +
           std::string{to_string(expected.refusal)};
  }
  if (decoded.refusal != telemetry_errc::none) return "";
  if (decoded.declaration != expected.declaration) return "the declaration differs";
  if (decoded.forged_attribution != expected.forged_attribution) return "forged_attribution differs";
  if (decoded.seq != expected.seq) return "seq differs";
  return decoded.dropped == expected.dropped ? "" : "dropped differs";
}

decoded_frame refused(telemetry_errc code) {
  decoded_frame result;
  result.refusal = code;
  return result;
}

}  // namespace

std::string disagreement_about(std::span<const std::uint8_t> body) {
  constexpr std::size_t deepest_tree = 1000;
  constexpr std::size_t deepest_allowed = 8;
  const decoded_frame decoded = decode_frame_body(body);
  const auto version = leading_version(body);
  if (!version) return difference(decoded, refused(telemetry_errc::malformed_frame));
  if (*version >> 8 != 1) return difference(decoded, refused(telemetry_errc::unsupported_version));
  const form_check form{body};
  if (!form.sound() || form.nesting() > deepest_allowed || !form.has_text_keys()) {
    return difference(decoded, refused(telemetry_errc::malformed_frame));
  }
  if (form.recursion() > deepest_tree) return "";  // Long chains of tags: more than libcbor's tree takes.
  cbor_load_result loaded;
  const std::unique_ptr<cbor_item_t, release_item> root{cbor_load(form.for_libcbor().data(), body.size(), &loaded)};
  if (!root) return "libcbor's tree refuses what is well-formed";
  return difference(decoded, tree_reader{root.get(), *version}.result());
}

}  // namespace cellos
