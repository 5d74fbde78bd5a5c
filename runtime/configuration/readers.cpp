#include "runtime/configuration/readers.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "messages/wire_format.hpp"
#include "runtime/configuration/configuration_error.hpp"
#include "runtime/os/socket_path.hpp"
#include "runtime/text/nearest_name.hpp"
#include "runtime/text/units.hpp"

namespace cellos::settings {

namespace {

constexpr std::size_t longest_identifier = 128;
constexpr std::size_t longest_opaque_text = 256;
/// Chosen here; more are better a group.
constexpr std::size_t most_uids = 64;
constexpr std::size_t most_host_names = 64;
constexpr std::size_t most_collectors = 16;
constexpr std::size_t most_identifiers = 1024;

bool is_identifier_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == ':' || c == '-';
}

/// C0, DEL, and C1 as UTF-8 spells it.
bool has_control_character(std::string_view text) {
  unsigned char before = 0;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte < 0xa0)) return true;
    before = byte;
  }
  return false;
}

std::optional<complaint> check_socket_length(std::string_view socket, std::string note) {
  if (socket.size() <= longest_socket_path) return std::nullopt;
  return complaint{fmt::format("makes a socket path of {} bytes ({}); the kernel allows {}", socket.size(),
                               in_quotes(socket), longest_socket_path),
                   std::move(note)};
}

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size();
}

bool is_host(std::string_view host) {
  if (host.empty()) return false;
  if (host.starts_with('[')) return host.size() > 2 && host.find(']') == host.size() - 1;
  return std::ranges::all_of(host, [](char c) { return c != ':' && is_identifier_character(c); });
}

/// As `listen_address` has let it through.
collector_place place_of(std::string_view text) {
  const auto colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  collector_place place;
  place.host = std::string{host};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), place.port);
  return place;
}

}  // namespace

std::optional<complaint> identifier(std::string_view text) {
  const auto note = fmt::format("1 to {} of the characters A-Z a-z 0-9 . _ : -", longest_identifier);
  if (text.empty()) return complaint{"is empty", note};
  if (text.size() > longest_identifier) {
    return complaint{
        fmt::format("is {} bytes long ({}), more than {}", text.size(), in_quotes(text), longest_identifier), note};
  }
  if (std::ranges::all_of(text, is_identifier_character)) return std::nullopt;
  return complaint{fmt::format("{} has a character that is not allowed in an id", in_quotes(text)), note};
}

std::optional<complaint> file_path(std::string_view text) {
  if (text.empty()) return complaint{"is empty"};
  if (has_control_character(text)) return complaint{fmt::format("{} has a control character in it", in_quotes(text))};
  return std::nullopt;
}

std::optional<complaint> absolute_path(std::string_view text) {
  if (auto complained = file_path(text)) return complained;
  if (text.starts_with('/')) return std::nullopt;
  if (text.starts_with('~')) {
    return complaint{fmt::format("{} begins with ~, which only a shell expands", in_quotes(text)),
                     "the whole path, from the root on"};
  }
  return complaint{fmt::format("{} is not an absolute path", in_quotes(text)),
                   "from the root on: where a daemon is started from differs"};
}

std::optional<complaint> socket_path(std::string_view text) {
  if (auto complained = absolute_path(text)) return complained;
  return check_socket_length(text, fmt::format("at most {} bytes", longest_socket_path));
}

std::optional<complaint> vsock_base(std::string_view text) {
  if (auto complained = file_path(text)) return complained;
  if (!text.starts_with('/')) {
    return complaint{fmt::format("{} is not an absolute path", in_quotes(text)),
                     "Firecracker's uds_path of this cell from the root on"};
  }
  if (text.ends_with('/')) {
    return complaint{fmt::format("{} names a directory", in_quotes(text)), "Firecracker's uds_path of this cell"};
  }
  auto socket = telemetry_socket_of(text);
  auto longest_base = longest_socket_path - (socket.size() - text.size());
  return check_socket_length(socket, fmt::format("at most {} bytes, so that _{} still fits behind it", longest_base,
                                                 wire::vsock_telemetry_port));
}

std::optional<complaint> opaque_text(std::string_view text) {
  const auto note = fmt::format("1 to {} bytes without control characters", longest_opaque_text);
  if (text.empty()) return complaint{"is empty", note};
  if (text.size() > longest_opaque_text) {
    return complaint{fmt::format("is {} bytes long, more than {}", text.size(), longest_opaque_text), note};
  }
  if (has_control_character(text)) {
    return complaint{fmt::format("{} has a control character in it", in_quotes(text)), note};
  }
  return std::nullopt;
}

std::optional<complaint> listen_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon != std::string_view::npos && is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1))) {
    return std::nullopt;
  }
  return complaint{fmt::format("{} is not an address and a port", in_quotes(text)), "an IPv6 address goes in brackets"};
}

namespace detail {

std::optional<complaint> check_type(const written_value& value, bool fits, std::string_view wanted) {
  if (fits) return std::nullopt;
  return complaint{fmt::format("is {}, not {}", value.type, wanted)};
}

std::optional<complaint> check_text(const written_value& value, text_rule rule) {
  if (auto complained = check_type(value, value.text.has_value(), "a string")) return complained;
  return rule(*value.text);
}

std::optional<complaint> check_integer(const written_value& value, std::int64_t least, std::int64_t most) {
  if (auto complained = check_type(value, value.integer.has_value(), "an integer")) return complained;
  if (*value.integer >= least && *value.integer <= most) return std::nullopt;
  return complaint{fmt::format("{} is out of range", *value.integer), fmt::format("from {} to {}", least, most)};
}

std::optional<complaint> take_duration(const written_value& value, std::string_view least,
                                       std::chrono::nanoseconds step, std::chrono::nanoseconds& duration) {
  if (auto complained = check_type(value, value.text.has_value(), "a duration in quotes")) return complained;
  const auto note = fmt::format("from {} to {}, in {}", least, longest_duration_text, duration_units);
  auto parsed = parse_duration(*value.text);
  if (!parsed)
    return complaint{fmt::format("{} is not a duration of at most {}", in_quotes(*value.text), longest_duration_text),
                     note};
  if (*parsed < parse_duration(least)) {
    return complaint{fmt::format("{} is out of range", in_quotes(*value.text)), note};
  }
  if (*parsed % step != std::chrono::nanoseconds::zero()) {
    return complaint{fmt::format("{} is finer than whole steps of {}", in_quotes(*value.text), least), note};
  }
  duration = *parsed;
  return std::nullopt;
}

std::optional<complaint> take_choice(const written_value& value, const std::vector<std::string_view>& choices,
                                     std::size_t& chosen) {
  if (auto complained = check_type(value, value.text.has_value(), "a string")) return complained;
  auto found = std::ranges::find(choices, *value.text);
  if (found == choices.end()) {
    complaint result{fmt::format("{} is not a value it can have", in_quotes(*value.text)),
                     fmt::format("one of {}", fmt::join(choices, ", "))};
    if (auto near = nearest_name(*value.text, choices)) result.instead = in_quotes(*near);
    return result;
  }
  chosen = static_cast<std::size_t>(found - choices.begin());
  return std::nullopt;
}

}  // namespace detail

reader duration_into(std::chrono::nanoseconds& target, std::string_view least, std::chrono::nanoseconds step) {
  return
      [&target, least, step](const written_value& value) { return detail::take_duration(value, least, step, target); };
}

reader size_into(std::uint64_t& target, std::string_view least, std::string_view most) {
  return [&target, least, most](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.text.has_value(), "a size in quotes")) return complained;
    const auto note = fmt::format("from {} to {}, in {}", least, most, size_units);
    auto size = parse_size(*value.text);
    if (!size) return complaint{fmt::format("{} is not a size", in_quotes(*value.text)), note};
    if (*size < parse_size(least) || *size > parse_size(most)) {
      return complaint{fmt::format("{} is out of range", in_quotes(*value.text)), note};
    }
    target = *size;
    return std::nullopt;
  };
}

reader fsync_into(segment_log_settings& target) {
  static constexpr std::string_view shortest_interval = "1ms";
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (value.text == "always" || value.text == "never") {
      target.fsync = value.text == "always" ? fsync_policy::always : fsync_policy::never;
      return std::nullopt;
    }
    auto complained = duration_into(target.fsync_interval, shortest_interval, std::chrono::milliseconds{1})(value);
    if (!complained) {
      target.fsync = fsync_policy::interval;
      return std::nullopt;
    }
    if (value.text && !parse_duration(*value.text)) {
      const std::vector<std::string_view> words{"always", "never"};
      complained->problem = fmt::format("{} is neither always, never nor a duration of at most {}",
                                        in_quotes(*value.text), longest_duration_text);
      if (auto near = nearest_name(*value.text, words)) complained->instead = in_quotes(*near);
    }
    complained->note = fmt::format("or \"always\", \"never\", or another duration from {} to {}", shortest_interval,
                                   longest_duration_text);
    return complained;
  };
}

reader share_into(std::uint32_t& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    const std::string note = "a whole percentage from \"1%\" to \"100%\", or \"off\"";
    if (auto complained = detail::check_type(value, value.text.has_value(), "a percentage in quotes")) {
      complained->note = note;
      return complained;
    }
    const auto& text = *value.text;
    if (text == "off") {
      target = 0;
      return std::nullopt;
    }
    std::uint32_t percent = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), percent);
    if (failed != std::errc{} || std::string_view{end, text.data() + text.size()} != "%" || percent < 1 ||
        percent > 100) {
      return complaint{fmt::format("{} is not a percentage", in_quotes(text)), note};
    }
    target = percent;
    return std::nullopt;
  };
}

reader mode_into(std::uint32_t& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    const std::string note = "three or four octal digits in quotes, as chmod takes them";
    if (auto complained = detail::check_type(value, value.text.has_value(), "a mode in quotes")) return complained;
    std::uint32_t mode = 0;
    const auto& text = *value.text;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (failed != std::errc{} || end != text.data() + text.size() || text.size() < 3 || text.size() > 4 ||
        mode > 0777) {
      return complaint{fmt::format("{} is not a file mode", in_quotes(text)), note};
    }
    target = mode;
    return std::nullopt;
  };
}

reader principal_into(std::optional<std::string>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (value.integer) {
      if (auto complained = detail::check_integer(value, 0, highest_uid)) return complained;
      target = std::to_string(*value.integer);
      return std::nullopt;
    }
    if (auto complained = detail::check_type(value, value.text.has_value(), "a name or a number")) return complained;
    if (auto complained = identifier(*value.text)) return complained;
    target = std::string{*value.text};
    return std::nullopt;
  };
}

reader uids_into(std::vector<std::uint32_t>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.integers.has_value(), "an array of uids")) return complained;
    if (value.integers->size() > most_uids) {
      return complaint{fmt::format("has {} uids, more than {}", value.integers->size(), most_uids)};
    }
    std::vector<std::uint32_t> uids;
    for (const std::int64_t uid : *value.integers) {
      if (uid < 0 || uid > highest_uid) return complaint{fmt::format("{} is not a uid", uid)};
      uids.push_back(static_cast<std::uint32_t>(uid));
    }
    target = std::move(uids);
    return std::nullopt;
  };
}

reader host_names_into(std::vector<std::string>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.texts.has_value(), "an array of names")) return complained;
    if (value.texts->size() > most_host_names) {
      return complaint{fmt::format("has {} names, more than {}", value.texts->size(), most_host_names)};
    }
    std::vector<std::string> names;
    for (const std::string& text : *value.texts) {
      if (!is_host(text)) return complaint{fmt::format("{} is not a host's name", in_quotes(text)), "without a port"};
      std::string& name = names.emplace_back(text);
      std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    }
    target = std::move(names);
    return std::nullopt;
  };
}

reader place_into(std::optional<collector_place>& target) {
  return [&target](const written_value& value) {
    auto complained = detail::check_text(value, listen_address);
    if (!complained) target = place_of(*value.text);
    return complained;
  };
}

reader collectors_into(std::vector<collector_place>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.texts.has_value(), "an array of addresses")) {
      return complained;
    }
    if (value.texts->empty()) return complaint{"is empty", "without [forward] nothing is forwarded"};
    if (value.texts->size() > most_collectors) {
      return complaint{fmt::format("has {} collectors, more than {}", value.texts->size(), most_collectors)};
    }
    std::vector<collector_place> places;
    for (const std::string& text : *value.texts) {
      if (auto complained = listen_address(text)) return complained;
      collector_place place = place_of(text);
      if (place.port == 0) return complaint{fmt::format("{} has no port to connect to", in_quotes(text))};
      if (std::ranges::find(places, place) != places.end()) {
        return complaint{fmt::format("has {} twice", in_quotes(text))};
      }
      places.push_back(std::move(place));
    }
    target = std::move(places);
    return std::nullopt;
  };
}

reader identifiers_into(std::vector<std::string>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.texts.has_value(), "an array of names")) return complained;
    if (value.texts->size() > most_identifiers) {
      return complaint{fmt::format("has {} names, more than {}", value.texts->size(), most_identifiers)};
    }
    for (const std::string& text : *value.texts) {
      if (auto complained = identifier(text)) return complained;
    }
    target = *value.texts;
    return std::nullopt;
  };
}

reader flag_into(bool& target) {
  return [&target](const written_value& value) {
    auto complained = detail::check_type(value, value.flag.has_value(), "true or false");
    if (!complained) target = *value.flag;
    return complained;
  };
}

}  // namespace cellos::settings
