#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/support/certificate_directory.hpp"

/// Programs that move a log's lines from one process to another over mutual TLS on this machine.
namespace cellos::bench {

/// What moving a log once came to.
struct shipment {
  double events_per_second = 0;
  /// User and system time of both sides, from exec to exit.
  double cpu_us_per_event = 0;
  /// What TCP carried in both directions, TLS included; negative where `ss` is not there to say it.
  double wire_bytes_per_event = 0;
};

/// A host's log that was made for it to be moved, and what nodes need beside it.
struct shipping_place {
  std::filesystem::path dir;
  std::filesystem::path log;
  std::uint64_t events = 0;
  const test::certificate_directory& certificates;
};

inline constexpr const char* sending_node = "host-bench";
inline constexpr const char* receiving_node = "collector-bench";

/// Writes a log of about so many events, signed by checkpoints, with the real daemon and its simulated guests. Returns
/// how many it has.
std::uint64_t write_log(const std::filesystem::path& home, std::uint64_t events);

/// Links to the first files of `log`, until they have so many events. Returns how many these are.
std::uint64_t link_part(const std::filesystem::path& log, const std::filesystem::path& part, std::uint64_t events);

/// The product: a host's daemon forwards its log to a collector's, which acknowledges what is durable. The clock runs
/// from the first connection until the host, asked to stop once the copy is as long as the log, has ended; it ends once
/// its last line is acknowledged. Then the copy is compared with the log.
shipment ship_by_nodes(const shipping_place& place);

/// nats-server with a JetStream file stream; `batch_bytes`: of lines in a message, 0 for a line each. The sender is
/// this executable as `nats-sender`. Acknowledged is what is in the server's page cache.
shipment ship_by_jetstream(const shipping_place& place, std::size_t batch_bytes);

/// rsyslogd to rsyslogd: imfile, TCP, omfile. Nothing is acknowledged.
shipment ship_by_rsyslog(const shipping_place& place);

/// What TCP carried on the connections of this port by now, both directions; negative if nobody knows.
double wire_bytes(std::uint16_t port);

/// Of all children that have ended, in seconds.
double cpu_of_ended_children();

}  // namespace cellos::bench
