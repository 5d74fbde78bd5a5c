#include "runtime/configuration/keys.hpp"

#include <algorithm>
#include <iterator>

#include "runtime/configuration/probe_readers.hpp"
#include "runtime/configuration/receiver_readers.hpp"

namespace cellos::settings {

namespace {

using enum presence;
using severity = spdlog::level::level_enum;
using statement = signing_statement::kind;

constexpr std::int64_t most_threads = 1024;
/// Each has half a dozen series.
constexpr std::int64_t most_cells_with_series = 10'000;
/// In one window. Chosen here: more than a link carries.
constexpr std::int64_t most_counted = 1'000'000'000;

/// As the values themselves are spelled.
template <class Enum, class... More>
std::vector<std::pair<std::string_view, Enum>> spelled(Enum first, More... more) {
  return {{to_string(first), first}, {to_string(more), more}...};
}

std::vector<std::pair<std::string_view, signing_scheme>> schemes() {
  std::vector<std::pair<std::string_view, signing_scheme>> out{{"off", signing_off}, {"digest", digests_only}};
  for (const signing_algorithm each : signing_algorithms) out.emplace_back(to_string(each), signing_scheme{true, each});
  return out;
}

/// What a node says of itself and of others.
std::vector<section> node_sections_of(configuration& into) {
  tls_settings& tls = into.tls;
  collector_configuration& collector = into.collector;
  // clang-format off
  return {
      {"tls", {
          {"certificate_file", optional, R"("/etc/cellos-telemetry/node.crt")", text_into(tls.certificate, absolute_path)},
          {"key_file", optional, R"("/etc/cellos-telemetry/node.key")", text_into(tls.key, absolute_path)},
          {"ca_file", optional, R"("/etc/cellos-telemetry/ca.crt")", text_into(tls.authority, absolute_path)},
          {"plain_loopback", optional, "false", flag_into(tls.plain_loopback)},
      }},
      {"forward", {
          {"collectors", required, R"(["collector-1.example:7440"])", collectors_into(into.forward.collectors)},
          {"max_bytes_per_second", optional, R"("1MiB")", size_into(into.forward.max_bytes_per_second, "16KiB", "1TiB")},
      }, optional},
      {"collector", {
          {"listen", required, R"("0.0.0.0:7440")", place_into(collector.listen)},
          {"dir", required, R"("/var/lib/cellos-telemetry-collector/hosts")", text_into(collector.dir, absolute_path)},
          {"denied_hosts", optional, R"(["host-x"])", identifiers_into(collector.denied_hosts)},
          {"silence_window", optional, R"("15s")", duration_into(collector.silence_window, "1s", std::chrono::milliseconds{1})},
          {"require_signed", optional, "false", flag_into(collector.require_signed)},
          {"keys_file", optional, R"("/etc/cellos-telemetry/keys.json")", text_into(collector.keys_file, absolute_path)},
          {"witness_interval", optional, R"("1m")", duration_into(collector.witness_interval, "1s", std::chrono::milliseconds{1})},
          {"host_bytes_per_second", optional, R"("64MiB")", size_into(collector.host_bytes_per_second, "64KiB", "1TiB")},
      }, optional},
  };
  // clang-format on
}

/// By what declarations and readings are compared: the same for a host and for one cell.
void add_terms(std::vector<key>& keys, witness_terms& into) {
  // clang-format off
  keys.insert(keys.end(), {
      {"attempts_threshold", optional, "3", integer_into(into.attempts_threshold, 1, most_counted)},
      {"packets_threshold", optional, "200", integer_into(into.packets_threshold, 1, most_counted)},
      {"declarations_threshold", optional, "2", integer_into(into.declarations_threshold, 1, most_counted)},
      {"attempts_background", optional, "0", integer_into(into.attempts_background, 0, most_counted)},
      {"packets_background", optional, "40", integer_into(into.packets_background, 0, most_counted)},
  });
  // clang-format on
}

/// What the host reads for itself.
section probe_section_of(probe_settings& into) {
  // clang-format off
  section all{"probes", {
      {"period", optional, R"("10s")", duration_into(into.period, "100ms")},
      {"timeout", optional, R"("1s")", duration_into(into.timeout, "10ms")},
      {"record", optional, R"(["process", "cgroup"])", probes_into(into.record)},
      {"witness_window", optional, R"("30s")", duration_into(into.witness_window, "1s")},
      {"cgroup_root", optional, R"("/sys/fs/cgroup")", text_into(into.cgroup_root, absolute_path)},
      {"privileged_reader", optional, R"("auto")", choice_into(into.privileged, spelled(privileged_reading::automatic, privileged_reading::always,
                                                                                 privileged_reading::never))},
  }};
  // clang-format on
  add_terms(all.keys, into.terms);
  return all;
}

/// Who else gets the log.
std::vector<section> receiver_sections_of(forwarding_configuration& into) {
  jetstream_settings& stream = into.jetstream;
  http_settings& http = into.http;
  // clang-format off
  return {
      {"forward.jetstream", {
          {"servers", required, R"(["tls://nats-1.example:4222"])", nats_servers_into(stream.servers)},
          {"stream", required, R"("EVIDENCE")", text_into(stream.stream, stream_name)},
          {"prefix", optional, R"("cellos")", text_into(stream.prefix, subject_prefix)},
          {"fence", optional, R"("stream")", choice_into(stream.fence, spelled(stream_fence::stream, stream_fence::subject))},
          {"keep_after_ack", optional, R"("10m")", duration_into(stream.keep_after_ack, "1s", std::chrono::milliseconds{1})},
          {"create_stream", optional, "false", flag_into(stream.create_stream)},
          {"ca_file", optional, R"("/etc/cellos-telemetry/nats-ca.crt")", text_into(stream.ca_file, absolute_path)},
          {"certificate_file", optional, R"("/etc/cellos-telemetry/nats.crt")", text_into(stream.certificate_file, absolute_path)},
          {"key_file", optional, R"("/etc/cellos-telemetry/nats.key")", text_into(stream.key_file, absolute_path)},
          {"credentials_file", optional, R"("/etc/cellos-telemetry/nats.creds")", text_into(stream.credentials_file, absolute_path)},
          {"user", optional, R"("host-a")", text_into(stream.user, opaque_text)},
          {"password_file", optional, R"("/etc/cellos-telemetry/nats.password")", text_into(stream.password_file, absolute_path)},
      }, optional},
      {"forward.http", {
          {"url", required, R"("https://events.example/cellos")", text_into(http.url, receiver_url)},
          {"batched", optional, "false", flag_into(http.batched)},
          {"batch_bytes", optional, R"("256KiB")", size_into(http.batch_bytes, "1KiB", "512KiB")},
          {"ca_file", optional, R"("/etc/cellos-telemetry/receiver-ca.crt")", text_into(http.ca_file, absolute_path)},
          {"certificate_file", optional, R"("/etc/cellos-telemetry/receiver.crt")", text_into(http.certificate_file, absolute_path)},
          {"key_file", optional, R"("/etc/cellos-telemetry/receiver.key")", text_into(http.key_file, absolute_path)},
          {"authorization_file", optional, R"("/etc/cellos-telemetry/receiver.authorization")", text_into(http.authorization_file, absolute_path)},
          {"skip", optional, R"(["host-a/cell-1/run-7/1700000000124/00000000000000000001"])", event_ids_into(http.skip)},
      }, optional},
  };
  // clang-format on
}

}  // namespace

std::vector<section> sections_of(configuration& into) {
  auto& [host_id, evidence, signing, control, metrics, probes, tls, forward, collector, log, intake, workers, cells] =
      into;
  // clang-format off
  std::vector<section> all{
      {"", {
          {"host_id", required, R"("host-a")", text_into(host_id, identifier)},
      }},
      {"evidence", {
          {"dir", required, R"("/var/lib/cellos-telemetry")", text_into(evidence.dir, absolute_path)},
          {"fsync", optional, R"("100ms")", fsync_into(evidence)},
          {"max_bytes", optional, R"("10GiB")", size_into(evidence.max_bytes, "64KiB", "1024TiB")},
          {"segment_bytes", optional, R"("64MiB")", size_into(evidence.segment_bytes, "4KiB", "8GiB")},
          {"cell_share", optional, R"("25%")", share_into(evidence.cell_share)},
          {"cell_share_interval", optional, R"("1h")", duration_into(evidence.cell_share_interval, "1s")},
      }},
      {"signing", {
          {"alg", required, R"("ed25519")", choice_into(signing.alg, schemes())},
          {"kid", optional, R"("host-a-2026")", text_into(signing.key.kid, identifier)},
          {"key_file", optional, R"("/etc/cellos-telemetry/signing.key")", text_into(signing.key.file, absolute_path)},
          {"credential", optional, R"("signing.key")", text_into(signing.key.credential, identifier)},
          {"mode", optional, R"("event")", choice_into(signing.mode, spelled(statement::event, statement::checkpoint))},
          {"checkpoint_events", optional, "1000", integer_into(signing.checkpoint_events, 2, 1'000'000)},
          {"checkpoint_interval", optional, R"("1s")", duration_into(signing.checkpoint_interval, "1ms")},
          {"former_kid", optional, R"("host-a-2025")", text_into(signing.former.kid, identifier)},
          {"former_key_file", optional, R"("/etc/cellos-telemetry/signing-2025.key")",
           text_into(signing.former.file, absolute_path)},
          {"former_credential", optional, R"("signing-2025.key")",
           text_into(signing.former.credential, identifier)},
      }, optional},
      {"control", {
          {"socket", optional, R"("/run/cellos-telemetry/control.sock")", text_into(control.socket, socket_path)},
          {"http_listen", optional, R"("127.0.0.1:9464")", text_into(control.http_listen, listen_address)},
          {"mode", optional, R"("0660")", mode_into(control.mode)},
          {"owner", optional, R"("root")", principal_into(control.owner)},
          {"group", optional, R"("cellos")", principal_into(control.group)},
          {"allow_uids", optional, "[1000]", uids_into(control.allow_uids)},
          {"host_names", optional, R"(["host-a.example"])", host_names_into(control.host_names)},
          {"state_file", optional, R"("/var/lib/cellos-telemetry/cells.json")", text_into(control.state_file, absolute_path)},
      }},
      {"metrics", {
          {"per_cell_series", optional, "0", integer_into(metrics.per_cell_series, 0, most_cells_with_series)},
          {"per_host_series", optional, "0", integer_into(metrics.per_host_series, 0, most_cells_with_series)},
      }},
      {"log", {
          {"level", optional, R"("info")", choice_into(log.level, {{"trace", severity::trace},
                                                                   {"debug", severity::debug},
                                                                   {"info", severity::info},
                                                                   {"warn", severity::warn},
                                                                   {"error", severity::err}})},
          {"format", optional, R"("text")", choice_into(log.format, {{"text", log_format::text},
                                                                     {"json", log_format::json}})},
      }},
      {"intake", {
          {"chunks_per_cell", optional, "8", integer_into(intake.chunks_per_cell, 2, 64)},
          {"byte_budget", optional, R"("64MiB")", size_into(intake.byte_budget, "64KiB", "1TiB")},
          {"connections_per_cell", optional, "8", integer_into(intake.connections_per_cell, 1, 64)},
          {"half_frame_timeout", optional, R"("10s")", duration_into(intake.half_frame_timeout, "1ms")},
      }},
      {"scheduler", {
          {"threads", optional, "0", integer_into(workers, 0, most_threads)},
      }},
  };
  // clang-format on
  all.push_back(probe_section_of(probes));
  std::ranges::move(node_sections_of(into), std::back_inserter(all));
  std::ranges::move(receiver_sections_of(into.forward), std::back_inserter(all));
  return all;
}

std::vector<key> keys_of(cell_specification& into) {
  // clang-format off
  std::vector<key> all{
      {"id", required, R"("cell-1")", text_into(into.cell_id, identifier)},
      {"run_id", required, R"("run-7")", text_into(into.run_id, identifier)},
      {"vsock_uds_base", required, R"("/run/fc/cell-1/v.sock")", text_into(into.vsock_uds_base, vsock_base)},
      {"spec_signature_hash", required, R"("sha256:...")", text_into(into.spec_signature_hash, opaque_text)},
      {"keepalive_window", optional, R"("10s")", duration_into(into.keepalive_window, "1ms")},
      {"expected_uid", optional, "10002", integer_into(into.expected_uid, 0, highest_uid)},
      {"on_agent_failure", optional, R"("report")", choice_into(into.on_agent_failure, spelled(agent_failure_policy::report,
                                                                                       agent_failure_policy::fail_cell))},
      {"probes", optional, R"(["process", "cgroup"])", probes_into(into.probes.recorded)},
      {"tap", optional, R"("tap0")", text_into(into.probes.tap, interface_name)},
      {"nft_table", optional, R"("inet cell-1")", text_into(into.probes.nft_table, nft_table)},
      {"connection_counter", optional, R"("syn")", text_into(into.probes.connection_counter, opaque_text)},
      {"network_namespace", optional, R"("/run/netns/cell-1")", text_into(into.probes.network_namespace, absolute_path)},
      {"fc_metrics", optional, R"("/srv/jailer/firecracker/cell-1/root/metrics")", text_into(into.probes.fc_metrics, source_path)},
      {"fc_api_socket", optional, R"("/srv/jailer/firecracker/cell-1/root/run/firecracker.socket")", text_into(into.probes.fc_api_socket, source_path)},
      {"cgroup", optional, R"("/firecracker/cell-1")", text_into(into.probes.cgroup, cgroup_path)},
      {"exec_probe", optional, R"(["/usr/local/bin/look", "cell-1"])", program_into(into.probes.exec)},
  };
  // clang-format on
  add_terms(all, into.probes.terms);
  return all;
}

std::vector<std::string> known_keys() {
  configuration anywhere;
  auto sections = sections_of(anywhere);
  cell_specification any_cell;
  sections.push_back({cell_section, keys_of(any_cell)});
  std::vector<std::string> names;
  for (const auto& section : sections) {
    std::string prefix{section.name};
    if (!prefix.empty()) prefix += '.';
    for (const auto& key : section.keys) names.push_back(prefix + std::string{key.name});
  }
  return names;
}

}  // namespace cellos::settings
