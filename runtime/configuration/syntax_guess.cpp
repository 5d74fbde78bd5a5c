#include "runtime/configuration/syntax_guess.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "messages/escaped_text.hpp"
#include "runtime/configuration/configuration_error.hpp"
#include "runtime/configuration/keys.hpp"

namespace cellos::settings {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank_characters = " \t\r";
  auto first = text.find_first_not_of(blank_characters);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank_characters) - first + 1);
}

std::string_view take_line(std::string_view& text) {
  auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trimmed(line);
}

/// What stands between the brackets of a table's header; empty for any other line.
std::string_view header_of(std::string_view line) {
  if (!line.starts_with('[')) return {};
  line.remove_prefix(std::min(line.find_first_not_of('['), line.size()));
  return trimmed(line.substr(0, line.find_first_of("]#=")));
}

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

/// The value of a line if it looks like a text that lacks its quotes.
std::optional<std::string_view> unquoted_text(std::string_view value) {
  value = trimmed(value.substr(0, value.find('#')));
  if (value.empty() || value == "true" || value == "false") return std::nullopt;
  if (value.find_first_of("\"'[]{}\\=") != std::string_view::npos) return std::nullopt;
  auto is_number = std::ranges::all_of(value, [](char c) { return (c >= '0' && c <= '9') || c == '_' || c == '.'; });
  if (is_number) return std::nullopt;
  return value;
}

}  // namespace

syntax_guess guess_at(std::string_view text, std::size_t line, std::string_view description) {
  std::string table;
  std::size_t cells = 0;
  std::string_view current;
  for (std::size_t i = 0; i < line; ++i) {
    current = take_line(text);
    auto header = header_of(current);
    if (header.empty()) continue;
    table = header;
    if (header == cell_section && current.starts_with("[[")) table = fmt::format("cell[{}]", cells++);
  }
  bool is_repeated = description.find("redefine") != std::string_view::npos;
  if (!header_of(current).empty()) {
    return {escaped(table), is_repeated
                                ? "give each table one header, and only cells one each: [[cell]]"
                                : "write the table's name in brackets, [evidence], and [[cell]] for every cell"};
  }
  auto equals = current.find('=');
  auto name = trimmed(current.substr(0, equals));
  if (!is_bare_key(name)) return {"(syntax)", "write lines of the form NAME = VALUE, texts in double quotes"};
  auto key = escaped(table.empty() ? std::string{name} : fmt::format("{}.{}", table, name));
  if (is_repeated) return {key, fmt::format("keep one of the lines that set {}", escaped(name))};
  if (equals == std::string_view::npos) return {key, fmt::format("write {} = VALUE", escaped(name))};
  if (auto value = unquoted_text(current.substr(equals + 1))) {
    return {key, fmt::format("put the value in quotes: {} = {}", escaped(name), in_quotes(*value))};
  }
  return {key,
          fmt::format("write a number, or a text of UTF-8 in double quotes on one line: {} = \"...\"", escaped(name))};
}

}  // namespace cellos::settings
