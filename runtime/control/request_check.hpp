#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/control/http_message.hpp"

namespace cellos {

/// What the head of a request says, as far as it decides whether the request is answered at all.
struct request_head {
  /// "HTTP/1.1".
  std::string version;
  std::string method;
  /// Decoded, without the query. In absolute form it begins with "http://".
  std::string target;
  /// Every value each of these headers has.
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::vector<std::string> fetch_sites;
  std::vector<std::string> content_lengths;
  bool has_transfer_encoding = false;
};

/// Under which names a server is asked. A web page may have its visitor's browser ask anything of this host, by way of
/// a forwarded port or of a name that its owner lets point here; what it cannot do is to have the browser say that the
/// request comes from elsewhere than it does.
struct server_names {
  /// Besides `localhost` and loopback addresses; in lower case, without a port.
  std::vector<std::string> names;
  /// Every address: only a name can be made to point somewhere else.
  bool any_address = false;
  /// Paths that are answered under any name, where nothing shows that a browser asks.
  std::vector<std::string_view> open_paths;
};

/// A request that is answered, or why it is not.
struct checked_request {
  /// The target's path, whatever its form.
  std::string path;
  std::optional<http_answer> refusal;
};

/// Requests that can be read in two ways are 400, those of other sites 403.
checked_request check_request(const request_head& head, const server_names& server);

}  // namespace cellos
