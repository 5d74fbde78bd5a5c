#include "runtime/transport/basp_payload.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cellos {
namespace {

/// Longer lists of types than ours are nobody's.
constexpr std::uint64_t longest_names = 256;
constexpr std::size_t most_values = 16;
/// CAF reads sizes of 32 bits, seven of them a byte.
constexpr unsigned longest_length = 5;

/// Types whose values have one size, as CAF 0.17 names and writes them.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 11> sized_types{{{"@atom", 8},
                                                                                  {"@i8", 1},
                                                                                  {"@i16", 2},
                                                                                  {"@i32", 4},
                                                                                  {"@i64", 8},
                                                                                  {"@u8", 1},
                                                                                  {"@u16", 2},
                                                                                  {"@u32", 4},
                                                                                  {"@u64", 8},
                                                                                  {"bool", 1},
                                                                                  {"@unit", 0}}};

constexpr std::string_view no_values = "@<>";

}  // namespace

basp_payload::basp_payload(content expected, std::uint64_t bytes)
    : left_(bytes), errors_allowed_(expected == content::answer) {
  // A message is two zero bytes, the names of its types as one text, and its values.
  await_part(part::length_of_names);
  await_part(part::zeros, 2);
  if (expected == content::error) {
    // A code and a category.
    await_part(part::skipped, 1 + 8);
  } else {
    // The number of actors that an answer would be passed on by: none.
    await_part(part::zeros, 1);
  }
}

std::optional<basp_violation> basp_payload::take(std::span<const char> bytes) {
  left_ -= bytes.size();
  while (!bytes.empty()) {
    if (open_.empty()) return basp_violation::malformed_payload;
    auto& next = open_.back();
    if (next.what == part::length_of_text || next.what == part::length_of_names) {
      const char byte = bytes.front();
      bytes = bytes.subspan(1);
      // take_length() looks at what is left behind this byte.
      left_ += bytes.size();
      const auto violation = take_length(byte);
      left_ -= bytes.size();
      if (violation) return violation;
      continue;
    }
    const auto now = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(next.bytes, bytes.size())));
    bytes = bytes.subspan(now.size());
    next.bytes -= now.size();
    if (next.what == part::zeros && std::ranges::any_of(now, [](char c) { return c != 0; })) {
      return basp_violation::forbidden_content;
    }
    if (next.what == part::names) names_.append(now.begin(), now.end());
    if (next.bytes > 0) continue;
    const bool named = next.what == part::names;
    open_.pop_back();
    if (!named) continue;
    if (const auto violation = open_names()) return violation;
  }
  return std::nullopt;
}

std::optional<basp_violation> basp_payload::take_length(char byte) {
  length_ |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * length_bytes_);
  ++length_bytes_;
  if ((byte & 0x80) != 0) {
    return length_bytes_ < longest_length ? std::nullopt : std::optional{basp_violation::malformed_payload};
  }
  const auto length = std::exchange(length_, 0);
  length_bytes_ = 0;
  const bool names = open_.back().what == part::length_of_names;
  open_.pop_back();
  if (length > left_) return basp_violation::malformed_payload;
  if (names) {
    if (length < no_values.size() || length > longest_names) return basp_violation::forbidden_content;
    names_.clear();
    await_part(part::names, length);
  } else if (length > 0) {
    await_part(part::skipped, length);
  }
  return std::nullopt;
}

std::optional<basp_violation> basp_payload::open_names() {
  std::string_view names = names_;
  if (!names.starts_with(no_values)) return basp_violation::forbidden_content;
  names.remove_prefix(no_values.size());
  // The last type is expected first of all, so that it comes out last. An error's own values name no further errors.
  const bool errors_allowed = std::exchange(errors_allowed_, false);
  std::size_t values = 0;
  while (!names.empty()) {
    const auto plus = names.rfind('+');
    if (plus == std::string_view::npos || ++values > most_values) return basp_violation::forbidden_content;
    if (const auto violation = open_value(names.substr(plus + 1), errors_allowed)) return violation;
    names = names.substr(0, plus);
  }
  return std::nullopt;
}

std::optional<basp_violation> basp_payload::open_value(std::string_view type, bool errors_allowed) {
  if (type == "@charbuf" || type == "@str") {
    await_part(part::length_of_text);
    return std::nullopt;
  }
  if (type == "@error" && errors_allowed) {
    await_part(part::length_of_names);
    await_part(part::zeros, 2);
    await_part(part::skipped, 1 + 8);
    return std::nullopt;
  }
  const auto* sized = std::ranges::find(sized_types, type, [](const auto& row) { return row.first; });
  if (sized == sized_types.end()) return basp_violation::forbidden_content;
  if (sized->second > 0) await_part(part::skipped, sized->second);
  return std::nullopt;
}

}  // namespace cellos
