#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/configuration/readers.hpp"

/// Values of `[forward.jetstream]` and `[forward.http]`.
namespace cellos::settings {

/// An array of 1 to 16 NATS servers, each `tls://HOST:PORT`, or `nats://HOST:PORT` on loopback; none twice.
reader nats_servers_into(std::vector<std::string>& target);

/// `https://HOST[:PORT]/PATH`, or `http://` on loopback.
std::optional<complaint> receiver_url(std::string_view text);

/// Of the tokens that subjects are made of.
std::optional<complaint> subject_prefix(std::string_view text);
std::optional<complaint> stream_name(std::string_view text);

/// An array of at most 1024 ids of events.
reader event_ids_into(std::vector<std::string>& target);

}  // namespace cellos::settings
