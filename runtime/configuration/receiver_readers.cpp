#include "runtime/configuration/receiver_readers.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "runtime/configuration/configuration_error.hpp"
#include "runtime/jetstream/event_subject.hpp"

namespace cellos::settings {

namespace {

constexpr std::size_t most_servers = 16;
constexpr std::size_t most_skipped = 1024;

/// As it would be typed: what else an address may be, a resolver has to say.
bool is_loopback(std::string_view host_and_port) {
  const auto host = host_and_port.substr(0, host_and_port.rfind(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

/// What stands behind `scheme`, if the text begins with it.
std::optional<std::string_view> behind(std::string_view scheme, std::string_view text) {
  if (!text.starts_with(scheme)) return std::nullopt;
  return text.substr(scheme.size());
}

std::optional<complaint> check_credentials(std::string_view text, const char* remedy) {
  // Whatever stands in a URL is seen in logs.
  if (text.find('@') == std::string_view::npos) return std::nullopt;
  return complaint{"has credentials in it", remedy};
}

std::optional<complaint> nats_server(std::string_view text) {
  if (auto complained = opaque_text(text)) return complained;
  if (auto complained = check_credentials(text, "credentials_file, or user and password_file")) return complained;
  const auto secure = behind("tls://", text);
  const auto plain = behind("nats://", text);
  const auto place = secure ? secure : plain;
  if (!place || listen_address(*place) || place->ends_with(":0")) {
    return complaint{fmt::format("{} is not a NATS server", in_quotes(text)),
                     "tls://HOST:PORT, or nats://HOST:PORT on loopback"};
  }
  if (plain && !is_loopback(*plain)) {
    return complaint{fmt::format("{} would be sent to as plain text", in_quotes(text)),
                     "nats:// is for loopback addresses alone"};
  }
  return std::nullopt;
}

}  // namespace

reader nats_servers_into(std::vector<std::string>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.texts.has_value(), "an array of servers")) return complained;
    if (value.texts->empty()) return complaint{"is empty", "without [forward.jetstream] there is no stream"};
    if (value.texts->size() > most_servers) {
      return complaint{fmt::format("has {} servers, more than {}", value.texts->size(), most_servers)};
    }
    std::vector<std::string> servers;
    for (const std::string& text : *value.texts) {
      if (auto complained = nats_server(text)) return complained;
      if (std::ranges::find(servers, text) != servers.end()) {
        return complaint{fmt::format("has {} twice", in_quotes(text))};
      }
      servers.push_back(text);
    }
    target = std::move(servers);
    return std::nullopt;
  };
}

std::optional<complaint> receiver_url(std::string_view text) {
  if (auto complained = opaque_text(text)) return complained;
  if (auto complained = check_credentials(text, "authorization_file")) return complained;
  const auto secure = behind("https://", text);
  const auto plain = behind("http://", text);
  const auto rest = secure ? secure : plain;
  const std::string_view place = rest ? rest->substr(0, rest->find_first_of("/?#")) : std::string_view{};
  const bool has_port = place.find(':', place.find(']') == std::string_view::npos ? 0 : place.find(']')) != place.npos;
  const std::string whole = has_port ? std::string{place} : std::string{place} + ":443";
  if (listen_address(whole) || text.find_first_of(" \"\\<>^`{|}#") != std::string_view::npos) {
    return complaint{fmt::format("{} is not the URL of a receiver", in_quotes(text)),
                     "https://HOST[:PORT]/PATH, or http:// on loopback"};
  }
  if (plain && !is_loopback(whole)) {
    return complaint{fmt::format("{} would be sent to as plain text", in_quotes(text)),
                     "http:// is for loopback addresses alone"};
  }
  return std::nullopt;
}

std::optional<complaint> subject_prefix(std::string_view text) {
  if (auto complained = opaque_text(text)) return complained;
  if (is_subject_prefix(text)) return std::nullopt;
  return complaint{fmt::format("{} cannot begin a subject", in_quotes(text)),
                   "tokens of A-Z a-z 0-9 _ - with dots between them"};
}

std::optional<complaint> stream_name(std::string_view text) {
  if (is_stream_name(text)) return std::nullopt;
  return complaint{fmt::format("{} is not a stream's name", in_quotes(text)), "1 to 128 of A-Z a-z 0-9 _ -"};
}

reader event_ids_into(std::vector<std::string>& target) {
  return [&target](const written_value& value) -> std::optional<complaint> {
    if (auto complained = detail::check_type(value, value.texts.has_value(), "an array of ids")) return complained;
    if (value.texts->size() > most_skipped) {
      return complaint{fmt::format("has {} ids, more than {}", value.texts->size(), most_skipped)};
    }
    target = *value.texts;
    return std::nullopt;
  };
}

}  // namespace cellos::settings
