#include "actors/host_event_chain.hpp"

#include <utility>

#include "messages/chain_name.hpp"

namespace cellos {

namespace {

/// Where the chain goes on that an earlier process left, if its digests are as this sealing's; else a new one's
/// beginning.
chain_position beginning(const std::string& host_id, const wall_clock& clock, const event_sealing_ptr& sealing,
                         const std::optional<chain_position>& left, chain_epochs& epochs) {
  if (left && left->sealed == (sealing != nullptr)) return *left;
  return {host_chain_name(host_id, epochs.next(clock.now()))};
}

}  // namespace

host_event_chain::host_event_chain(const std::string& host_id, evidence_log& log, const wall_clock& clock,
                                   const event_sealing_ptr& sealing, const std::optional<chain_position>& left,
                                   chain_epochs& epochs)
    : clock_(clock), log_(log), projection_(host_id, beginning(host_id, clock, sealing, left, epochs), sealing) {}

/// `make(out, now)` renders one event to the pending ones. If it throws, nothing is changed.
template <class Make>
void host_event_chain::render(Make&& make) {
  const std::size_t before = pending_.size();
  const std::size_t listed_before = listings_.size();
  try {
    const wall_time now = clock_.now();
    projection_.begin(pending_, now);
    make(pending_, now);
    projection_.chain().commit(pending_);
  } catch (...) {
    pending_.resize(before);
    listings_.resize(listed_before);
    throw;
  }
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
  render([&](std::string& out, wall_time now) {
    if (end == nullptr) {
      projection_.run_opened(out, now, chain);
    } else {
      projection_.run_closed(out, now, *end);
    }
    listings_.push_back({std::string{chain}, what});
  });
}

std::error_code host_event_chain::append_pending() { return pending_.empty() ? std::error_code{} : write_pending({}); }

std::error_code host_event_chain::write_pending(std::span<const chain_head> heads_of_runs) {
  std::vector<chain_head> heads{heads_of_runs.begin(), heads_of_runs.end()};
  heads.push_back({projection_.chain().position(), std::nullopt, listings_});
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
  return {projection_.chain().chain(), projection_.chain().end()};
}

std::error_code host_event_chain::append(std::string_view lines, std::span<const chain_head> heads,
                                         std::span<const std::string> opened, std::span<const run_end_mark> ended,
                                         std::span<const recovery_finding> findings) {
  const std::lock_guard lock{mutex_};
  if (const std::error_code refused = append_pending()) return refused;
  if (lines.empty() && opened.empty() && ended.empty() && findings.empty()) return {};
  const chain_writer::state before = projection_.chain().save();
  const auto take_back = [&] {
    projection_.chain().restore(before);
    pending_.clear();
    listings_.clear();
  };
  try {
    for (const std::string& chain : opened) render_listing(chain, run_listing::kind::opened, nullptr);
    pending_ += lines;
    for (const recovery_finding& each : findings) {
      render([&](std::string& out, wall_time now) { projection_.found(out, now, each); });
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
  record([&](std::string& out, wall_time now) { projection_.started(out, now, daemon_version, former); });
}

void host_event_chain::found(const recovery_finding& finding) {
  record([&](std::string& out, wall_time now) { projection_.found(out, now, finding); });
}

void host_event_chain::stopped() {
  record([&](std::string& out, wall_time now) { projection_.stopped(out, now); });
}

void host_event_chain::run_opened(std::string_view chain) {
  record([&](std::string& out, wall_time now) {
    projection_.run_opened(out, now, chain);
    listings_.push_back({std::string{chain}, run_listing::kind::opened});
  });
}

void host_event_chain::run_closed(const run_end_mark& end) {
  record([&](std::string& out, wall_time now) {
    projection_.run_closed(out, now, end);
    listings_.push_back({end.chain, run_listing::kind::closed});
  });
}

std::error_code host_event_chain::evidence_removed(const evidence_removal& removal) {
  const std::lock_guard lock{mutex_};
  for (std::size_t part = 1; part <= host_projection::parts_of(removal); ++part) {
    render([&](std::string& out, wall_time now) { projection_.evidence_removed(out, now, removal, part); });
  }
  return append_pending();
}

void host_event_chain::segments_missing(std::uint64_t first_segment, std::uint64_t last_segment) {
  record([&](std::string& out, wall_time now) { projection_.segments_missing(out, now, first_segment, last_segment); });
}

void host_event_chain::evidence_truncated(std::string_view file, std::uint64_t bytes_removed) {
  record([&](std::string& out, wall_time now) { projection_.evidence_truncated(out, now, file, bytes_removed); });
}

void host_event_chain::evidence_blocked(std::string_view cause, std::chrono::nanoseconds blocked_for) {
  record([&](std::string& out, wall_time now) { projection_.evidence_blocked(out, now, cause, blocked_for); });
}

void host_event_chain::change_key(const event_sealing_ptr& sealing) {
  const std::lock_guard lock{mutex_};
  projection_.chain().change_key(sealing);
}

}  // namespace cellos
