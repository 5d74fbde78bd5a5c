#include "runtime/daemon/reload.hpp"

#include <tuple>

namespace cellos {

namespace {

/// Connections are made with what was read at the start; the files that it names are read again for each of them.
template <class Compare>
void compare_receivers(const forwarding_configuration& running, const forwarding_configuration& read,
                       const Compare& compare) {
  const jetstream_settings& stream = running.jetstream;
  const http_settings& http = running.http;
  compare("forward.jetstream.servers", stream.servers, read.jetstream.servers);
  compare("forward.jetstream.stream", stream.stream, read.jetstream.stream);
  compare("forward.jetstream.prefix", stream.prefix, read.jetstream.prefix);
  compare("forward.jetstream.fence", stream.fence, read.jetstream.fence);
  compare("forward.jetstream.keep_after_ack", stream.keep_after_ack, read.jetstream.keep_after_ack);
  compare("forward.jetstream.create_stream", stream.create_stream, read.jetstream.create_stream);
  compare("forward.jetstream.ca_file", stream.ca_file, read.jetstream.ca_file);
  compare("forward.jetstream.certificate_file", stream.certificate_file, read.jetstream.certificate_file);
  compare("forward.jetstream.key_file", stream.key_file, read.jetstream.key_file);
  compare("forward.jetstream.credentials_file", stream.credentials_file, read.jetstream.credentials_file);
  compare("forward.jetstream.user", stream.user, read.jetstream.user);
  compare("forward.jetstream.password_file", stream.password_file, read.jetstream.password_file);
  compare("forward.http.url", http.url, read.http.url);
  compare("forward.http.batched", http.batched, read.http.batched);
  compare("forward.http.batch_bytes", http.batch_bytes, read.http.batch_bytes);
  compare("forward.http.ca_file", http.ca_file, read.http.ca_file);
  compare("forward.http.certificate_file", http.certificate_file, read.http.certificate_file);
  compare("forward.http.key_file", http.key_file, read.http.key_file);
  compare("forward.http.authorization_file", http.authorization_file, read.http.authorization_file);
  compare("forward.http.skip", http.skip, read.http.skip);
}

}  // namespace

std::vector<std::string> restart_needed_for(const configuration& running, const configuration& read) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, const auto& before, const auto& after) {
    if (!(before == after)) keys.emplace_back(key);
  };
  compare("host_id", running.host_id, read.host_id);
  compare("evidence.dir", running.evidence.dir, read.evidence.dir);
  compare("evidence.fsync", std::tie(running.evidence.fsync, running.evidence.fsync_interval),
          std::tie(read.evidence.fsync, read.evidence.fsync_interval));
  compare("evidence.max_bytes", running.evidence.max_bytes, read.evidence.max_bytes);
  compare("evidence.segment_bytes", running.evidence.segment_bytes, read.evidence.segment_bytes);
  compare("evidence.cell_share", running.evidence.cell_share, read.evidence.cell_share);
  compare("evidence.cell_share_interval", running.evidence.cell_share_interval, read.evidence.cell_share_interval);
  compare("signing.mode", running.signing.mode, read.signing.mode);
  compare("signing.checkpoint_events", running.signing.checkpoint_events, read.signing.checkpoint_events);
  compare("signing.checkpoint_interval", running.signing.checkpoint_interval, read.signing.checkpoint_interval);
  compare("control.socket", running.control.socket, read.control.socket);
  compare("control.http_listen", running.control.http_listen, read.control.http_listen);
  compare("control.mode", running.control.mode, read.control.mode);
  compare("control.owner", running.control.owner, read.control.owner);
  compare("control.group", running.control.group, read.control.group);
  compare("control.allow_uids", running.control.allow_uids, read.control.allow_uids);
  compare("control.host_names", running.control.host_names, read.control.host_names);
  compare("control.state_file", running.control.state_file, read.control.state_file);
  compare("probes.period", running.probes.period, read.probes.period);
  compare("probes.timeout", running.probes.timeout, read.probes.timeout);
  compare("probes.record", running.probes.record, read.probes.record);
  compare("probes.cgroup_root", running.probes.cgroup_root, read.probes.cgroup_root);
  compare("probes.attempts_threshold", running.probes.terms.attempts_threshold, read.probes.terms.attempts_threshold);
  compare("probes.packets_threshold", running.probes.terms.packets_threshold, read.probes.terms.packets_threshold);
  compare("probes.declarations_threshold", running.probes.terms.declarations_threshold,
          read.probes.terms.declarations_threshold);
  compare("probes.attempts_background", running.probes.terms.attempts_background,
          read.probes.terms.attempts_background);
  compare("probes.packets_background", running.probes.terms.packets_background, read.probes.terms.packets_background);
  compare("probes.witness_window", running.probes.witness_window, read.probes.witness_window);
  compare("probes.privileged_reader", running.probes.privileged, read.probes.privileged);
  compare("tls.plain_loopback", running.tls.plain_loopback, read.tls.plain_loopback);
  compare("forward.collectors", running.forward.collectors, read.forward.collectors);
  compare("forward.max_bytes_per_second", running.forward.max_bytes_per_second, read.forward.max_bytes_per_second);
  compare_receivers(running.forward, read.forward, compare);
  compare("collector.listen", running.collector.listen, read.collector.listen);
  compare("collector.dir", running.collector.dir, read.collector.dir);
  compare("collector.silence_window", running.collector.silence_window, read.collector.silence_window);
  compare("collector.require_signed", running.collector.require_signed, read.collector.require_signed);
  compare("collector.keys_file", running.collector.keys_file, read.collector.keys_file);
  compare("collector.witness_interval", running.collector.witness_interval, read.collector.witness_interval);
  compare("collector.host_bytes_per_second", running.collector.host_bytes_per_second,
          read.collector.host_bytes_per_second);
  compare("log.format", running.log.format, read.log.format);
  compare("scheduler.threads", running.workers, read.workers);
  return keys;
}

}  // namespace cellos
