#pragma once

#include <openssl/types.h>

#include <string>

#include "runtime/transport/connection_refusal.hpp"

namespace cellos {

enum class handshake_step { done, waits_to_read, waits_to_write, failed };

/// Goes on with a handshake as far as it goes without waiting.
handshake_step shake_hands(SSL* ssl);

/// After the handshake, on the connecting side: whether the other side has said something, which it does once it has
/// accepted this side's certificate. What it said is not taken.
handshake_step await_acceptance(SSL* ssl);

/// Right after a failure, on the same thread: what it was.
connection_refusal why_failed(const SSL* ssl);

/// The same for whoever runs this host, with what to do. `name`: what the collector should have been called;
/// `certificate` and `authority`: this host's files.
std::string explain_failure(const SSL* ssl, const std::string& name, const std::string& certificate,
                            const std::string& authority);

}  // namespace cellos
