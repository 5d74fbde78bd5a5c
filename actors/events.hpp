#pragma once

#include <spdlog/logger.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "actors/event_counts.hpp"
#include "actors/log_format.hpp"
#include "messages/agent_silenced.hpp"
#include "messages/contradiction.hpp"
#include "messages/host_event.hpp"
#include "messages/host_probe.hpp"
#include "messages/host_stamp.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// The catalogue of what an operator can see: one function an event, one line a call, and where metrics count it, one
/// count. docs/operations.md explains each.
///
/// Thread-safe. Every value that a guest or a configuration could have chosen is escaped and bounded here.
class operator_events {
 public:
  operator_events(std::shared_ptr<spdlog::logger> logger, log_format format);

  /// Once for each reason; `step` completes "cannot ...".
  void start_refused(std::string_view step, std::string_view cause);
  void daemon_started(std::string_view version, std::string_view host_id, std::string_view evidence_dir);
  void daemon_ready(std::size_t cells, std::size_t refused);
  void reloaded(std::size_t cells, std::size_t refused);
  /// A line for each of the first twenty problems.
  void reload_refused(const std::vector<std::string>& problems);
  /// What the file says of it waits for the next start.
  void restart_needed(std::string_view keys);
  void control_listening(std::string_view address);
  /// `known_cells`: admitted over the control API before this daemon began.
  void cells_restored(std::size_t known_cells);
  void event_stream_dropped(std::uint64_t events_lost);
  /// `sender`: its pid; 0 where the kernel sent it. `held_back`: those since the last such line that had none.
  void signal_ignored(std::string_view signal, std::int64_t sender, std::uint64_t held_back);
  /// One that has no line of its own.
  void signal_held_back() { ++counts_.signals_ignored; }
  /// Nobody read the log for a while; said once somebody does again.
  void log_lines_lost(std::uint64_t lines);
  /// Lines could not be passed on to so many clients of `/events`.
  void event_feed_interrupted(std::string_view cause, std::uint64_t streams);
  void daemon_draining(std::string_view cause);
  void daemon_stopped(std::uint64_t cells_not_drained);

  void cell_admitted(const host_stamp& run, std::string_view socket_path);
  void cell_refused(std::string_view cell_id, std::string_view explanation);
  void cell_retired(const host_stamp& run, const run_totals& totals);
  void cell_not_drained(const host_stamp& run, std::string_view cause);

  void agent_silenced(const host_stamp& run, const cellos::agent_silenced& silence);
  void agent_resumed(const host_stamp& run);
  /// Once per run and second at most, however many frames were refused.
  void frames_refused(const host_stamp& run, const refusal_counts& since_last);
  /// `held_back`: refusals since the last such line of this cell that had none of their own.
  void connection_refused(std::string_view cell_id, std::string_view cause, std::uint64_t held_back);

  /// A source of a cell cannot be read, or fails in another way than before; said once, until it is read again.
  void probe_failed(const host_stamp& run, host_probe probe, probe_error_kind kind, std::string_view cause);
  void probe_recovered(const host_stamp& run, host_probe probe);
  /// The process that has the probes' capabilities is there, or is there again.
  void privileged_reader_started(std::string_view capabilities);
  /// It does not answer, or cannot be had; said once, until it is started again.
  void privileged_reader_failed(std::string_view cause);
  /// What the cell declared and its host read do not agree.
  void contradiction_found(const host_stamp& run, const recorded_contradiction& found);

  /// Once, when no guest finds the cell's socket any more.
  void socket_lost(std::string_view cell_id, std::string_view socket_path, std::string_view cause);
  void socket_restored(std::string_view cell_id, std::string_view socket_path, std::string_view how);

  void actor_failed(std::string_view role, std::string_view cell_id, std::string_view cause);
  /// Once, when a handler has run for longer than the watchdog allows.
  void actor_hung(std::string_view role, std::string_view cell_id, std::chrono::nanoseconds busy_for);
  /// Its actors died more often than `restart_limits` allow.
  void cell_failed(std::string_view cell_id, std::string_view role, std::string_view consequence);
  void chunk_quarantined(const host_stamp& run, std::uint64_t frames, std::string_view file);
  /// A batch of `run` was attributed to another; null: to none.
  void attribution_refused(const host_stamp& run, const host_stamp_ptr& attributed_to, std::uint64_t frames,
                           std::string_view file);
  void evidence_blocked(const std::error_code& cause);
  void evidence_resumed();
  /// The daemon before this one ended without draining.
  void runs_recovered(std::size_t runs);
  /// The evidence log is not what the daemon before this one left; the host's chain says the same.
  void evidence_doubtful(const recovery_finding& finding);
  void evidence_recovered(std::string_view file, std::uint64_t bytes_removed);
  /// The oldest segments, to stay within `max_bytes`.
  void evidence_removed(std::uint64_t first_segment, std::uint64_t last_segment, std::uint64_t bytes);
  void evidence_not_removed(const std::error_code& cause);
  /// Somebody else laid hands on what the log writes to.
  void evidence_disturbed(std::string_view file, std::string_view what);
  void segments_missing(std::uint64_t first_segment, std::uint64_t last_segment);
  /// Files in the evidence directory that look like a log and are not read as part of it.
  void foreign_files(std::string_view directory, const std::vector<std::string>& files);

  // Of a collector. `held_back`: those since the last such line that had none of their own, of any host.

  void collector_listening(std::string_view address);
  void host_connected(std::string_view host_id, std::string_view address);
  void host_refused(std::string_view host_id, std::string_view address, std::string_view reason,
                    std::uint64_t held_back);
  /// Another live process sends as this host already.
  void host_doubled(std::string_view host_id, std::string_view address, std::uint64_t held_back);
  /// Once in each silence.
  void host_silenced(std::string_view host_id, std::chrono::nanoseconds unheard_for);
  void host_resumed(std::string_view host_id);
  /// A host's log does not say what was kept of it before.
  void history_forked(std::string_view host_id, std::uint64_t forks);
  void copy_failed(std::string_view host_id, const std::error_code& cause, std::uint64_t held_back);

  // Of a host that forwards its log. `collector`: as the configuration names it. Positions: `segment:offset`.

  void collector_reached(std::string_view collector);
  void collector_lost(std::string_view collector, std::string_view cause);
  void delivery_refused(std::string_view collector, std::string_view reason);
  /// The collector's copy says something else than the log.
  void delivery_forked(std::string_view collector, std::string_view position);
  /// What lies between was removed before any collector had it.
  void lines_undelivered(std::string_view collector, std::string_view from, std::string_view to);
  void evidence_unread(std::string_view collector);
  void forwarding_unfinished();

  // Of a host that delivers its log to a stream or an HTTP service. `receiver`: as an operator knows it.

  void receiver_reached(std::string_view receiver);
  void receiver_lost(std::string_view receiver, std::string_view cause);
  /// It takes nothing for now.
  void lines_refused(std::string_view receiver, std::string_view cause);
  /// What lies between was removed here, and the receiver may still lose it.
  void lines_removed_early(std::string_view receiver, std::string_view from, std::string_view to);
  /// The receiver will not take the line there; nothing is sent any more.
  void delivery_stopped(std::string_view receiver, std::string_view position, std::string_view cause);
  /// Left out, as configured.
  void line_skipped(std::string_view receiver, std::string_view position, std::string_view id);

  /// At any time, also while events are reported; takes effect at once.
  void set_level(spdlog::level::level_enum level) { logger_->set_level(level); }
  const event_counts& counts() const { return counts_; }

 private:
  struct field {
    std::string_view name;
    std::string value;
  };
  void emit(spdlog::level::level_enum level, std::string_view event, std::initializer_list<field> fields);
  std::string as_text(std::string_view event, std::initializer_list<field> fields) const;
  std::string as_json(spdlog::level::level_enum level, std::string_view event,
                      std::initializer_list<field> fields) const;

  std::shared_ptr<spdlog::logger> logger_;
  log_format format_;
  event_counts counts_;
};

}  // namespace cellos
