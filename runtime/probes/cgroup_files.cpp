#include "runtime/probes/cgroup_files.hpp"

#include <algorithm>

#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

/// A kernel has some thirty; the bound keeps the search for a second one of the same key short.
constexpr std::size_t most_values = 256;

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

/// Digits with a point: `0.00`.
bool is_average(std::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto points = std::count(text.begin(), text.end(), '.');
  return text.size() <= 8 && digits > 0 && points == 1 && digits + points == static_cast<std::ptrdiff_t>(text.size());
}

std::optional<std::string_view> value_of(std::string_view& line, std::string_view name) {
  const std::string_view member = take_until(line, ' ');
  if (!member.starts_with(name) || member.size() <= name.size() || member[name.size()] != '=') return std::nullopt;
  return member.substr(name.size() + 1);
}

std::optional<pressure_line> parse_pressure_line(std::string_view line) {
  pressure_line parsed;
  for (auto [name, to] : {std::pair{"avg10", &parsed.avg10}, {"avg60", &parsed.avg60}, {"avg300", &parsed.avg300}}) {
    const auto average = value_of(line, name);
    if (!average || !is_average(*average)) return std::nullopt;
    *to = *average;
  }
  const auto total = value_of(line, "total");
  const auto number = total ? whole_number(*total) : std::nullopt;
  if (!number || !line.empty()) return std::nullopt;
  parsed.total_us = *number;
  return parsed;
}

bool leads_out(std::string_view path) {
  while (!path.empty()) {
    if (take_until(path, '/') == "..") return true;
  }
  return false;
}

bool names_controller(std::string_view list, std::string_view controller) {
  while (!list.empty()) {
    if (take_until(list, ',') == controller) return true;
  }
  return false;
}

}  // namespace

std::optional<flat_values> parse_flat_values(std::string_view text) {
  flat_values values;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view key = take_until(line, ' ');
    const auto number = whole_number(line);
    const auto has_key = [key](const auto& value) { return value.first == key; };
    if (!is_key(key) || !number || values.size() == most_values || std::ranges::any_of(values, has_key)) return {};
    values.emplace_back(key, *number);
  }
  return values;
}

std::optional<std::uint64_t> parse_single_value(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return whole_number(text);
}

std::optional<pressure> parse_pressure(std::string_view text) {
  pressure parsed;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view who = take_until(line, ' ');
    auto& to = who == "some" ? parsed.some : parsed.full;
    if ((who != "some" && who != "full") || to) return std::nullopt;
    to = parse_pressure_line(line);
    if (!to) return std::nullopt;
  }
  if (!parsed.some && !parsed.full) return std::nullopt;
  return parsed;
}

std::optional<std::string> cgroup_membership::v1_path(std::string_view controller) const {
  for (const v1_hierarchy& each : v1) {
    if (names_controller(each.controllers, controller)) return each.path;
  }
  return std::nullopt;
}

std::optional<cgroup_membership> parse_cgroup_membership(std::string_view text) {
  cgroup_membership groups;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const auto id = whole_number(take_until(line, ':'));
    const std::string_view controllers = take_until(line, ':');
    if (!id || !line.starts_with('/') || leads_out(line)) return std::nullopt;
    line.remove_prefix(1);
    if (*id != 0) {
      groups.v1.push_back({std::string{controllers}, std::string{line}});
    } else if (controllers.empty() && !groups.v2) {
      groups.v2 = line;
    } else {
      return std::nullopt;
    }
  }
  return groups;
}

}  // namespace cellos
