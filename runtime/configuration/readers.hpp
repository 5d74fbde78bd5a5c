#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/configuration/configuration.hpp"
#include "runtime/transport/transport_settings.hpp"

/// From a value in the file to a member of the configuration: one reader per kind of value, one rule per kind of text.
namespace cellos::settings {

/// A value of the file, as far as any reader looks into it.
struct written_value {
  /// What it is, for messages: "a string", "an integer", "a table" ...
  std::string_view type;
  std::optional<std::string_view> text;
  std::optional<std::int64_t> integer;
  /// An array of nothing but integers.
  std::optional<std::vector<std::int64_t>> integers = {};
  /// An array of nothing but strings.
  std::optional<std::vector<std::string>> texts = {};
  std::optional<bool> flag = {};
};

/// Why a value was refused.
struct complaint {
  /// Completes a sentence that begins with the key.
  std::string problem;
  /// What else the remedy says; may be empty.
  std::string note = {};
  /// The value to suggest, as written in the file; empty for the key's own example.
  std::string instead = {};
};

/// Puts the value where it belongs, or complains and leaves the place alone.
using reader = std::function<std::optional<complaint>(const written_value&)>;

/// What a text must be like.
using text_rule = std::optional<complaint> (*)(std::string_view);

/// The largest number is `(uid_t)-1`, which means nobody.
inline constexpr std::int64_t highest_uid = 0xFFFF'FFFE;

/// 1 to 128 of `A-Z a-z 0-9 . _ : -`.
std::optional<complaint> identifier(std::string_view text);
/// Not empty, no control characters.
std::optional<complaint> file_path(std::string_view text);
std::optional<complaint> absolute_path(std::string_view text);
/// A file path short enough for `sun_path`.
std::optional<complaint> socket_path(std::string_view text);
/// An absolute path that is still short enough for `sun_path` with the telemetry port behind it.
std::optional<complaint> vsock_base(std::string_view text);
/// 1 to 256 bytes, no control characters.
std::optional<complaint> opaque_text(std::string_view text);
/// `HOST:PORT`, with an IPv6 address in brackets.
std::optional<complaint> listen_address(std::string_view text);

namespace detail {

std::optional<complaint> check_type(const written_value& value, bool fits, std::string_view wanted);
std::optional<complaint> check_text(const written_value& value, text_rule rule);
std::optional<complaint> check_integer(const written_value& value, std::int64_t least, std::int64_t most);
std::optional<complaint> take_duration(const written_value& value, std::string_view least,
                                       std::chrono::nanoseconds step, std::chrono::nanoseconds& duration);
std::optional<complaint> take_choice(const written_value& value, const std::vector<std::string_view>& choices,
                                     std::size_t& chosen);

}  // namespace detail

template <class Target>
reader text_into(Target& target, text_rule rule) {
  return [&target, rule](const written_value& value) {
    auto complained = detail::check_text(value, rule);
    if (!complained) target = std::string{*value.text};
    return complained;
  };
}

template <class Target>
reader integer_into(Target& target, std::int64_t least, std::int64_t most) {
  return [&target, least, most](const written_value& value) {
    auto complained = detail::check_integer(value, least, most);
    if (!complained) target = static_cast<std::uint32_t>(*value.integer);
    return complained;
  };
}

/// At least `least` (as it would be written), at most `longest_duration`, and a whole number of `step`.
reader duration_into(std::chrono::nanoseconds& target, std::string_view least,
                     std::chrono::nanoseconds step = std::chrono::nanoseconds{1});

/// Bounds as they would be written.
reader size_into(std::uint64_t& target, std::string_view least, std::string_view most);

/// "always", "never", or the interval of group commit.
reader fsync_into(segment_log_settings& target);

/// A whole percentage, "1%" to "100%", or "off", which is 0.
reader share_into(std::uint32_t& target);

/// Permission bits as chmod takes them: "0660".
reader mode_into(std::uint32_t& target);

/// A user's or group's name, or its number.
reader principal_into(std::optional<std::string>& target);

/// An array of at most 64 uids.
reader uids_into(std::vector<std::uint32_t>& target);

/// An array of at most 64 names of hosts, without a port; lower case afterwards.
reader host_names_into(std::vector<std::string>& target);

/// `HOST:PORT`, with an IPv6 address in brackets.
reader place_into(std::optional<collector_place>& target);

/// An array of 1 to 16 collectors, each `HOST:PORT`, none twice.
reader collectors_into(std::vector<collector_place>& target);

/// An array of at most 1024 identifiers.
reader identifiers_into(std::vector<std::string>& target);

/// true or false.
reader flag_into(bool& target);

template <class Enum>
reader choice_into(Enum& target, std::vector<std::pair<std::string_view, Enum>> choices) {
  return [&target, choices = std::move(choices)](const written_value& value) {
    std::vector<std::string_view> names;
    for (const auto& choice : choices) names.push_back(choice.first);
    std::size_t chosen = 0;
    auto complained = detail::take_choice(value, names, chosen);
    if (!complained) target = choices[chosen].second;
    return complained;
  };
}

}  // namespace cellos::settings
