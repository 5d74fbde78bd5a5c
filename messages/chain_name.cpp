#include "messages/chain_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace cellos {

namespace {

/// Three ids of 128 bytes, an epoch, the slashes; and more.
constexpr std::size_t longest_chain = 512;

/// Ids of ours have nothing else in them; whoever made the log may have put terminal escapes there.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

std::string with_slash(std::string_view part) { return std::string{part} + '/'; }

}  // namespace

std::optional<chain_name> parse_chain_name(std::string_view text) {
  if (text.size() > longest_chain || !is_plain(text)) return std::nullopt;
  std::array<std::string_view, 4> parts;
  std::size_t count = 0;
  for (std::string_view rest = text;; ++count) {
    if (count == parts.size()) return std::nullopt;
    const std::size_t slash = rest.find('/');
    parts[count] = rest.substr(0, slash);
    if (parts[count].empty()) return std::nullopt;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  ++count;
  const std::string_view epoch = parts[count - 1];
  if (!std::all_of(epoch.begin(), epoch.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  if (count == 2) return chain_name{parts[0], {}, {}, epoch};
  if (count == 4) return chain_name{parts[0], parts[1], parts[2], epoch};
  return std::nullopt;
}

std::optional<std::uint64_t> chain_name::epoch_number() const {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(epoch.data(), epoch.data() + epoch.size(), number);
  if (failure != std::errc{} || end != epoch.data() + epoch.size()) return std::nullopt;
  return number;
}

std::string chain_name::source() const { return event_source(host); }

std::string chain_name::subject() const { return is_host() ? host_subject(host) : cell_subject(cell); }

std::string run_chain_name(std::string_view host, std::string_view cell, std::string_view run, std::uint64_t epoch) {
  return with_slash(host) + with_slash(cell) + with_slash(run) + std::to_string(epoch);
}

std::string host_chain_name(std::string_view host, std::uint64_t epoch) {
  return with_slash(host) + std::to_string(epoch);
}

std::string event_source(std::string_view host) { return "/cellos/host/" + std::string{host}; }

std::string cell_subject(std::string_view cell) { return std::string{cell_subject_begin} + std::string{cell}; }

std::string host_subject(std::string_view host) { return "urn:cellos:host:" + std::string{host}; }

}  // namespace cellos
