#include "runtime/probes/process_files.hpp"

#include <array>

#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

// Numbers of fields as in proc(5), which counts from 1.
constexpr std::size_t state_field = 3;
constexpr std::size_t user_field = 14;
constexpr std::size_t system_field = 15;
constexpr std::size_t threads_field = 20;
constexpr std::size_t start_field = 22;
constexpr std::size_t exit_field = 52;

/// `1234 kB`.
std::optional<std::uint64_t> bytes_of(std::string_view value) {
  constexpr std::string_view unit = " kB";
  if (!value.ends_with(unit)) return std::nullopt;
  value.remove_suffix(unit.size());
  const auto kibibytes = whole_number(trimmed(value));
  if (!kibibytes || *kibibytes > UINT64_MAX / 1024) return std::nullopt;
  return *kibibytes * 1024;
}

template <class Number>
bool assign(Number& to, std::optional<Number> from) {
  if (from) to = *from;
  return from.has_value();
}

bool take_line(std::string_view key, std::string_view value, process_status& into, bool& has_uid) {
  if (key == "Uid") {
    has_uid = true;
    return assign(into.uid, whole_number<std::uint32_t>(take_until(value, '\t')));
  }
  if (key == "VmRSS") return assign(into.resident_bytes, bytes_of(value));
  if (key == "VmHWM") return assign(into.peak_resident_bytes, bytes_of(value));
  if (key == "Seccomp") return assign(into.seccomp_mode, whole_number(value));
  return true;
}

}  // namespace

std::optional<process_stat> parse_process_stat(std::string_view text) {
  // The name is in parentheses and may have some itself.
  const auto name_begin = text.find(" (");
  const auto name_end = text.rfind(") ");
  if (name_begin == text.npos || name_end == text.npos || name_end < name_begin) return std::nullopt;
  const auto pid = whole_number(text.substr(0, name_begin));
  std::string_view rest = trimmed(text.substr(name_end + 2));
  std::array<std::string_view, exit_field + 1> fields{};
  for (std::size_t i = state_field; i < fields.size() && !rest.empty(); ++i) fields[i] = take_until(rest, ' ');

  process_stat stat;
  if (!assign(stat.pid, pid) || fields[state_field].size() != 1) return std::nullopt;
  stat.state = fields[state_field].front();
  const bool numbers = assign(stat.user_ticks, whole_number(fields[user_field])) &&
                       assign(stat.system_ticks, whole_number(fields[system_field])) &&
                       assign(stat.threads, whole_number(fields[threads_field])) &&
                       assign(stat.start_ticks, whole_number(fields[start_field])) &&
                       assign(stat.exit_status, whole_number(fields[exit_field]));
  if (!numbers) return std::nullopt;
  return stat;
}

std::optional<process_status> parse_process_status(std::string_view text) {
  process_status status;
  bool has_uid = false;
  while (!text.empty()) {
    std::string_view value = take_until(text, '\n');
    const std::string_view key = take_until(value, ':');
    if (!take_line(key, trimmed(value), status, has_uid)) return std::nullopt;
  }
  if (!has_uid) return std::nullopt;
  return status;
}

}  // namespace cellos
