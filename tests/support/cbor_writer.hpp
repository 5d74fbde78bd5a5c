#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

/// Spells CBOR item by item (RFC 8949, 3), well-formed or not: the test decides. Shares nothing with any encoder or
/// decoder under test.
namespace cellos::cbor {

using octets = std::vector<std::uint8_t>;

enum class major : std::uint8_t { number = 0, negative, bytes, text, array, map, tag, simple };

inline octets join(std::initializer_list<octets> parts) {
  octets all;
  for (const octets& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline octets repeated(std::size_t times, const octets& part) {
  octets all;
  for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline octets initial(major type, std::uint8_t info) {
  return {static_cast<std::uint8_t>(static_cast<unsigned>(type) << 5 | info)};
}

/// Initial byte and an argument of exactly 1, 2, 4 or 8 bytes, needed or not.
inline octets wide_head(major type, int argument_bytes, std::uint64_t argument) {
  std::uint8_t info = 24;
  for (int bytes = 1; bytes < argument_bytes; bytes *= 2) ++info;
  octets out = initial(type, info);
  for (int i = argument_bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(argument >> (8 * i)));
  return out;
}

/// Initial byte and argument in the shortest form.
inline octets head(major type, std::uint64_t argument) {
  if (argument < 24) return initial(type, static_cast<std::uint8_t>(argument));
  if (argument <= 0xFF) return wide_head(type, 1, argument);
  if (argument <= 0xFFFF) return wide_head(type, 2, argument);
  return wide_head(type, argument <= 0xFFFF'FFFF ? 4 : 8, argument);
}

inline octets number(std::uint64_t value) { return head(major::number, value); }
/// The integer -1 - `below`.
inline octets negative(std::uint64_t below) { return head(major::negative, below); }

inline octets string_of(major type, std::string_view content) {
  octets out = head(type, content.size());
  out.insert(out.end(), content.begin(), content.end());
  return out;
}
inline octets text(std::string_view content) { return string_of(major::text, content); }
inline octets bytes(std::string_view content) { return string_of(major::bytes, content); }

inline octets array(std::initializer_list<octets> items) {
  return join({head(major::array, items.size()), join(items)});
}
/// `items`: key, value, key, value and so on.
inline octets map(std::initializer_list<octets> items) {
  return join({head(major::map, items.size() / 2), join(items)});
}
inline octets tag(std::uint64_t number, const octets& item) { return join({head(major::tag, number), item}); }

inline octets simple(std::uint8_t value) { return head(major::simple, value); }
inline octets boolean(bool value) { return simple(value ? 21 : 20); }
inline octets null() { return simple(22); }
inline octets undefined() { return simple(23); }
inline octets half_float(std::uint16_t bits) { return wide_head(major::simple, 2, bits); }
inline octets single_float(std::uint32_t bits) { return wide_head(major::simple, 4, bits); }
inline octets double_float(std::uint64_t bits) { return wide_head(major::simple, 8, bits); }

/// The end of something of indefinite length.
inline octets stop() { return {0xFF}; }
/// A string, array or map of indefinite length around `items`.
inline octets open_ended(major type, std::initializer_list<octets> items) {
  return join({initial(type, 31), join(items), stop()});
}

/// `innermost` inside so many arrays of one element.
inline octets nested(std::size_t arrays, const octets& innermost) {
  return join({repeated(arrays, head(major::array, 1)), innermost});
}

}  // namespace cellos::cbor
