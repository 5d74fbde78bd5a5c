#include "runtime/jetstream/stream_mark.hpp"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "runtime/forwarding/forwarding_files.hpp"

namespace cellos {

namespace {

constexpr std::string_view mark_name = "delivered-to-stream";

bool take_number(std::string_view& text, std::uint64_t& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (failure != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

std::optional<stream_mark> read_stream_mark(const std::filesystem::path& dir) {
  const auto file = read_hint(dir / mark_name);
  if (!file || !file->ends_with('\n')) return std::nullopt;
  std::string_view text = *file;
  text.remove_suffix(1);
  stream_mark mark;
  auto& [delivered, sequence] = mark.reached;
  if (!take_number(text, delivered.segment) || !take_number(text, delivered.offset) || !take_number(text, sequence)) {
    return std::nullopt;
  }
  if (text.empty() || text.find('\n') != std::string_view::npos) return std::nullopt;
  mark.stream = text;
  return mark;
}

std::error_code write_stream_mark(const std::filesystem::path& dir, const stream_mark& mark) {
  const auto& [delivered, sequence] = mark.reached;
  return write_hint(dir / mark_name, std::to_string(delivered.segment) + ' ' + std::to_string(delivered.offset) + ' ' +
                                         std::to_string(sequence) + ' ' + mark.stream + '\n');
}

}  // namespace cellos
