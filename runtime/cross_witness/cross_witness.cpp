#include "runtime/cross_witness/cross_witness.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace cellos {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds summary_interval = std::chrono::seconds{1};

std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  return a != 0 && b > most / a ? most : a * b;
}

std::uint64_t beyond(std::uint64_t value, std::uint64_t limit) { return value > limit ? value - limit : 0; }

/// Of times far apart, too.
wall_time before(wall_time at, nanoseconds time) { return at.time_since_epoch() > time ? at - time : wall_time{}; }

}  // namespace

std::int64_t cross_witness::window_of(wall_time at) const { return at.time_since_epoch() / settings_.window; }

witness_results cross_witness::take(const witness_line& line) {
  witness_results results;
  if (ended_) return results;
  now_ = std::max(now_, line.at);
  // First what its time alone decides: what it says itself may belong to a later window.
  compare_due(results);
  std::visit([&](const auto& what) { on(line, what); }, line.what);
  last_line_ = now_;
  forget_old();
  return results;
}

void cross_witness::on(const witness_line& line, const witnessed::declaration& declared) {
  const bool connects = declared.source == probe_source::net_connect_attempted;
  // The guest's first process: when it ends, the guest does.
  const bool exits = declared.source == probe_source::process_exited && declared.guest_pid == 1;
  const nanoseconds grain = settings_.agent_lag / 8;
  if (declared_.empty() || line.at < declared_.back().last_at || line.at - declared_.back().first_at > grain) {
    declared_.push_back({line.at, line.at, 0, 0});
  }
  declarations& together = declared_.back();
  together.last_at = line.at;
  if (connects) ++together.connections;
  if (exits) ++together.exits;
  if (connects) ++connections_ever_;
}

void cross_witness::on(const witness_line& line, const witnessed::network_reading& reading) {
  take_sample(witnessed_count::network, {line.sequence, now_, reading.value, reading.instance, reading.counter});
}

void cross_witness::on(const witness_line& line, const witnessed::cgroup_reading& reading) {
  if (reading.oom_kills) take_sample(witnessed_count::oom_kills, {line.sequence, now_, *reading.oom_kills, 0, {}});
  if (reading.refused_forks) {
    take_sample(witnessed_count::refused_forks, {line.sequence, now_, *reading.refused_forks, 0, {}});
  }
}

void cross_witness::on(const witness_line& line, const witnessed::vmm_reading& reading) {
  if (vmm_alive_ && !reading.alive) exit_ = sample{line.sequence, now_, 1, 0, {}};
  if (reading.alive) exit_.reset();
  vmm_alive_ = reading.alive;
}

void cross_witness::on(const witness_line&, const witnessed::silence& silence) {
  silent_since_ = before(now_, silence.silent_for);
  was_silent_ = true;
}

/// Losses are reported once a second for as long as they last.
void cross_witness::add_blind(wall_time from, not_compared why) {
  const bool goes_on = !blind_.empty() && blind_.back().why == why && blind_.back().to >= from;
  if (goes_on) {
    blind_.back().to = now_;
  } else {
    blind_.push_back({from, now_, why});
  }
}

void cross_witness::on(const witness_line&, const witnessed::resumption&) {
  if (!silent_since_) return;
  add_blind(*silent_since_, not_compared::agent_silent);
  silent_since_.reset();
}

void cross_witness::on(const witness_line&, const witnessed::loss&) {
  add_blind(before(now_, settings_.agent_lag + summary_interval), not_compared::declarations_lost);
}

void cross_witness::on(const witness_line&, const witnessed::restart&) {
  add_blind(last_line_.value_or(now_), not_compared::daemon_restarted);
}

void cross_witness::on(const witness_line&, const witnessed::end&) { ended_ = true; }

void cross_witness::take_sample(witnessed_count what, const sample& taken) {
  track& of = tracks_[static_cast<std::size_t>(what)];
  const std::int64_t window = window_of(taken.at);
  if (of.first && of.window == window) return;
  if (of.first) due_.push_back({what, of.window, window, *of.first, taken});
  of.first = taken;
  of.window = window;
}

void cross_witness::compare_due(witness_results& into) {
  const nanoseconds time = settings_.agent_lag + settings_.silence_window;
  while (!due_.empty() && now_ > due_.front().to.at + time) {
    compare(due_.front(), into);
    due_.pop_front();
  }
  if (exit_ && now_ > exit_->at + time) compare_exit(into);
}

std::optional<not_compared> cross_witness::why_not(const interval& due) const {
  if (due.next_window != due.window + 1) return not_compared::reading_missing;
  const bool restarted = due.from.instance != due.to.instance || due.from.counter != due.to.counter;
  if (restarted || due.to.value < due.from.value) return not_compared::counter_restarted;
  const wall_time from = before(due.from.at, settings_.agent_lag);
  const wall_time to = due.to.at + settings_.agent_lag;
  if (silent_since_ && *silent_since_ < to) return not_compared::agent_silent;
  for (const blind_span& span : blind_) {
    if (span.from <= to && span.to >= from) return span.why;
  }
  const auto is_heard = [&](const declarations& each) { return each.first_at <= to && each.last_at >= from; };
  if (was_silent_ && std::ranges::none_of(declared_, is_heard)) return not_compared::agent_silent;
  return std::nullopt;
}

void cross_witness::compare(const interval& due, witness_results& into) {
  if (const auto why = why_not(due)) {
    for (auto window = due.window; window < due.next_window && window - due.window < 100; ++window) {
      into.uncompared.push_back({due.what, *why, window});
    }
    return;
  }
  if (due.what == witnessed_count::network) {
    compare_network(due, into);
  } else {
    compare_count(due, into);
  }
}

/// Until it is learnt, `meanwhile`.
std::uint64_t cross_witness::background_of(const network_thresholds& thresholds, std::uint64_t meanwhile) const {
  if (thresholds.background) return *thresholds.background;
  if (learnt_windows_ < settings_.learning_windows || !learnt_) return meanwhile;
  return std::min(*learnt_, thresholds.most_background);
}

void cross_witness::compare_network(const interval& due, witness_results& into) {
  const bool counts_attempts = due.from.counter == witnessed::network_counter::connection_attempts;
  const network_thresholds& thresholds = counts_attempts ? settings_.connection_attempts : settings_.packets;
  const std::uint64_t counted = due.to.value - due.from.value;
  const std::uint64_t background = background_of(thresholds, thresholds.most_background);
  // What may be background may be what was declared as well.
  const std::uint64_t stillness = background_of(thresholds, 0);
  found_contradiction found{.window = due.window,
                            .from = due.from.at,
                            .to = due.to.at,
                            .first_reading = due.from.sequence,
                            .last_reading = due.to.sequence,
                            .counted = counted,
                            .background = stillness};

  // What was declared may be of the interval before where the agent's lag reaches into it.
  const bool moved_before =
      !counted_before_ || counted_before_->first != due.window || counted_before_->second > stillness;
  const wall_time own = moved_before ? due.from.at + settings_.agent_lag : due.from.at;
  const std::uint64_t unwitnessed = counted > stillness ? 0 : within(own, due.to.at);
  bool& claims = raised_[static_cast<std::size_t>(contradiction::declaration_unwitnessed)];
  found.threshold = claims ? settings_.keep_declarations : settings_.raise_declarations;
  claims = unwitnessed > 0 && unwitnessed >= found.threshold;
  found.kind = contradiction::declaration_unwitnessed;
  found.declared = unwitnessed;
  if (claims) into.contradictions.push_back(found);

  const std::uint64_t declared =
      touching(before(due.from.at, thresholds.explained_for), due.to.at + settings_.agent_lag);
  const bool all_explained = thresholds.explained_by_one == 0 && connections_ever_ > 0;
  const std::uint64_t unexplained = all_explained ? 0 : beyond(counted, product(declared, thresholds.explained_by_one));
  bool& hides = raised_[static_cast<std::size_t>(contradiction::undeclared_network)];
  found.threshold = hides ? thresholds.keep : thresholds.raise;
  hides = beyond(unexplained, background) >= found.threshold;
  found.kind = contradiction::undeclared_network;
  found.background = background;
  found.how = counts_attempts ? confidence::firm : confidence::soft;
  found.declared = declared;
  if (hides) into.contradictions.push_back(found);

  counted_before_ = {due.next_window, counted};
  if (learnt_windows_ < settings_.learning_windows) {
    ++learnt_windows_;
    learnt_ = std::min(learnt_.value_or(unexplained), unexplained);
  }
}

void cross_witness::compare_count(const interval& due, witness_results& into) {
  const std::uint64_t counted = due.to.value - due.from.value;
  if (counted == 0) return;
  // Nothing that a guest may declare is a fork that its host refused, or an end for want of the host's memory; the
  // latter ends the guest, which its first process may have said.
  const wall_time from = before(due.from.at, settings_.agent_lag);
  const bool is_kill = due.what == witnessed_count::oom_kills;
  if (is_kill && exit_declared(from, due.to.at + settings_.agent_lag)) return;
  into.contradictions.push_back(
      {.kind = is_kill ? contradiction::undeclared_oom_kill : contradiction::undeclared_refused_forks,
       .how = confidence::firm,
       .window = due.window,
       .from = due.from.at,
       .to = due.to.at,
       .first_reading = due.from.sequence,
       .last_reading = due.to.sequence,
       .counted = counted,
       .threshold = 1});
}

/// Silence is no excuse: a VMM that is gone makes its agent silent.
void cross_witness::compare_exit(witness_results& into) {
  const sample seen = *exit_;
  exit_.reset();
  const wall_time from = before(seen.at, settings_.window + settings_.agent_lag);
  const std::int64_t window = window_of(seen.at);
  if (window == exit_window_ || exit_declared(from, seen.at + settings_.agent_lag)) return;
  exit_window_ = window;
  into.contradictions.push_back({.kind = contradiction::undeclared_exit,
                                 .how = confidence::firm,
                                 .window = window,
                                 .from = seen.at,
                                 .to = seen.at,
                                 .first_reading = seen.sequence,
                                 .last_reading = seen.sequence,
                                 .counted = 1,
                                 .threshold = 1});
}

std::uint64_t cross_witness::touching(wall_time from, wall_time to) const {
  std::uint64_t sum = 0;
  for (const declarations& each : declared_) {
    if (each.first_at <= to && each.last_at >= from) sum += each.connections;
  }
  return sum;
}

std::uint64_t cross_witness::within(wall_time from, wall_time to) const {
  std::uint64_t sum = 0;
  for (const declarations& each : declared_) {
    if (each.first_at >= from && each.last_at <= to) sum += each.connections;
  }
  return sum;
}

bool cross_witness::exit_declared(wall_time from, wall_time to) const {
  return std::ranges::any_of(declared_, [&](const declarations& each) {
    return each.exits > 0 && each.first_at <= to && each.last_at >= from;
  });
}

/// Nothing that is compared later reaches so far back.
void cross_witness::forget_old() {
  wall_time oldest = now_;
  for (const track& each : tracks_) {
    if (each.first) oldest = std::min(oldest, each.first->at);
  }
  for (const interval& each : due_) oldest = std::min(oldest, each.from.at);
  if (exit_) oldest = std::min(oldest, exit_->at);
  // What spans more than two windows is not compared.
  const nanoseconds most = 2 * settings_.window + 2 * settings_.agent_lag + settings_.silence_window;
  oldest = std::max(oldest, before(now_, most));
  const nanoseconds reach =
      std::max(settings_.connection_attempts.explained_for, settings_.window) + settings_.agent_lag;
  const wall_time limit = before(oldest, reach);
  while (!declared_.empty() && declared_.front().last_at < limit) declared_.pop_front();
  std::erase_if(blind_, [limit](const blind_span& span) { return span.to < limit; });
}

void apply(const witness_terms& terms, cross_witness_settings& to) {
  const auto raise_at = [](const std::optional<std::uint64_t>& threshold, std::uint64_t& raise, std::uint64_t& keep) {
    if (!threshold) return;
    raise = *threshold;
    keep = raise / 4 + (raise % 4 == 0 ? 0 : 1);
  };
  raise_at(terms.attempts_threshold, to.connection_attempts.raise, to.connection_attempts.keep);
  raise_at(terms.packets_threshold, to.packets.raise, to.packets.keep);
  raise_at(terms.declarations_threshold, to.raise_declarations, to.keep_declarations);
  to.connection_attempts.background = terms.attempts_background;
  to.packets.background = terms.packets_background;
}

witness_results compare_all(const cross_witness_settings& settings, const std::vector<witness_line>& lines) {
  cross_witness witness{settings};
  witness_results all;
  for (const witness_line& line : lines) {
    const witness_results some = witness.take(line);
    all.contradictions.insert(all.contradictions.end(), some.contradictions.begin(), some.contradictions.end());
    all.uncompared.insert(all.uncompared.end(), some.uncompared.begin(), some.uncompared.end());
  }
  return all;
}

}  // namespace cellos
