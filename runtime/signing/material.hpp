#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "messages/event_line.hpp"
#include "runtime/signing/sha256.hpp"

/// MATERIAL: what one event's signature and the next event's `prevdigest` are about. See docs/evidence.md.
namespace cellos {

/// As an event's `prevdigest` attribute spells it.
class prevdigest_text {
 public:
  explicit prevdigest_text(const digest& material);
  std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, prevdigest_length> text_;
};

/// Before a chain's first event.
inline constexpr digest no_event_before{};

/// What is absent is empty: both have the same digest. `time` is in Zulu.
struct core_attributes {
  std::string_view id;
  std::string_view source;
  std::string_view specversion;
  std::string_view type;
  std::string_view datacontenttype;
  std::string_view dataschema;
  std::string_view subject;
  std::string_view time;
  /// The bytes of the value.
  std::string_view data;
};

using extension_attribute = std::pair<std::string_view, std::string_view>;

/// Of any event, with the extension attributes it says it signs, in that order.
digest material_of(const core_attributes& core, std::span<const extension_attribute> signed_extensions);
core_attributes core_of(const event_line& line);

/// MATERIAL of events of one chain: what stays the same from event to event is hashed once. A copy is cheap.
class chain_material {
 public:
  /// The attributes whose digests MATERIAL is the digest of, in order.
  enum slot : std::uint8_t {
    id,
    source,
    specversion,
    type,
    datacontenttype,
    dataschema,
    subject,
    time,
    data,
    chain_name,
    chain,
    sequence_name,
    sequence,
    prevdigest_name,
    prevdigest,
  };

  /// specversion `1.0`, datacontenttype `application/json`, no dataschema, the names of our extension attributes; every
  /// other attribute absent.
  chain_material();

  void set(slot which, const digest& of_value) { digests_[which] = of_value; }
  void set(slot which, std::string_view value) { digests_[which] = sha256::of(value); }

  digest material() const;

 private:
  std::array<digest, 15> digests_;
};

}  // namespace cellos
