#include "actors/host_event_chain.hpp"

#include <utility>
#include <variant>

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

/// Writes one event of the chain: of a removal, `part`.
struct event_writer {
  host_projection& projection;
  std::string& out;
  wall_time now;
  std::size_t part;

  void operator()(const daemon_start& said) const {
    projection.started(out, now, said.daemon_version, said.former ? &*said.former : nullptr);
  }
  void operator()(const daemon_stop&) const { projection.stopped(out, now); }
  void operator()(const run_begin_mark& said) const { projection.run_opened(out, now, said.chain); }
  void operator()(const run_end_mark& said) const { projection.run_closed(out, now, said); }
  void operator()(const evidence_removal& said) const { projection.evidence_removed(out, now, said, part); }
  void operator()(const missing_range& said) const {
    projection.segments_missing(out, now, said.first_segment, said.last_segment);
  }
  void operator()(const truncated_file& said) const {
    projection.evidence_truncated(out, now, said.file, said.bytes_removed);
  }
  void operator()(const log_blockage& said) const { projection.evidence_blocked(out, now, said.cause, said.lasted); }
  void operator()(const recovery_finding& said) const { projection.found(out, now, said); }
  void operator()(const node_statement_ptr& said) const { projection.said(out, now, *said); }
};

std::size_t events_of(const host_statement& said) {
  const auto* removal = std::get_if<evidence_removal>(&said);
  return removal != nullptr ? host_projection::parts_of(*removal) : 1;
}

}  // namespace

/// The lines of one append, and which runs they list.
struct host_event_chain::rendering {
  std::string lines;
  std::vector<run_listing> listings;
};

host_event_chain::host_event_chain(const std::string& host_id, evidence_log& log, const wall_clock& clock,
                                   const event_sealing_ptr& sealing, const std::optional<chain_position>& left,
                                   chain_epochs& epochs)
    : clock_(clock), log_(log), projection_(host_id, beginning(host_id, clock, sealing, left, epochs), sealing) {}

void host_event_chain::say(rendering& into, const host_statement& said) {
  for (std::size_t part = 1; part <= events_of(said); ++part) {
    const wall_time now = clock_.now();
    projection_.begin(into.lines, now);
    std::visit(event_writer{projection_, into.lines, now, part}, said);
    projection_.chain().commit(into.lines);
  }
  if (const auto* opened = std::get_if<run_begin_mark>(&said)) {
    into.listings.push_back({opened->chain, run_listing::kind::opened});
  } else if (const auto* closed = std::get_if<run_end_mark>(&said)) {
    into.listings.push_back({closed->chain, run_listing::kind::closed});
  }
}

std::error_code host_event_chain::write(const joint_append& what) {
  rendering made;
  for (const host_statement& each : what.before) say(made, each);
  made.lines += what.lines;
  for (const host_statement& each : what.behind) say(made, each);
  std::vector<chain_head> heads = what.heads;
  heads.push_back({projection_.chain().position(), std::nullopt, std::move(made.listings)});
  return what.from_reserve ? log_.append_from_reserve(made.lines, heads) : log_.append(made.lines, heads);
}

std::error_code host_event_chain::append(const joint_append& what) {
  if (what.lines.empty() && what.before.empty() && what.behind.empty()) return {};
  std::uint64_t unnumbered = 0;
  std::uint64_t& last = what.number == 0 ? unnumbered : appended_[what.origin];
  if (what.number != 0 && what.number <= last) return {};
  const chain_writer::state before = projection_.chain().save();
  std::error_code refused;
  try {
    refused = write(what);
  } catch (...) {
    projection_.chain().restore(before);
    throw;
  }
  if (refused) {
    projection_.chain().restore(before);
  } else {
    last = what.number;
  }
  return refused;
}

std::error_code host_event_chain::record(host_statement said) {
  joint_append alone;
  alone.behind.push_back(std::move(said));
  return append(alone);
}

void host_event_chain::change_key(const event_sealing_ptr& sealing) { projection_.chain().change_key(sealing); }

former_chain host_event_chain::end() const { return {projection_.chain().chain(), projection_.chain().end()}; }

}  // namespace cellos
