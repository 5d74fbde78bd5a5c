#include "messages/host_event.hpp"

#include <utility>

#include "messages/authority.hpp"
#include "messages/json_text.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

host_projection::host_projection(std::string host_id, std::string chain, const event_sealing_ptr& sealing)
    : host_id_(std::move(host_id)),
      lines_(std::move(chain), "/cellos/host/" + host_id_, "urn:cellos:host:" + host_id_, sealing) {}

template <class WriteData>
void host_projection::event(std::string& out, std::uint64_t sequence, wall_time now, std::string_view type,
                            WriteData&& data, seal_kind kind) {
  const std::string full_type = std::string{event_type_prefix} + std::string{type};
  lines_.event(out, sequence, timestamp_text{now}.view(), full_type, kind, [&](std::string& to) {
    json::object_writer object{to};
    data(object);
  });
}

void host_projection::started(std::string& out, std::uint64_t sequence, wall_time now,
                              std::string_view daemon_version) {
  event(out, sequence, now, event_type::host_started, [&](json::object_writer& data) {
    data.text("daemonVersion", daemon_version);
    data.text("hostId", host_id_);
    if (const auto& sealing = lines_.sealing(); sealing && !sealing->key_id().empty()) {
      data.text("keyId", sealing->key_id());
    }
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::stopped(std::string& out, std::uint64_t sequence, wall_time now) {
  event(out, sequence, now, event_type::host_stopped, [&](json::object_writer& data) {
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::key_changed(std::string& out, std::uint64_t sequence, wall_time now,
                                  std::string_view former_key_id) {
  const event_sealing& sealing = *lines_.sealing();
  const auto write = [&](json::object_writer& data) {
    data.text("formerKeyId", former_key_id);
    data.text("hostId", host_id_);
    data.text("keyId", sealing.key_id());
    data.member("output", output_of(observed_by_host));
  };
  event(out, sequence, now, event_type::host_key_changed, write,
        sealing.former_key_id() == former_key_id ? seal_kind::handover : seal_kind::signature);
}

void host_projection::run_opened(std::string& out, std::uint64_t sequence, wall_time now, std::string_view chain) {
  event(out, sequence, now, event_type::host_run_opened, [&](json::object_writer& data) {
    data.text("chain", chain);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::run_closed(std::string& out, std::uint64_t sequence, wall_time now, const run_end_mark& end) {
  event(out, sequence, now, event_type::host_run_closed, [&](json::object_writer& data) {
    data.text("chain", end.chain);
    data.text("hostId", host_id_);
    if (!end.last_digest.empty()) data.text("lastDigest", end.last_digest);
    data.count("lastSequence", end.last_sequence);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::evidence_truncated(std::string& out, std::uint64_t sequence, wall_time now, std::string_view file,
                                         std::uint64_t bytes_removed) {
  event(out, sequence, now, event_type::host_evidence_truncated, [&](json::object_writer& data) {
    data.count("bytesRemoved", bytes_removed);
    data.text("file", file);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::evidence_blocked(std::string& out, std::uint64_t sequence, wall_time now, std::string_view cause,
                                       std::chrono::nanoseconds blocked_for) {
  event(out, sequence, now, event_type::host_evidence_blocked, [&](json::object_writer& data) {
    data.count("blockedForNs", static_cast<std::uint64_t>(blocked_for.count()));
    data.text("cause", cause);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

}  // namespace cellos
