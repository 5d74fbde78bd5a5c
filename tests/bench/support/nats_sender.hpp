#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "runtime/transport/transport_settings.hpp"

namespace cellos::bench {

/// Publishes a log's lines into a new JetStream file stream over mutual TLS and waits for every acknowledgement. Speaks
/// NATS' protocol itself: a client library would be what is measured. `batch_bytes`: of lines in a message, 0 for a
/// line each. Messages have no ids, which would cost the server more.
/// Returns what the socket carried, both directions.
std::uint64_t send_to_jetstream(std::uint16_t port, const tls_settings& files, const std::filesystem::path& log,
                                std::size_t batch_bytes);

}  // namespace cellos::bench
