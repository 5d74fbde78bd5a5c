#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cellos {

/// When an appended line must be on the disk, rather than in the kernel's memory.
struct fsync_setting {
  enum class kind : std::uint8_t {
    /// Before each append is acknowledged.
    always,
    /// Group commit: a power cut loses at most the last `interval`.
    interval,
    /// When the kernel sees fit; a power cut may lose what it had not written, a crash of the daemon loses nothing.
    never,
  };
  kind when = kind::interval;
  /// Only meaningful for `kind::interval`; at least 1 ms. Default: ours, a tenth of a second of evidence at risk.
  std::chrono::milliseconds interval{100};

  bool operator==(const fsync_setting&) const = default;
};

/// `[evidence]`: the local log that everything is appended to first.
struct evidence_configuration {
  /// Directory of the log's segments; required.
  std::filesystem::path dir;
  fsync_setting fsync;
  /// Bytes of all segments together. At the limit the oldest segments go, once it is on record that they do.
  /// Default: ours, hours of a busy host's evidence.
  std::uint64_t max_bytes = std::uint64_t{10} << 30;
  /// Bytes after which a segment is closed and the next begun. Default: ours; where `max_bytes` is set below four
  /// segments and this is not set, the loader makes it a quarter of `max_bytes`, so that there is something to drop.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  /// Percent of `max_bytes` that one cell may fill in a burst; 0: as much as it likes. Default: ours, a flooding cell
  /// leaves the others three quarters of the log.
  std::uint32_t cell_share = 25;
  /// The time in which a cell earns its whole share again. Default: chosen here.
  std::chrono::nanoseconds cell_share_interval = std::chrono::hours{1};

  bool operator==(const evidence_configuration&) const = default;
};

/// `[control]`: how orchestrators and people reach the daemon. Absent: they do not.
struct control_configuration {
  /// Unix socket of the HTTP control API.
  std::optional<std::filesystem::path> socket;
  /// `HOST:PORT` of the read-only pages (metrics, health, status) over TCP.
  std::optional<std::string> http_listen;
  /// Permission bits of the socket's file: whoever may write to it may use the API. Default: ours, owner and group.
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
  /// Cells that have series of their own, those with the most frames; 0: none. Default: ours, since every cell that
  /// comes and goes would leave its series with the scraper for good.
  std::uint32_t per_cell_series = 0;

  bool operator==(const metrics_configuration&) const = default;
};

/// `[log]`: the daemon's own log on standard error.
struct log_configuration {
  enum class severity : std::uint8_t { trace, debug, info, warn, error };
  enum class form : std::uint8_t { text, json };
  /// The least severe line that is written. Default: spdlog's.
  severity level = severity::info;
  form format = form::text;

  bool operator==(const log_configuration&) const = default;
};

/// `[intake]`: what one guest may hold of the host's memory and descriptors.
struct intake_configuration {
  /// Read, not yet appended chunks of one cell; its credit and its replay buffer. Default: measured, more gains
  /// nothing.
  std::uint32_t chunks_per_cell = 8;
  /// Bytes of unappended chunks of all cells together; at the limit nobody is read from. Default: chosen here.
  std::uint64_t byte_budget = std::uint64_t{64} << 20;
  /// Open connections of one cell; a further one is closed at once. Default: ours, one agent needs one.
  std::uint32_t connections_per_cell = 8;
  /// How long a connection may keep half a frame before it is closed. Default: ours, the silence window's.
  std::chrono::nanoseconds half_frame_timeout = std::chrono::seconds{10};

  bool operator==(const intake_configuration&) const = default;
};

/// One `[[cell]]`: a microVM to serve from the start. More may be admitted over the control API.
struct cell_configuration {
  enum class failure_policy : std::uint8_t {
    /// Say so and go on without the failed part.
    report,
    /// Retire the cell.
    fail_cell,
  };
  /// 1 to 128 of `A-Z a-z 0-9 . _ : -`, like every id; unique on this host; required.
  std::string id;
  /// Which run of the cell this is; names its chain of events; required.
  std::string run_id;
  /// Firecracker's `uds_path` of the cell's vsock device, absolute. We bind `<vsock_uds_base>_9001`; required.
  std::string vsock_uds_base;
  /// SHA-256 of the cell's specification, as the orchestrator spells it; opaque to us, at most 256 bytes; required.
  std::string spec_signature_hash;
  /// Silence strictly longer than this is reported. Default: the original system's, 10 s.
  std::chrono::nanoseconds keepalive_window = std::chrono::seconds{10};
  /// The uid whose connections are accepted (`SO_PEERCRED`); nothing: any that the socket's mode lets in.
  std::optional<std::uint32_t> expected_uid;
  /// What happens when the cell's actors cannot be kept alive. Default: ours; the original names only `fail-cell`, for
  /// hardened use.
  failure_policy on_agent_failure = failure_policy::report;

  bool operator==(const cell_configuration&) const = default;
};

/// `[signing]`: how events are chained and vouched for. Absent: neither digests nor signatures.
struct signing_configuration {
  enum class algorithm : std::uint8_t {
    off,
    /// Digests without a key: the chain shows what was altered, to whoever has the last digest from elsewhere.
    digest,
    ed25519,
    hmac_sha256,
    ecdsa_p256_sha256,
  };
  enum class rate : std::uint8_t { event, checkpoint };

  /// A key, as far as the file names it.
  struct key_source {
    std::string kid;
    std::optional<std::filesystem::path> file;
    /// Name of a systemd credential; looked for in `$CREDENTIALS_DIRECTORY`.
    std::optional<std::string> credential;

    bool operator==(const key_source&) const = default;
  };

  algorithm alg = algorithm::off;
  key_source key;
  /// The key before this one, whose signature makes the change provable. The same algorithm.
  key_source former;
  rate mode = rate::event;
  /// With `checkpoint`: events of a run between two signatures, at most. Default: ours; a signature costs about as much
  /// as fifty digests, so that this adds a twentieth.
  std::uint32_t checkpoint_events = 1000;
  /// With `checkpoint`: the longest an event stays unsigned. Default: chosen here.
  std::chrono::nanoseconds checkpoint_interval = std::chrono::seconds{1};

  bool operator==(const signing_configuration&) const = default;
};

/// All that the configuration file sets. `config/telemetryd.toml` shows every key.
struct configuration {
  /// Names this host in every event; required.
  std::string host_id;
  evidence_configuration evidence;
  signing_configuration signing;
  control_configuration control;
  metrics_configuration metrics;
  log_configuration log;
  intake_configuration intake;
  /// `[scheduler] threads`: threads that run actors; 0 stands for two more than there are cores.
  std::uint32_t workers = 0;
  std::vector<cell_configuration> cells;

  bool operator==(const configuration&) const = default;
};

}  // namespace cellos
