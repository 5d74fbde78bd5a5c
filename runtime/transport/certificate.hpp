#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "messages/instants.hpp"
#include "runtime/transport/connection_refusal.hpp"

namespace cellos {

/// The two sides of a connection between nodes. A certificate is for one of them alone, so that no host can play
/// collector.
enum class transport_side {
  /// Connects; has extended key usage clientAuth and the name `urn:cellos:host:<id>`.
  host,
  /// Is connected to; has extended key usage serverAuth and its DNS names or addresses.
  collector,
};

/// What a host may be called: 1 to 128 of the characters A-Z a-z 0-9 . _ : -, the first no point, since directories are
/// called so too.
bool is_host_id(std::string_view text);

/// The id in the one `urn:cellos:host:<id>` of the subject's alternative names. None where there is none, or more.
std::optional<std::string> host_id_of(const X509* certificate);

/// Whether it names a DNS name or an address.
bool names_a_server(const X509* certificate);

/// Whether it has the side's extended key usage, and no other.
bool is_for(const X509* certificate, transport_side side);

/// When it ends; the epoch where it does not say so in a way that can be read.
wall_time end_of(const X509* certificate);

/// What OpenSSL's X509_V_ERR codes come to.
connection_refusal refusal_of(int verify_error);

}  // namespace cellos
