#include "runtime/http_forwarding/http_cursor_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "runtime/forwarding/forwarding_files.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

namespace {

constexpr std::string_view mark_name = "delivered-over-http";
constexpr mode_t file_mode = 0640;

/// Up to the next blank, which goes as well.
std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

bool parse_number(std::string_view text, std::uint64_t& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  return failure == std::errc{} && end == text.data() + text.size();
}

/// A line's hash as two halves of 16 bytes, spelled as log ids are.
std::string hash_text(const line_hash& hash) {
  node_log_id half{};
  std::copy_n(hash.begin(), half.size(), half.begin());
  std::string text = to_text(half);
  std::copy_n(hash.begin() + half.size(), half.size(), half.begin());
  return text + to_text(half);
}

bool parse_hash(std::string_view text, line_hash& into) {
  const auto first = parse_log_id(text.substr(0, text.size() / 2));
  const auto second = parse_log_id(text.substr(text.size() / 2));
  if (!first || !second) return false;
  std::ranges::copy(*second, std::ranges::copy(*first, into.begin()).out);
  return true;
}

}  // namespace

std::optional<http_mark> read_http_mark(const std::filesystem::path& dir) {
  const auto file = read_hint(dir / mark_name);
  if (!file || !file->ends_with('\n')) return std::nullopt;
  std::string_view text = *file;
  text.remove_suffix(1);
  http_mark mark;
  auto& [delivered, line] = mark.reached;
  if (!parse_number(take_word(text), delivered.segment) || !parse_number(take_word(text), delivered.offset) ||
      !parse_hash(take_word(text), line) || text.empty()) {
    return std::nullopt;
  }
  mark.url = text;
  return mark;
}

std::error_code write_http_mark(const std::filesystem::path& dir, const http_mark& mark) {
  const auto& [delivered, line] = mark.reached;
  const std::string text = std::to_string(delivered.segment) + ' ' + std::to_string(delivered.offset) + ' ' +
                           hash_text(line) + ' ' + mark.url + '\n';
  return replace_file(real_file_system(), dir / mark_name, text, file_mode).failure;
}

}  // namespace cellos
