#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/transport/basp_guard.hpp"

namespace cellos {

/// How a node shows who it is, and whom it believes. All files are PEM.
struct tls_settings {
  /// This node's certificate, behind it those between it and the authority.
  std::filesystem::path certificate{};
  /// Its private key, without a passphrase, not readable for everybody.
  std::filesystem::path key{};
  /// The authority, or several, that issued the other side's certificate and this node's.
  std::filesystem::path authority{};
  /// Hosts that are refused whatever their certificates say. A collector's only.
  std::vector<std::string> denied_hosts{};
  /// No TLS: whoever reaches the address is believed. Loopback addresses only.
  bool plain_loopback = false;

  bool operator==(const tls_settings&) const = default;
};

/// What outsiders and holders of certificates may take of a collector. Numbers chosen here, where nothing else is said.
struct server_limits {
  /// Connections whose handshake goes on.
  std::size_t pending = 256;
  std::chrono::milliseconds handshake{2000};
  /// Of all hosts, and of one: a host has one, and another while it finds out that the first is lost.
  std::size_t connections = 12'000;
  std::size_t connections_per_host = 4;
  /// A connection ends between nine tenths of this and all of it, so that what was revoked meanwhile is noticed, and
  /// not for all hosts in the same moment.
  std::chrono::milliseconds connection_age{std::chrono::hours{24}};
  /// Bytes that a peer has not taken yet; a peer that does not read is let go.
  std::size_t unsent_bytes = 16U << 20;
  basp_limits basp{};
};

struct connector_limits {
  /// To find the collector's address and connect to it.
  std::chrono::milliseconds connect{2000};
  /// From there until the collector has answered.
  std::chrono::milliseconds handshake{2000};
  /// Attempts at the same time.
  std::size_t attempts = 16;
  std::size_t unsent_bytes = 64U << 20;
  basp_limits basp{};
};

/// Where a collector listens.
struct collector_place {
  /// A name, or an address without brackets.
  std::string host;
  std::uint16_t port = 0;
  /// The name or address its certificate must carry; `host` where empty.
  std::string server_name{};

  bool operator==(const collector_place&) const = default;
};

}  // namespace cellos
