#include "runtime/configuration/probe_readers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "runtime/configuration/configuration_error.hpp"

namespace cellos::settings {

namespace {

/// IFNAMSIZ without its end.
constexpr std::size_t longest_interface_name = 15;
/// NFT_NAME_MAXLEN is 256; chosen here, what people type.
constexpr std::size_t longest_table_name = 64;
constexpr std::size_t most_arguments = 32;
/// PATH_MAX.
constexpr std::size_t longest_group_path = 4096;
constexpr std::array<std::string_view, 6> nft_families{"ip", "ip6", "inet", "arp", "bridge", "netdev"};
/// Those that need nothing but a cell.
constexpr std::array probes_by_name{host_probe::process, host_probe::cgroup};

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

std::optional<complaint> take_probes(const written_value& value, std::set<host_probe>& target) {
  if (auto complained = detail::check_type(value, value.texts.has_value(), "an array of probes")) return complained;
  std::set<host_probe> named;
  for (const std::string& text : *value.texts) {
    const auto found = std::ranges::find(probes_by_name, text, short_name);
    if (found == probes_by_name.end()) {
      return complaint{fmt::format("{} is not one of process, cgroup", in_quotes(text)),
                       "the others are read where tap, nft_table, fc_metrics or exec_probe are set"};
    }
    named.insert(*found);
  }
  target = std::move(named);
  return std::nullopt;
}

}  // namespace

reader probes_into(std::set<host_probe>& target) {
  return [&target](const written_value& value) { return take_probes(value, target); };
}

reader probes_into(std::optional<std::set<host_probe>>& target) {
  return [&target](const written_value& value) {
    std::set<host_probe> named;
    auto complained = take_probes(value, named);
    if (!complained) target = std::move(named);
    return complained;
  };
}

reader program_into(std::optional<std::vector<std::string>>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    const bool fits = value.texts.has_value() && !value.texts->empty();
    if (auto complained = detail::check_type(value, fits, "an array of a program and its arguments")) return complained;
    if (auto complained = absolute_path(value.texts->front())) return complained;
    if (value.texts->size() > most_arguments + 1) {
      return complaint{fmt::format("has {} arguments, more than {}", value.texts->size() - 1, most_arguments)};
    }
    for (const std::string& text : *value.texts) {
      if (auto complained = opaque_text(text)) return complained;
    }
    target = *value.texts;
    return std::nullopt;
  };
}

std::optional<complaint> interface_name(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= longest_interface_name && text != "." && text != ".." &&
                    std::ranges::all_of(text, is_name_character);
  if (fits) return std::nullopt;
  return complaint{fmt::format("{} is not the name of an interface", in_quotes(text)),
                   "1 to 15 bytes, as ip link has it"};
}

std::optional<complaint> cgroup_path(std::string_view text) {
  if (auto complained = file_path(text)) return complained;
  const std::filesystem::path path{text};
  const bool leaves = std::ranges::any_of(path, [](const auto& part) { return part == "." || part == ".."; });
  const bool fits = path.is_absolute() && path.has_filename() && !leaves && text.size() <= longest_group_path;
  if (fits) return std::nullopt;
  return complaint{fmt::format("{} is not the path of a control group", in_quotes(text)),
                   "from the root of the hierarchy on, as /proc/PID/cgroup has it behind the last colon"};
}

std::optional<complaint> source_path(std::string_view text) {
  if (auto complained = absolute_path(text)) return complained;
  if (!text.ends_with('/')) return std::nullopt;
  return complaint{fmt::format("{} names a directory", in_quotes(text)), "the file, FIFO or socket in it"};
}

std::optional<complaint> nft_table(std::string_view text) {
  const auto space = text.find(' ');
  const std::string_view family = text.substr(0, space);
  const std::string_view name = space == text.npos ? std::string_view{} : text.substr(space + 1);
  const bool fits = std::ranges::find(nft_families, family) != nft_families.end() && !name.empty() &&
                    name.size() <= longest_table_name && std::ranges::all_of(name, is_name_character);
  if (fits) return std::nullopt;
  return complaint{fmt::format("{} is not a table", in_quotes(text)), "family and name, as nft list tables has it"};
}

}  // namespace cellos::settings
