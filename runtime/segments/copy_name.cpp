#include "runtime/segments/copy_name.hpp"

#include <algorithm>
#include <charconv>

#include "messages/hexadecimal.hpp"

namespace cellos {

namespace {

constexpr std::string_view fork_mark = ".fork-";
constexpr std::string_view piece_prefix = "evidence-";
constexpr std::string_view piece_suffix = ".jsonl";
constexpr std::size_t digits = 20;

bool is_identifier_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == ':' || c == '-';
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void append_number(std::string& text, std::uint64_t number) {
  const auto written = std::to_string(number);
  text.append(digits - written.size(), '0').append(written);
}

std::optional<std::uint8_t> parse_hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  return std::nullopt;
}

}  // namespace

bool is_host_directory_name(std::string_view host_id) {
  return !host_id.empty() && host_id.size() <= node_limits::longest_host_id && host_id.front() != '.' &&
         std::ranges::all_of(host_id, is_identifier_character);
}

std::string to_string(const copy_name& name) {
  std::string text = hexadecimal(name.log);
  if (name.fork > 0) text.append(fork_mark).append(std::to_string(name.fork));
  return text;
}

std::optional<copy_name> parse_copy_name(std::string_view text) {
  copy_name name;
  if (text.size() < 2 * name.log.size()) return std::nullopt;
  for (std::size_t i = 0; i < name.log.size(); ++i) {
    const auto high = parse_hexadecimal(text[2 * i]);
    const auto low = parse_hexadecimal(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    name.log[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  text.remove_prefix(2 * name.log.size());
  if (text.empty()) return name;
  if (!text.starts_with(fork_mark)) return std::nullopt;
  const auto fork = parse_number<std::uint32_t>(text.substr(fork_mark.size()));
  if (!fork) return std::nullopt;
  name.fork = *fork;
  // One spelling alone: no leading zeros.
  if (*fork == 0 || text.substr(fork_mark.size()) != std::to_string(*fork)) return std::nullopt;
  return name;
}

std::string piece_file_name(segment_position begin) {
  std::string name{piece_prefix};
  append_number(name, begin.segment);
  name += '-';
  append_number(name, begin.offset);
  return name.append(piece_suffix);
}

std::optional<segment_position> parse_piece_file_name(std::string_view text) {
  if (text.size() != piece_prefix.size() + 2 * digits + 1 + piece_suffix.size()) return std::nullopt;
  if (!text.starts_with(piece_prefix) || !text.ends_with(piece_suffix)) return std::nullopt;
  text.remove_prefix(piece_prefix.size());
  const auto segment = parse_number<std::uint64_t>(text.substr(0, digits));
  const auto offset = parse_number<std::uint64_t>(text.substr(digits + 1, digits));
  if (!segment || !offset || text[digits] != '-') return std::nullopt;
  return segment_position{*segment, *offset};
}

std::vector<segment_position> list_pieces(const std::filesystem::path& dir, std::error_code& failure) {
  std::vector<segment_position> found;
  std::filesystem::directory_iterator entry{dir, failure};
  for (; !failure && entry != std::filesystem::directory_iterator{}; entry.increment(failure)) {
    if (const auto begin = parse_piece_file_name(entry->path().filename().native())) found.push_back(*begin);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace cellos
