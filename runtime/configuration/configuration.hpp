#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "actors/log_format.hpp"
#include "actors/log_share.hpp"
#include "messages/cell_specification.hpp"
#include "runtime/collector/ingest_limits.hpp"
#include "runtime/evidence/segment_log_settings.hpp"
#include "runtime/http_forwarding/http_settings.hpp"
#include "runtime/jetstream/jetstream_settings.hpp"
#include "runtime/probes/probe_settings.hpp"
#include "runtime/signing/signing_settings.hpp"
#include "runtime/socket_service/socket_service_options.hpp"
#include "runtime/transport/transport_settings.hpp"

/// What the file says, in the very types that the services take. Each default stands once, at its member, which is a
/// service's where one takes it.
namespace cellos {

/// `[evidence]`: the local log that everything is appended to first; `dir` is required.
struct evidence_configuration : segment_log_settings {
  /// Percent of `max_bytes` that one cell may fill in a burst; 0: as much as it likes. Default: chosen here, a flooding
  /// cell leaves the others three quarters of the log.
  std::uint32_t cell_share = 25;
  /// The time in which a cell earns its whole share again.
  std::chrono::nanoseconds cell_share_interval = log_share_limits{}.interval;

  bool operator==(const evidence_configuration&) const = default;
};

/// `[control]`: how orchestrators and people reach the daemon. Absent: they do not.
struct control_configuration {
  /// Unix socket of the HTTP control API.
  std::optional<std::filesystem::path> socket;
  /// `HOST:PORT` of the read-only pages (metrics, health, status) over TCP.
  std::optional<std::string> http_listen;
  /// Permission bits of the socket's file: whoever may write to it may use the API. Default: chosen here, owner and
  /// group.
  std::uint32_t mode = 0660;
  /// Name or number of the user and group the file is given to; nothing: the daemon's own.
  std::optional<std::string> owner{};
  std::optional<std::string> group{};
  /// If not empty, peers must have one of these uids besides being let in by the mode; root and the daemon's own user
  /// always may.
  std::vector<std::uint32_t> allow_uids{};
  /// Names, besides localhost, under which the API and the public pages may be asked; in lower case. Default: none, and
  /// /metrics and /healthz over TCP under any.
  std::vector<std::string> host_names{};
  /// Where cells admitted over the API are remembered. Nothing: `cells.json` in the evidence directory.
  std::optional<std::filesystem::path> state_file{};

  bool operator==(const control_configuration&) const = default;
};

/// `[metrics]`: what `/metrics` shows beyond the sums.
struct metrics_configuration {
  /// Cells that have series of their own, those with the most frames; 0: none. Default: chosen here, since every cell
  /// that comes and goes would leave its series with the scraper for good.
  std::uint32_t per_cell_series = 0;
  /// At a collector: hosts that have series of their own, those that lag most; 0: none. Default: chosen here.
  std::uint32_t per_host_series = 0;

  bool operator==(const metrics_configuration&) const = default;
};

/// `[forward]`: who gets the evidence log. Absent: nobody.
struct forwarding_configuration {
  /// In the order of preference: the first that takes lines gets them.
  std::vector<collector_place> collectors;
  /// Bytes a second that messages with lines may have, as they are sent; 0: as many as the collector takes.
  std::uint64_t max_bytes_per_second = 0;
  /// `[forward.jetstream]` and `[forward.http]`: others that get it, each for itself.
  jetstream_settings jetstream;
  http_settings http;

  bool operator==(const forwarding_configuration&) const = default;
};

/// `[collector]`: this node keeps the logs of others. Absent: it does not.
struct collector_configuration {
  /// Where hosts connect.
  std::optional<collector_place> listen;
  /// What it keeps; a directory of its own, required with `listen`.
  std::filesystem::path dir;
  /// Hosts that are refused whatever their certificates say.
  std::vector<std::string> denied_hosts;
  /// A host that is not heard for so long is reported as silent, once.
  std::chrono::nanoseconds silence_window = ingest_limits{}.silence_window;
  /// Lines are taken only if keys of `keys_file` have signed them.
  bool require_signed = false;
  /// A key list, as `verify` takes it; required with `require_signed`.
  std::filesystem::path keys_file;
  /// How often the own chain says how far a log is that goes on. Default: chosen here, one small event a minute and
  /// host.
  std::chrono::nanoseconds witness_interval = std::chrono::minutes{1};
  /// Bytes a second that one host may have kept; 0: as many as it likes.
  std::uint64_t host_bytes_per_second = ingest_limits{}.host_bytes_per_second;

  bool operator==(const collector_configuration&) const = default;
};

/// `[log]`: the daemon's own log on standard error.
struct log_configuration {
  /// The least severe line that is written. Default: spdlog's.
  spdlog::level::level_enum level = spdlog::level::info;
  log_format format = log_format::text;

  bool operator==(const log_configuration&) const = default;
};

/// All that the configuration file sets. `config/telemetryd.toml` shows every key.
struct configuration {
  /// Names this host in every event; required.
  std::string host_id;
  evidence_configuration evidence;
  /// `[signing]`. Absent: neither digests nor signatures.
  signing_settings signing;
  control_configuration control;
  metrics_configuration metrics;
  /// `[probes]`: what the host reads of cells for itself.
  probe_settings probes;
  /// `[tls]`: how this node shows others who it is, and whom it believes. For `[forward]` and `[collector]`.
  tls_settings tls;
  forwarding_configuration forward;
  collector_configuration collector;
  log_configuration log;
  /// `[intake]`: the members that have keys.
  socket_service_options intake;
  /// `[scheduler] threads`: threads that run actors; 0 stands for two more than there are cores.
  std::uint32_t workers = 0;
  /// One `[[cell]]` each: microVMs to serve from the start. More may be admitted over the control API.
  std::vector<cell_specification> cells;

  bool operator==(const configuration&) const = default;
};

}  // namespace cellos
