#include "messages/host_event.hpp"

#include <algorithm>
#include <utility>

#include "messages/authority.hpp"
#include "messages/chain_name.hpp"
#include "messages/json_text.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

namespace {

/// A line of some 16 KiB at most.
constexpr std::size_t chains_per_part = 48;

void append_bool(std::string& out, bool value) { out += value ? "true" : "false"; }

void append_run(std::string& out, const run_state& run) {
  const run_totals& totals = run.totals;
  json::object_writer object{out};
  object.count("appended", totals.appended);
  object.text("cellId", run.attribution->cell_id);
  object.count("forgedAttribution", totals.forged_attribution);
  object.count("heartbeats", totals.heartbeats);
  object.count("quarantined", totals.quarantined);
  object.count("received", totals.received);
  object.count("refused", totals.refused.total());
  object.member("resumed", [&](std::string& to) { append_bool(to, run.resumed); });
  object.text("runId", run.attribution->run_id);
  object.member("silenceTold", [&](std::string& to) { append_bool(to, run.silence_told); });
  object.text("specSignatureHash", run.attribution->spec_signature_hash);
}

void append_chain(std::string& out, const removed_chain& removed) {
  json::object_writer object{out};
  object.text("chain", removed.chain);
  if (!removed.last_digest.empty()) object.text("lastDigest", removed.last_digest);
  object.count("lastSequence", removed.last_sequence);
  object.member("open", [&](std::string& to) { append_bool(to, removed.open); });
  if (removed.run) object.member("run", [&](std::string& to) { append_run(to, *removed.run); });
  if (removed.signing) object.member("signing", [&](std::string& to) { append_statement(to, *removed.signing); });
}

}  // namespace

host_projection::host_projection(std::string host_id, chain_position at, const event_sealing_ptr& sealing)
    : host_id_(std::move(host_id)), chain_(std::move(at), event_source(host_id_), host_subject(host_id_), sealing) {}

template <class Members>
void host_projection::event(std::string& out, wall_time now, event_type type, Members&& members) {
  chain_.event(out, now, type, json::object_of(members));
}

void host_projection::begin(std::string& out, wall_time now) {
  chain_.begin([&](const std::string& former_key_id) { key_changed(out, now, former_key_id); });
}

void host_projection::started(std::string& out, wall_time now, std::string_view daemon_version,
                              const former_chain* former) {
  event(out, now, event_type::host_started, [&](json::object_writer& data) {
    data.text("daemonVersion", daemon_version);
    if (former != nullptr) {
      data.text("formerChain", former->chain);
      if (!former->end.digest.empty()) data.text("formerDigest", former->end.digest);
      data.count("formerSequence", former->end.sequence);
    }
    data.text("hostId", host_id_);
    if (const auto& sealing = chain_.sealing(); sealing && !sealing->key_id().empty()) {
      data.text("keyId", sealing->key_id());
    }
    data.member("output", output_of(observed_by_host));
    data.member("signing", [this](std::string& to) { append_statement(to, statement_of(chain_.sealing())); });
  });
}

void host_projection::stopped(std::string& out, wall_time now) {
  event(out, now, event_type::host_stopped, [&](json::object_writer& data) {
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::key_changed(std::string& out, wall_time now, std::string_view former_key_id) {
  const auto members = [&](json::object_writer& data) {
    data.text("formerKeyId", former_key_id);
    data.text("hostId", host_id_);
    data.text("keyId", chain_.sealing()->key_id());
    data.member("output", output_of(observed_by_host));
  };
  chain_.key_change(out, now, event_type::host_key_changed, former_key_id, json::object_of(members));
}

void host_projection::run_opened(std::string& out, wall_time now, std::string_view chain) {
  event(out, now, event_type::host_run_opened, [&](json::object_writer& data) {
    data.text("chain", chain);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::run_closed(std::string& out, wall_time now, const run_end_mark& end) {
  event(out, now, event_type::host_run_closed, [&](json::object_writer& data) {
    data.text("chain", end.chain);
    data.text("hostId", host_id_);
    if (!end.last_digest.empty()) data.text("lastDigest", end.last_digest);
    data.count("lastSequence", end.last_sequence);
    data.member("output", output_of(observed_by_host));
  });
}

std::size_t host_projection::parts_of(const evidence_removal& removal) {
  return std::max<std::size_t>(1, (removal.chains.size() + chains_per_part - 1) / chains_per_part);
}

void host_projection::evidence_removed(std::string& out, wall_time now, const evidence_removal& removal,
                                       std::size_t part) {
  const std::size_t begin = std::min(removal.chains.size(), (part - 1) * chains_per_part);
  const std::size_t end = std::min(removal.chains.size(), begin + chains_per_part);
  event(out, now, event_type::host_evidence_removed, [&](json::object_writer& data) {
    data.count("bytes", removal.bytes);
    data.member("chains", [&](std::string& to) {
      to += '[';
      for (std::size_t i = begin; i < end; ++i) {
        if (i > begin) to += ',';
        append_chain(to, removal.chains[i]);
      }
      to += ']';
    });
    data.count("firstSegment", removal.first_segment);
    data.text("hostId", host_id_);
    data.count("lastSegment", removal.last_segment);
    data.member("output", output_of(observed_by_host));
    data.count("part", part);
    data.count("parts", parts_of(removal));
  });
}

void host_projection::segments_missing(std::string& out, wall_time now, std::uint64_t first_segment,
                                       std::uint64_t last_segment) {
  event(out, now, event_type::host_segments_missing, [&](json::object_writer& data) {
    data.count("firstSegment", first_segment);
    data.text("hostId", host_id_);
    data.count("lastSegment", last_segment);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::evidence_truncated(std::string& out, wall_time now, std::string_view file,
                                         std::uint64_t bytes_removed) {
  event(out, now, event_type::host_evidence_truncated, [&](json::object_writer& data) {
    data.count("bytesRemoved", bytes_removed);
    data.text("file", file);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::evidence_blocked(std::string& out, wall_time now, std::string_view cause,
                                       std::chrono::nanoseconds blocked_for) {
  event(out, now, event_type::host_evidence_blocked, [&](json::object_writer& data) {
    data.count("blockedForNs", static_cast<std::uint64_t>(blocked_for.count()));
    data.text("cause", cause);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::found(std::string& out, wall_time now, const recovery_finding& finding) {
  std::visit([&](const auto& what) { write(out, now, what); }, finding);
}

void host_projection::write(std::string& out, wall_time now, journal_trouble trouble) {
  event(out, now, event_type::host_journal_unusable, [&](json::object_writer& data) {
    data.text("cause", to_string(trouble));
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::write(std::string& out, wall_time now, const unreadable_line& line) {
  event(out, now, event_type::host_line_not_understood, [&](json::object_writer& data) {
    data.text("file", line.file);
    data.text("hostId", host_id_);
    data.count("line", line.line);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::write(std::string& out, wall_time now, const abandoned_chain& abandoned) {
  event(out, now, event_type::host_chain_abandoned, [&](json::object_writer& data) {
    data.text("cause", to_string(abandoned.cause));
    data.text("chain", abandoned.chain);
    if (!abandoned.expected.digest.empty()) data.text("expectedDigest", abandoned.expected.digest);
    if (abandoned.expected.sequence != 0) data.count("expectedSequence", abandoned.expected.sequence);
    if (!abandoned.found.digest.empty()) data.text("foundDigest", abandoned.found.digest);
    if (abandoned.found.sequence != 0) data.count("foundSequence", abandoned.found.sequence);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::write(std::string& out, wall_time now, const adopted_range& range) {
  event(out, now, event_type::host_range_adopted, [&](json::object_writer& data) {
    data.count("adoptedFrom", range.from);
    data.count("adoptedTo", range.to.sequence);
    data.text("chain", range.chain);
    if (!range.to.digest.empty()) data.text("digest", range.to.digest);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::write(std::string& out, wall_time now, const lost_events& lost) {
  event(out, now, event_type::host_evidence_lost, [&](json::object_writer& data) {
    data.text("chain", lost.chain);
    data.count("expectedSequence", lost.expected_sequence);
    data.count("foundSequence", lost.found_sequence);
    data.text("hostId", host_id_);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::said(std::string& out, wall_time now, const node_statement& statement) {
  std::visit([&](const auto& what) { write(out, now, what); }, statement);
}

void host_projection::write(std::string& out, wall_time now, const seen_host& seen) {
  event(out, now, event_type::host_seen, [&](json::object_writer& data) {
    data.text("hostId", host_id_);
    data.text("ofHost", seen.host_id);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::write(std::string& out, wall_time now, const silenced_host& silenced) {
  event(out, now, event_type::host_silenced, [&](json::object_writer& data) {
    data.text("hostId", host_id_);
    data.text("ofHost", silenced.host_id);
    data.member("output", output_of(observed_absence));
    data.count("silenceWindowNs", static_cast<std::uint64_t>(silenced.window.count()));
    data.count("unheardForNs", static_cast<std::uint64_t>(silenced.unheard_for.count()));
  });
}

void host_projection::write(std::string& out, wall_time now, const resumed_host& resumed) {
  event(out, now, event_type::host_resumed, [&](json::object_writer& data) {
    data.text("hostId", host_id_);
    data.text("ofHost", resumed.host_id);
    data.member("output", output_of(observed_by_host));
  });
}

void host_projection::write(std::string& out, wall_time now, const forked_history& forked) {
  event(out, now, event_type::host_history_forked, [&](json::object_writer& data) {
    const bool is_own = forked.host_id.empty();
    if (is_own) data.text("collector", forked.where);
    data.text("hostId", host_id_);
    if (!is_own) data.text("keptIn", forked.where);
    data.text("logId", forked.log_id);
    if (!is_own) data.text("ofHost", forked.host_id);
    data.count("offset", forked.at.offset);
    data.member("output", output_of(observed_by_host));
    data.count("segment", forked.at.segment);
  });
}

void host_projection::write(std::string& out, wall_time now, const witnessed_log& witnessed) {
  event(out, now, event_type::host_witnessed, [&](json::object_writer& data) {
    data.text("bytesDigest", witnessed.bytes_digest);
    data.text("digest", witnessed.digest);
    data.count("fork", witnessed.fork);
    data.count("from", witnessed.from);
    data.text("hostId", host_id_);
    data.text("logId", witnessed.log_id);
    data.text("ofHost", witnessed.host_id);
    data.count("offset", witnessed.at.offset);
    data.member("output", output_of(observed_by_host));
    data.count("segment", witnessed.at.segment);
  });
}

}  // namespace cellos
