#include "actors/host_chronicle.hpp"

#include <utility>

namespace cellos {

namespace {

/// Host and epoch: when the chain began, in milliseconds.
std::string chain_name(const std::string& host_id, wall_time began) {
  const auto epoch = std::chrono::duration_cast<std::chrono::milliseconds>(began.time_since_epoch());
  return host_id + "/" + std::to_string(epoch.count());
}

bool continues(const std::optional<chain_position>& left, const event_sealing_ptr& sealing) {
  return left && left->sealed == (sealing != nullptr);
}

}  // namespace

host_chronicle::host_chronicle(const std::string& host_id, evidence_log& log, const wall_clock& clock,
                               const event_sealing_ptr& sealing, const std::optional<chain_position>& left)
    : clock_(clock),
      log_(log),
      projection_(host_id, continues(left, sealing) ? left->chain : chain_name(host_id, clock.now()), sealing) {
  if (!continues(left, sealing)) return;
  next_event_ = left->next_event;
  digest_ = left->digest;
  if (sealing && left->key_id != sealing->key_id()) former_key_id_ = left->key_id;
}

/// `make(out, sequence, now)` renders one event.
template <class Make>
void host_chronicle::record(Make&& make) {
  const std::lock_guard lock{mutex_};
  const std::size_t before = pending_.size();
  std::uint64_t next = next_event_;
  event_digest digest = digest_;
  projection_.lines().forget_unsealed();
  try {
    const wall_time now = clock_.now();
    if (!former_key_id_.empty()) projection_.key_changed(pending_, next++, now, former_key_id_);
    make(pending_, next++, now);
    digest = projection_.lines().seal(pending_, digest);
  } catch (...) {
    pending_.resize(before);
    throw;
  }
  former_key_id_.clear();
  next_event_ = next;
  digest_ = digest;
  try {
    (void)append_pending();
  } catch (...) {
    // The event is on its way: who recorded it must not record it again. A log that is broken tells the next flush.
  }
}

std::error_code host_chronicle::append_pending() {
  if (pending_.empty()) return {};
  const std::error_code refused = log_.append(pending_);
  if (!refused) pending_.clear();
  return refused;
}

std::error_code host_chronicle::flush() {
  const std::lock_guard lock{mutex_};
  return append_pending();
}

void host_chronicle::started(std::string_view daemon_version) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.started(out, sequence, now, daemon_version);
  });
}

void host_chronicle::stopped() {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) { projection_.stopped(out, sequence, now); });
}

void host_chronicle::run_opened(std::string_view chain) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.run_opened(out, sequence, now, chain);
  });
}

void host_chronicle::run_closed(const run_end_mark& end) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.run_closed(out, sequence, now, end);
  });
}

void host_chronicle::evidence_truncated(std::string_view file, std::uint64_t bytes_removed) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.evidence_truncated(out, sequence, now, file, bytes_removed);
  });
}

void host_chronicle::evidence_blocked(std::string_view cause, std::chrono::nanoseconds blocked_for) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.evidence_blocked(out, sequence, now, cause, blocked_for);
  });
}

void host_chronicle::change_key(const event_sealing_ptr& sealing) {
  const std::lock_guard lock{mutex_};
  const event_sealing_ptr before = projection_.lines().sealing();
  if (!before || !sealing || before == sealing) return;
  projection_.lines().reseal(sealing);
  if (before->key_id() != sealing->key_id() && former_key_id_.empty()) former_key_id_ = before->key_id();
}

}  // namespace cellos
