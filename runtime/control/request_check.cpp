#include "runtime/control/request_check.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

constexpr std::size_t most_shown = 128;

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `NAME[:PORT]` without the port, in lower case, an IPv6 address without its brackets. Nothing if it is neither.
std::optional<std::string> host_of(std::string_view authority) {
  std::string_view host = authority;
  std::string_view port;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool has_odd = host.find_first_of("@/\\ \t") != std::string_view::npos;
  if (host.empty() || has_odd || port.size() > 5 || !is_digits(port)) return std::nullopt;
  return lower(host);
}

enum class address { none, loopback, other };

address address_in(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) {
    return bytes[0] == 127 ? address::loopback : address::other;
  }
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return address::none;
  const bool is_one = bytes.back() == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; });
  return is_one ? address::loopback : address::other;
}

bool is_ours(const std::string& host, const server_names& server) {
  const address written = address_in(host);
  if (host == "localhost" || written == address::loopback) return true;
  if (server.any_address && written == address::other) return true;
  return std::find(server.names.begin(), server.names.end(), host) != server.names.end();
}

/// A target in absolute form names the host itself, and its word counts.
struct split_target {
  std::optional<std::string> authority;
  std::string path;
};

std::optional<split_target> split(const std::string& target) {
  constexpr std::string_view scheme = "http://";
  if (target.starts_with('/')) return split_target{std::nullopt, target};
  if (lower(target.substr(0, scheme.size())) != scheme) return std::nullopt;
  const std::string rest = target.substr(scheme.size());
  const auto slash = rest.find('/');
  return split_target{rest.substr(0, slash), slash == std::string::npos ? "/" : rest.substr(slash)};
}

/// What can be read in two ways: a proxy before us might read it in the other.
std::optional<http_answer> ambiguity(const request_head& head) {
  if (head.hosts.size() > 1) return refusal(400, "there is more than one Host", "Host", "send one");
  if (head.hosts.empty() && head.version != "HTTP/1.0") {
    return refusal(400, "there is no Host, which HTTP/1.1 requires", "Host", "send Host: localhost");
  }
  if (head.content_lengths.size() > 1) {
    return refusal(400, "there is more than one Content-Length", "Content-Length", "send one");
  }
  if (!head.content_lengths.empty()) {
    const std::string& length = head.content_lengths.front();
    if (length.empty() || !is_digits(length)) {
      return refusal(400, "the Content-Length is not a number", "Content-Length", "send the body's bytes, in digits");
    }
    if (head.has_transfer_encoding) {
      return refusal(400, "there are both a Content-Length and a Transfer-Encoding", "Content-Length", "send one");
    }
  }
  return std::nullopt;
}

/// By what a browser adds on its own, and a page cannot take away.
std::optional<http_answer> foreign_page(const request_head& head, const std::string& authority) {
  constexpr std::string_view remedy = "ask from a page of this daemon, or without a browser";
  for (const std::string& site : head.fetch_sites) {
    if (site == "same-origin" || site == "none") continue;
    return refusal(403, "a page of another site asks: Sec-Fetch-Site is " + escaped(site, most_shown), "Sec-Fetch-Site",
                   remedy);
  }
  for (const std::string& origin : head.origins) {
    const std::string from = lower(origin);
    if (from == "http://" + lower(authority) || from == "https://" + lower(authority)) continue;
    return refusal(403, "a page of another site asks: Origin is " + escaped(origin, most_shown), "Origin", remedy);
  }
  return std::nullopt;
}

bool is_open(const request_head& head, const std::string& path, const server_names& server) {
  const bool reads = head.method == "GET" || head.method == "HEAD";
  return reads && head.origins.empty() && head.fetch_sites.empty() &&
         std::find(server.open_paths.begin(), server.open_paths.end(), path) != server.open_paths.end();
}

}  // namespace

checked_request check_request(const request_head& head, const server_names& server) {
  checked_request out;
  auto target = split(head.target);
  if (!target) {
    out.refusal = refusal(400, "the target " + escaped(head.target, most_shown) + " is neither a path nor http://", {},
                          "send a path, such as /cells");
    return out;
  }
  out.path = std::move(target->path);
  if ((out.refusal = ambiguity(head))) return out;
  if (!target->authority && head.hosts.empty()) return out;  // HTTP/1.0, as no browser speaks it
  const std::string authority = target->authority ? *target->authority : head.hosts.front();
  const auto host = host_of(authority);
  if (!host) {
    out.refusal = refusal(400, "the Host " + escaped(authority, most_shown) + " is not a name and a port", "Host",
                          "send Host: localhost");
  } else if (!is_ours(*host, server) && !is_open(head, out.path, server)) {
    out.refusal = refusal(403, "this daemon is not called " + escaped(*host, most_shown), "Host",
                          "ask for localhost, or have the name in [control] host_names");
  } else {
    out.refusal = foreign_page(head, authority);
  }
  return out;
}

}  // namespace cellos
