#include "runtime/segments/segment_name.hpp"

#include <algorithm>
#include <charconv>

namespace cellos {

namespace {

constexpr std::string_view prefix = "evidence-";
constexpr std::string_view suffix = ".jsonl";
constexpr std::size_t digits = 20;

}  // namespace

std::string segment_file_name(std::uint64_t segment) {
  const auto number = std::to_string(segment);
  std::string name{prefix};
  name.append(digits - number.size(), '0').append(number).append(suffix);
  return name;
}

std::optional<std::uint64_t> segment_of(std::string_view file_name) {
  if (file_name.size() != prefix.size() + digits + suffix.size()) return std::nullopt;
  if (!file_name.starts_with(prefix) || !file_name.ends_with(suffix)) return std::nullopt;
  const auto number = file_name.substr(prefix.size(), digits);
  std::uint64_t segment = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), segment);
  if (failure != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  return segment;
}

log_listing list_log(const std::filesystem::path& dir, std::error_code& failure) {
  log_listing found;
  std::filesystem::directory_iterator entry{dir, failure};
  for (; !failure && entry != std::filesystem::directory_iterator{}; entry.increment(failure)) {
    const std::string name = entry->path().filename().native();
    if (!name.ends_with(suffix)) continue;
    std::error_code vanished;
    const auto type = entry->symlink_status(vanished).type();
    if (vanished || type == std::filesystem::file_type::not_found) continue;
    const auto segment = segment_of(name);
    if (!segment || type != std::filesystem::file_type::regular) {
      found.others.push_back(name);
      continue;
    }
    const auto bytes = entry->file_size(vanished);
    if (!vanished) found.segments.push_back({*segment, bytes});
  }
  std::ranges::sort(found.segments, {}, &segment_on_disk::segment);
  std::ranges::sort(found.others);
  return found;
}

std::vector<segment_on_disk> list_segments(const std::filesystem::path& dir, std::error_code& failure) {
  return list_log(dir, failure).segments;
}

}  // namespace cellos
