#include "actors/events.hpp"

#include <chrono>
#include <utility>

#include "messages/escaped_text.hpp"
#include "messages/json_text.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

namespace {

using level = spdlog::level::level_enum;

/// Paths and explanations are longer than names, but not endless.
constexpr std::size_t max_field_bytes = 512;

std::string seconds(std::chrono::nanoseconds duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1) + "s";
}

std::string count(std::uint64_t number) { return std::to_string(number); }

std::string by_kind(const refusal_counts& refused) {
  std::string out;
  for (telemetry_errc kind : refusal_kinds) {
    if (refused[kind] == 0) continue;
    if (!out.empty()) out += ',';
    out += std::string{to_string(kind)} + ":" + count(refused[kind]);
  }
  return out.empty() ? "none" : out;
}

}  // namespace

operator_events::operator_events(std::shared_ptr<spdlog::logger> logger, log_format format)
    : logger_(std::move(logger)), format_(format) {
  logger_->set_pattern(format == log_format::json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %-5l %v",
                       spdlog::pattern_time_type::utc);
}

void operator_events::start_refused(std::string_view step, std::string_view cause) {
  emit(level::err, "start_refused", {{"step", std::string{step}}, {"cause", std::string{cause}}});
}

void operator_events::daemon_started(std::string_view version, std::string_view host_id,
                                     std::string_view evidence_dir) {
  emit(level::info, "daemon_started",
       {{"version", std::string{version}}, {"host", std::string{host_id}}, {"evidence", std::string{evidence_dir}}});
}

void operator_events::daemon_ready(std::size_t cells, std::size_t refused) {
  emit(level::info, "daemon_ready", {{"cells", count(cells)}, {"refused", count(refused)}});
}

void operator_events::reloaded(std::size_t cells, std::size_t refused) {
  ++counts_.reloads_applied;
  emit(refused == 0 ? level::info : level::warn, "reloaded", {{"cells", count(cells)}, {"refused", count(refused)}});
}

void operator_events::reload_refused(const std::vector<std::string>& problems) {
  ++counts_.reloads_refused;
  constexpr std::size_t most_lines = 20;
  for (std::size_t i = 0; i < problems.size() && i < most_lines; ++i) {
    emit(level::err, "reload_refused", {{"cause", problems[i]}});
  }
}

void operator_events::restart_needed(std::string_view keys) {
  emit(level::warn, "restart_needed", {{"keys", std::string{keys}}});
}

void operator_events::control_listening(std::string_view address) {
  emit(level::info, "control_listening", {{"address", std::string{address}}});
}

void operator_events::cells_restored(std::size_t known_cells) {
  emit(level::info, "cells_restored", {{"cells", count(known_cells)}});
}

void operator_events::event_stream_dropped(std::uint64_t events_lost) {
  ++counts_.event_streams_dropped;
  emit(level::warn, "event_stream_dropped", {{"events_lost", count(events_lost)}});
}

void operator_events::signal_ignored(std::string_view signal, std::int64_t sender, std::uint64_t held_back) {
  ++counts_.signals_ignored;
  emit(level::warn, "signal_ignored",
       {{"signal", std::string{signal}}, {"sender", std::to_string(sender)}, {"held_back", count(held_back)}});
}

void operator_events::log_lines_lost(std::uint64_t lines) {
  emit(level::warn, "log_lines_lost", {{"lines", count(lines)}});
}

void operator_events::event_feed_interrupted(std::string_view cause, std::uint64_t streams) {
  counts_.event_streams_dropped += streams;
  emit(level::warn, "event_feed_interrupted", {{"cause", std::string{cause}}, {"streams", count(streams)}});
}

void operator_events::daemon_draining(std::string_view cause) {
  emit(level::info, "daemon_draining", {{"cause", std::string{cause}}});
}

void operator_events::daemon_stopped(std::uint64_t cells_not_drained) {
  emit(cells_not_drained == 0 ? level::info : level::err, "daemon_stopped",
       {{"cells_not_drained", count(cells_not_drained)}});
}

void operator_events::cell_admitted(const host_stamp& run, std::string_view socket_path) {
  emit(level::info, "cell_admitted",
       {{"cell", run.cell_id}, {"run", run.run_id}, {"socket", std::string{socket_path}}});
}

void operator_events::cell_refused(std::string_view cell_id, std::string_view explanation) {
  emit(level::err, "cell_refused", {{"cell", std::string{cell_id}}, {"cause", std::string{explanation}}});
}

void operator_events::cell_retired(const host_stamp& run, const run_totals& totals) {
  emit(level::info, "cell_retired",
       {{"cell", run.cell_id},
        {"run", run.run_id},
        {"received", count(totals.received)},
        {"appended", count(totals.appended)},
        {"heartbeats", count(totals.heartbeats)},
        {"refused", by_kind(totals.refused)},
        {"quarantined", count(totals.quarantined)},
        {"forged_attribution", count(totals.forged_attribution)}});
}

void operator_events::cell_not_drained(const host_stamp& run, std::string_view cause) {
  emit(level::err, "cell_not_drained", {{"cell", run.cell_id}, {"run", run.run_id}, {"cause", std::string{cause}}});
}

void operator_events::agent_resumed(const host_stamp& run) {
  ++counts_.agents_resumed;
  emit(level::info, "agent_resumed", {{"cell", run.cell_id}, {"run", run.run_id}});
}

void operator_events::frames_refused(const host_stamp& run, const refusal_counts& since_last) {
  emit(level::warn, "frames_refused", {{"cell", run.cell_id}, {"run", run.run_id}, {"refused", by_kind(since_last)}});
}

void operator_events::connection_refused(std::string_view cell_id, std::string_view cause, std::uint64_t held_back) {
  emit(level::warn, "connection_refused",
       {{"cell", std::string{cell_id}}, {"cause", std::string{cause}}, {"held_back", count(held_back)}});
}

void operator_events::socket_lost(std::string_view cell_id, std::string_view socket_path, std::string_view cause) {
  ++counts_.sockets_lost;
  emit(level::err, "socket_lost",
       {{"cell", std::string{cell_id}}, {"socket", std::string{socket_path}}, {"cause", std::string{cause}}});
}

void operator_events::socket_restored(std::string_view cell_id, std::string_view socket_path, std::string_view how) {
  ++counts_.sockets_restored;
  emit(level::info, "socket_restored",
       {{"cell", std::string{cell_id}}, {"socket", std::string{socket_path}}, {"how", std::string{how}}});
}

void operator_events::actor_failed(std::string_view role, std::string_view cell_id, std::string_view cause) {
  counts_.count_actor_failure(role);
  emit(level::err, "actor_failed",
       {{"role", std::string{role}}, {"cell", std::string{cell_id}}, {"cause", std::string{cause}}});
}

void operator_events::actor_hung(std::string_view role, std::string_view cell_id, std::chrono::nanoseconds busy_for) {
  ++counts_.actors_hung;
  emit(level::err, "actor_hung",
       {{"role", std::string{role}}, {"cell", std::string{cell_id}}, {"busy_for", seconds(busy_for)}});
}

void operator_events::cell_failed(std::string_view cell_id, std::string_view role, std::string_view consequence) {
  ++counts_.cells_failed;
  emit(level::critical, "cell_failed",
       {{"cell", std::string{cell_id}}, {"role", std::string{role}}, {"consequence", std::string{consequence}}});
}

void operator_events::chunk_quarantined(const host_stamp& run, std::uint64_t frames, std::string_view file) {
  ++counts_.chunks_quarantined;
  emit(level::err, "chunk_quarantined",
       {{"cell", run.cell_id}, {"run", run.run_id}, {"frames", count(frames)}, {"file", std::string{file}}});
}

void operator_events::attribution_refused(const host_stamp& run, const host_stamp_ptr& attributed_to,
                                          std::uint64_t frames, std::string_view file) {
  ++counts_.attributions_refused;
  emit(level::err, "attribution_refused",
       {{"cell", run.cell_id},
        {"run", run.run_id},
        {"attributed_cell", attributed_to ? attributed_to->cell_id : ""},
        {"attributed_run", attributed_to ? attributed_to->run_id : ""},
        {"frames", count(frames)},
        {"file", std::string{file}}});
}

void operator_events::evidence_blocked(const std::error_code& cause) {
  emit(level::err, "evidence_blocked", {{"cause", cause.message()}});
}

void operator_events::evidence_resumed() { emit(level::info, "evidence_resumed", {}); }

void operator_events::runs_recovered(std::size_t runs) { emit(level::warn, "runs_recovered", {{"runs", count(runs)}}); }

namespace {

/// What a finding is about, and what it is.
struct finding_words {
  std::string subject;
  std::string words;
};

finding_words words_of(journal_trouble trouble) {
  return {"recovery.journal", "journal_unusable: " + std::string{to_string(trouble)}};
}
finding_words words_of(const unreadable_line& line) {
  return {line.file, "line_not_understood: line " + count(line.line)};
}
finding_words words_of(const abandoned_chain& abandoned) {
  return {abandoned.chain, "chain_abandoned: " + std::string{to_string(abandoned.cause)} + ", expected " +
                               count(abandoned.expected.sequence) + " events, found " +
                               count(abandoned.found.sequence)};
}
finding_words words_of(const adopted_range& range) {
  return {range.chain, "range_adopted: events " + count(range.from) + " to " + count(range.to.sequence)};
}
finding_words words_of(const lost_events& lost) {
  return {lost.chain,
          "evidence_lost: expected " + count(lost.expected_sequence) + " events, found " + count(lost.found_sequence)};
}

}  // namespace

void operator_events::evidence_doubtful(const recovery_finding& finding) {
  const finding_words about = std::visit([](const auto& what) { return words_of(what); }, finding);
  emit(level::err, "evidence_doubtful", {{"of", about.subject}, {"cause", about.words}});
}

void operator_events::evidence_recovered(std::string_view file, std::uint64_t bytes_removed) {
  emit(level::warn, "evidence_recovered", {{"file", std::string{file}}, {"bytes_removed", count(bytes_removed)}});
}

void operator_events::evidence_removed(std::uint64_t first_segment, std::uint64_t last_segment, std::uint64_t bytes) {
  emit(level::info, "evidence_removed",
       {{"first_segment", count(first_segment)}, {"last_segment", count(last_segment)}, {"bytes", count(bytes)}});
}

void operator_events::evidence_not_removed(const std::error_code& cause) {
  emit(level::err, "evidence_not_removed", {{"cause", cause.message()}});
}

void operator_events::evidence_disturbed(std::string_view file, std::string_view what) {
  emit(level::critical, "evidence_disturbed", {{"file", std::string{file}}, {"what", std::string{what}}});
}

void operator_events::segments_missing(std::uint64_t first_segment, std::uint64_t last_segment) {
  emit(level::err, "segments_missing",
       {{"first_segment", count(first_segment)}, {"last_segment", count(last_segment)}});
}

void operator_events::foreign_files(std::string_view directory, const std::vector<std::string>& files) {
  // As many as a line has room for.
  std::string names;
  for (const std::string& file : files) {
    if (names.size() + file.size() > max_field_bytes / 2) break;
    names += (names.empty() ? "" : ", ") + file;
  }
  emit(level::warn, "foreign_files",
       {{"directory", std::string{directory}}, {"files", names}, {"count", count(files.size())}});
}

void operator_events::collector_listening(std::string_view address) {
  emit(level::info, "collector_listening", {{"address", std::string{address}}});
}

void operator_events::host_connected(std::string_view host_id, std::string_view address) {
  emit(level::info, "host_connected", {{"host", std::string{host_id}}, {"address", std::string{address}}});
}

void operator_events::host_refused(std::string_view host_id, std::string_view address, std::string_view reason,
                                   std::uint64_t held_back) {
  emit(level::warn, "host_refused",
       {{"host", std::string{host_id}},
        {"address", std::string{address}},
        {"reason", std::string{reason}},
        {"held_back", count(held_back)}});
}

void operator_events::host_doubled(std::string_view host_id, std::string_view address, std::uint64_t held_back) {
  emit(level::err, "host_doubled",
       {{"host", std::string{host_id}}, {"address", std::string{address}}, {"held_back", count(held_back)}});
}

void operator_events::host_silenced(std::string_view host_id, std::chrono::nanoseconds unheard_for) {
  ++counts_.hosts_silenced;
  emit(level::warn, "host_silenced", {{"host", std::string{host_id}}, {"unheard_for", seconds(unheard_for)}});
}

void operator_events::host_resumed(std::string_view host_id) {
  ++counts_.hosts_resumed;
  emit(level::info, "host_resumed", {{"host", std::string{host_id}}});
}

void operator_events::history_forked(std::string_view host_id, std::uint64_t forks) {
  ++counts_.histories_forked;
  emit(level::critical, "history_forked", {{"host", std::string{host_id}}, {"forks", count(forks)}});
}

void operator_events::copy_failed(std::string_view host_id, const std::error_code& cause, std::uint64_t held_back) {
  emit(level::err, "copy_failed",
       {{"host", std::string{host_id}}, {"cause", cause.message()}, {"held_back", count(held_back)}});
}

void operator_events::collector_reached(std::string_view collector) {
  emit(level::info, "collector_reached", {{"collector", std::string{collector}}});
}

void operator_events::collector_lost(std::string_view collector, std::string_view cause) {
  ++counts_.collectors_lost;
  emit(level::warn, "collector_lost", {{"collector", std::string{collector}}, {"cause", std::string{cause}}});
}

void operator_events::delivery_refused(std::string_view collector, std::string_view reason) {
  emit(level::err, "delivery_refused", {{"collector", std::string{collector}}, {"reason", std::string{reason}}});
}

void operator_events::delivery_forked(std::string_view collector, std::string_view position) {
  ++counts_.histories_forked;
  emit(level::critical, "delivery_forked", {{"collector", std::string{collector}}, {"at", std::string{position}}});
}

void operator_events::lines_undelivered(std::string_view collector, std::string_view from, std::string_view to) {
  ++counts_.lines_undelivered;
  emit(level::err, "lines_undelivered",
       {{"collector", std::string{collector}}, {"from", std::string{from}}, {"to", std::string{to}}});
}

void operator_events::evidence_unread(std::string_view collector) {
  emit(level::err, "evidence_unread", {{"collector", std::string{collector}}});
}

void operator_events::forwarding_unfinished() { emit(level::warn, "forwarding_unfinished", {}); }

void operator_events::emit(level at, std::string_view event, std::initializer_list<field> fields) {
  if (!logger_->should_log(at)) return;
  logger_->log(at, "{}", format_ == log_format::json ? as_json(at, event, fields) : as_text(event, fields));
}

std::string operator_events::as_text(std::string_view event, std::initializer_list<field> fields) const {
  std::string line{event};
  for (const field& entry : fields) {
    const std::string value = escaped(entry.value, max_field_bytes, "\\\"");
    const bool quote = value.empty() || value.find_first_of(" \"") != std::string::npos;
    line += ' ';
    line += entry.name;
    line += quote ? "=\"" + value + '"' : '=' + value;
  }
  return line;
}

std::string operator_events::as_json(level at, std::string_view event, std::initializer_list<field> fields) const {
  const auto now = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  const auto level_name = spdlog::level::to_string_view(at);
  std::string line;
  {
    json::object_writer object{line};
    object.text("time", timestamp_text{now}.view());
    object.text("level", {level_name.data(), level_name.size()});
    object.text("event", event);
    for (const field& entry : fields) object.text(entry.name, escaped(entry.value, max_field_bytes, "\""));
  }
  return line;
}

}  // namespace cellos
