#include "runtime/text/base64.hpp"

#include <array>

namespace cellos {

namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 0xff;
using digit_values = std::array<std::uint8_t, 256>;

constexpr digit_values values_of(std::string_view alphabet) {
  digit_values values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) values[static_cast<std::uint8_t>(alphabet[i])] = std::uint8_t(i);
  return values;
}

constexpr digit_values standard_values = values_of(standard);
constexpr digit_values url_safe_values = values_of(url_safe);

/// Two characters at a time: half as many look-ups.
constexpr auto standard_pairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {standard[i >> 6], standard[i & 63]};
  return pairs;
}();

/// Digits without padding.
std::optional<std::size_t> decode_digits(std::string_view digits, const digit_values& values,
                                         std::span<std::uint8_t> out) {
  const std::size_t rest = digits.size() % 4;
  const std::size_t bytes = digits.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1);
  if (rest == 1 || bytes > out.size()) return std::nullopt;
  std::uint8_t wrong = 0;
  const auto value_at = [&](std::size_t i) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(digits[i])];
    // A digit has six bits: the two above are set in no_digit only.
    wrong |= value & 0xc0;
    return std::uint32_t{value};
  };
  std::size_t from = 0;
  std::size_t to = 0;
  for (; from + 4 <= digits.size(); from += 4, to += 3) {
    const std::uint32_t word =
        value_at(from) << 18 | value_at(from + 1) << 12 | value_at(from + 2) << 6 | value_at(from + 3);
    out[to] = static_cast<std::uint8_t>(word >> 16);
    out[to + 1] = static_cast<std::uint8_t>(word >> 8);
    out[to + 2] = static_cast<std::uint8_t>(word);
  }
  if (rest >= 2) {
    const std::uint32_t word =
        value_at(from) << 18 | value_at(from + 1) << 12 | (rest == 3 ? value_at(from + 2) << 6 : 0);
    out[to] = static_cast<std::uint8_t>(word >> 16);
    if (rest == 3) out[to + 1] = static_cast<std::uint8_t>(word >> 8);
    if ((word & (rest == 3 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
  }
  if (wrong != 0) return std::nullopt;
  return bytes;
}

std::string_view without_padding(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return text;
}

}  // namespace

void encode_base64(std::span<const std::uint8_t> bytes, char* out) {
  const auto put = [&out](std::size_t pair) {
    *out++ = standard_pairs[pair][0];
    *out++ = standard_pairs[pair][1];
  };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t word = std::uint32_t{bytes[i]} << 16 | std::uint32_t{bytes[i + 1]} << 8 | bytes[i + 2];
    put(word >> 12);
    put(word & 0xfff);
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 1) {
    put(std::size_t{bytes[i]} << 4);
    *out++ = '=';
    *out++ = '=';
  } else if (rest == 2) {
    const std::uint32_t word = std::uint32_t{bytes[i]} << 10 | std::uint32_t{bytes[i + 1]} << 2;
    put(word >> 6);
    *out++ = standard[word & 63];
    *out++ = '=';
  }
}

void append_base64(std::string& out, std::span<const std::uint8_t> bytes) {
  const std::size_t before = out.size();
  out.resize(before + base64_length(bytes.size()));
  encode_base64(bytes, out.data() + before);
}

std::string base64url(std::span<const std::uint8_t> bytes) {
  std::string out;
  append_base64(out, bytes);
  for (char& digit : out) {
    if (digit == '+') digit = '-';
    if (digit == '/') digit = '_';
  }
  out.resize(without_padding(out).size());
  return out;
}

std::optional<std::size_t> decode_base64(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() % 4 != 0) return std::nullopt;
  return decode_digits(without_padding(text), standard_values, out);
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const auto length = decode_base64(text, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  if (!length) return std::nullopt;
  bytes.resize(*length);
  return bytes;
}

std::optional<std::size_t> decode_any_base64(std::string_view text, std::span<std::uint8_t> out) {
  const std::string_view digits = without_padding(text);
  if (digits.size() != text.size() && text.size() % 4 != 0) return std::nullopt;
  const bool standard_alphabet = digits.find_first_of("+/") != std::string_view::npos;
  return decode_digits(digits, standard_alphabet ? standard_values : url_safe_values, out);
}

}  // namespace cellos
