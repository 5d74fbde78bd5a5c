#include "actors/host_event_chain.hpp"

#include <utility>

namespace cellos {

namespace {

bool continues(const std::optional<chain_position>& left, const event_sealing_ptr& sealing) {
  return left && left->sealed == (sealing != nullptr);
}

}  // namespace

host_event_chain::host_event_chain(const std::string& host_id, evidence_log& log, const wall_clock& clock,
                                   const event_sealing_ptr& sealing, const std::optional<chain_position>& left,
                                   chain_epochs& epochs)
    : clock_(clock),
      log_(log),
      projection_(host_id, continues(left, sealing) ? left->chain : epochs.chain_name(host_id, clock.now()), sealing) {
  if (!continues(left, sealing)) return;
  place_.next_event = left->next_event;
  place_.digest = left->digest;
  if (sealing && !sealing->key_id().empty() && left->key_id != sealing->key_id()) place_.former_key_id = left->key_id;
}

chain_head host_event_chain::head() const {
  const event_sealing_ptr& sealing = projection_.lines().sealing();
  chain_head head;
  head.position = {projection_.lines().chain(), place_.next_event, sealing != nullptr, place_.digest,
                   sealing && place_.former_key_id.empty() ? sealing->key_id() : place_.former_key_id};
  head.listings = listings_;
  return head;
}

/// `make(out, sequence, now)` renders one event to the pending ones. If it throws, nothing is changed.
template <class Make>
void host_event_chain::render(Make&& make) {
  const std::size_t before = pending_.size();
  place next = place_;
  projection_.lines().forget_unsealed();
  try {
    const wall_time now = clock_.now();
    if (!next.former_key_id.empty()) projection_.key_changed(pending_, next.next_event++, now, next.former_key_id);
    make(pending_, next.next_event++, now);
    next.digest = projection_.lines().seal(pending_, next.digest);
  } catch (...) {
    pending_.resize(before);
    throw;
  }
  next.former_key_id.clear();
  place_ = std::move(next);
}

template <class Make>
void host_event_chain::record(Make&& make) {
  const std::lock_guard lock{mutex_};
  render(std::forward<Make>(make));
  try {
    (void)append_pending();
  } catch (...) {
    // The event is on its way: who recorded it must not record it again. A log that is broken fails the next flush.
  }
}

void host_event_chain::render_listing(std::string_view chain, run_listing::kind what, const run_end_mark* end) {
  render([&](std::string& out, std::uint64_t sequence, wall_time now) {
    if (end == nullptr) {
      projection_.run_opened(out, sequence, now, chain);
    } else {
      projection_.run_closed(out, sequence, now, *end);
    }
    listings_.push_back({std::string{chain}, what});
  });
}

std::error_code host_event_chain::append_pending() { return pending_.empty() ? std::error_code{} : write_pending({}); }

std::error_code host_event_chain::write_pending(std::span<const chain_head> heads_of_runs) {
  std::vector<chain_head> heads{heads_of_runs.begin(), heads_of_runs.end()};
  heads.push_back(head());
  if (const std::error_code refused = log_.append(pending_, heads)) return refused;
  pending_.clear();
  listings_.clear();
  return {};
}

std::error_code host_event_chain::flush() {
  const std::lock_guard lock{mutex_};
  return append_pending();
}

former_chain host_event_chain::end() {
  const std::lock_guard lock{mutex_};
  const event_sealing_ptr& sealing = projection_.lines().sealing();
  return {projection_.lines().chain(),
          {place_.next_event - 1, sealing ? sealing->digest_text(place_.digest) : std::string{}}};
}

std::error_code host_event_chain::append(std::string_view lines, std::span<const chain_head> heads,
                                         std::span<const std::string> opened, std::span<const run_end_mark> ended,
                                         std::span<const recovery_finding> findings) {
  const std::lock_guard lock{mutex_};
  if (const std::error_code refused = append_pending()) return refused;
  if (lines.empty() && opened.empty() && ended.empty() && findings.empty()) return {};
  const place before = place_;
  const auto take_back = [&] {
    place_ = before;
    pending_.clear();
    listings_.clear();
  };
  try {
    for (const std::string& chain : opened) render_listing(chain, run_listing::kind::opened, nullptr);
    pending_ += lines;
    for (const recovery_finding& each : findings) {
      render([&](std::string& out, std::uint64_t sequence, wall_time now) {
        projection_.found(out, sequence, now, each);
      });
    }
    for (const run_end_mark& end : ended) render_listing(end.chain, run_listing::kind::closed, &end);
    const std::error_code refused = write_pending(heads);
    if (refused) take_back();
    return refused;
  } catch (...) {
    take_back();
    throw;
  }
}

void host_event_chain::started(std::string_view daemon_version, const former_chain* former) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.started(out, sequence, now, daemon_version, former);
  });
}

void host_event_chain::found(const recovery_finding& finding) {
  record(
      [&](std::string& out, std::uint64_t sequence, wall_time now) { projection_.found(out, sequence, now, finding); });
}

void host_event_chain::stopped() {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) { projection_.stopped(out, sequence, now); });
}

void host_event_chain::run_opened(std::string_view chain) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.run_opened(out, sequence, now, chain);
    listings_.push_back({std::string{chain}, run_listing::kind::opened});
  });
}

void host_event_chain::run_closed(const run_end_mark& end) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.run_closed(out, sequence, now, end);
    listings_.push_back({end.chain, run_listing::kind::closed});
  });
}

std::error_code host_event_chain::evidence_removed(const evidence_removal& removal) {
  const std::lock_guard lock{mutex_};
  for (std::size_t part = 1; part <= host_projection::parts_of(removal); ++part) {
    render([&](std::string& out, std::uint64_t sequence, wall_time now) {
      projection_.evidence_removed(out, sequence, now, removal, part);
    });
  }
  return append_pending();
}

void host_event_chain::segments_missing(std::uint64_t first_segment, std::uint64_t last_segment) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.segments_missing(out, sequence, now, first_segment, last_segment);
  });
}

void host_event_chain::evidence_truncated(std::string_view file, std::uint64_t bytes_removed) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.evidence_truncated(out, sequence, now, file, bytes_removed);
  });
}

void host_event_chain::evidence_blocked(std::string_view cause, std::chrono::nanoseconds blocked_for) {
  record([&](std::string& out, std::uint64_t sequence, wall_time now) {
    projection_.evidence_blocked(out, sequence, now, cause, blocked_for);
  });
}

void host_event_chain::change_key(const event_sealing_ptr& sealing) {
  const std::lock_guard lock{mutex_};
  const event_sealing_ptr before = projection_.lines().sealing();
  if (!before || !sealing || before == sealing) return;
  projection_.lines().reseal(sealing);
  if (before->key_id() != sealing->key_id() && place_.former_key_id.empty()) place_.former_key_id = before->key_id();
}

}  // namespace cellos
