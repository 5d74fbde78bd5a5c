#include "runtime/probes/probe_runner.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace cellos {

namespace {

monotonic_time now() { return std::chrono::steady_clock::now(); }

struct probe_entry {
  host_stamp_ptr cell;
  std::shared_ptr<probe> what;
  probe_schedule::source source;
  probe_health health;
};

/// One source that is read, for all its cells.
struct job {
  probe_schedule::due_source due;
  std::vector<std::shared_ptr<probe_entry>> entries;
  std::uint64_t turn = 0;
  monotonic_time deadline;
  bool hangs = false;
};

using entry_key = std::pair<std::string, host_probe>;

}  // namespace

struct probe_runner::state {
  state(const probe_runner_settings& from, const wall_clock& dates, probe_listener hears)
      : settings(from), clock(dates), listener(std::move(hears)), schedule(from.schedule) {}

  const probe_runner_settings settings;
  const wall_clock& clock;
  const probe_listener listener;

  /// Held while the listener is called, so that nothing is said of a cell that was removed, or after the end.
  std::mutex speaking;
  /// Held for all below; never together with a read. Taken after `speaking`.
  std::mutex guard;
  std::condition_variable changed;
  probe_schedule schedule;
  std::map<entry_key, std::shared_ptr<probe_entry>> entries;
  std::deque<std::list<job>::iterator> waiting;
  std::list<job> jobs;
  std::uint64_t turn = 0;
  std::size_t readers = 0;
  std::size_t idle = 0;
  bool stopping = false;
  counts total;
  std::thread conductor;

  bool is_current(const std::shared_ptr<probe_entry>& entry) const {
    const auto place = entries.find({entry->cell->cell_id, entry->source.probe});
    return !stopping && place != entries.end() && place->second == entry;
  }

  probe_counts& counts_of(host_probe what) { return total.by_probe[static_cast<std::size_t>(what)]; }
  void count_error(host_probe what, probe_error_kind kind) {
    ++total.errors[static_cast<std::size_t>(kind)];
    ++counts_of(what).errors[static_cast<std::size_t>(kind)];
  }
  void begin_due(monotonic_time at);
  void start_readers(const std::shared_ptr<state>& self);
  void report_overdue(monotonic_time at);
  monotonic_time next_look() const;
  void take(const std::shared_ptr<probe_entry>& entry, const job& of, probe_result<probe_reading> result);
  void report(const std::shared_ptr<probe_entry>& entry, std::optional<probe_health::change> change,
              const std::string& words) const {
    if (change) listener.on_change(entry->cell, entry->source.probe, *change, words);
  }
};

/// A job for each source that is due. Under `guard`.
void probe_runner::state::begin_due(monotonic_time at) {
  auto due = schedule.take_due(at);
  if (due.empty()) return;
  ++turn;
  for (auto& each : due) {
    job next{std::move(each), {}, turn, monotonic_time::max(), false};
    for (const std::string& cell : next.due.cells) {
      const auto place = entries.find({cell, next.due.what.probe});
      if (place != entries.end() && place->second->source == next.due.what) next.entries.push_back(place->second);
    }
    waiting.push_back(jobs.insert(jobs.end(), std::move(next)));
  }
}

/// Under `guard`.
void probe_runner::state::start_readers(const std::shared_ptr<state>& self) {
  const std::size_t most = settings.readers + std::min(total.hanging, settings.readers);
  while (readers < most && idle < waiting.size()) {
    try {
      std::thread{[self] { read_jobs(self); }}.detach();
    } catch (const std::system_error&) {
      // No thread now; those that there are go on, and this is tried again with the next source.
      return;
    }
    ++readers;
    ++idle;
  }
}

/// Takes `speaking`, then `guard`.
void probe_runner::state::report_overdue(monotonic_time at) {
  const std::lock_guard speak{speaking};
  std::vector<std::pair<std::shared_ptr<probe_entry>, probe_health::change>> changes;
  {
    const std::lock_guard hold{guard};
    for (job& each : jobs) {
      if (each.hangs || each.deadline > at) continue;
      each.hangs = true;
      ++total.hanging;
      for (const auto& entry : each.entries) {
        if (!is_current(entry)) continue;
        count_error(entry->source.probe, probe_error_kind::timed_out);
        if (const auto change = entry->health.failed(probe_error_kind::timed_out)) changes.emplace_back(entry, *change);
      }
    }
  }
  for (const auto& [entry, change] : changes) report(entry, change, "the read has not returned in time");
}

/// Under `guard`.
monotonic_time probe_runner::state::next_look() const {
  monotonic_time next = schedule.next_wake();
  for (const job& each : jobs) {
    if (!each.hangs) next = std::min(next, each.deadline);
  }
  // Far enough, and what a condition variable can wait for.
  return std::min(next, now() + std::chrono::hours{1});
}

void probe_runner::state::take(const std::shared_ptr<probe_entry>& entry, const job& of,
                               probe_result<probe_reading> result) {
  const std::lock_guard speak{speaking};
  std::optional<probe_health::change> change;
  {
    const std::lock_guard hold{guard};
    // What comes late was reported as an error.
    if (of.hangs || !is_current(entry)) return;
    if (result && result->output.empty()) return;
    if (result) {
      ++total.readings;
      ++counts_of(entry->source.probe).readings;
      change = entry->health.succeeded();
    } else {
      count_error(entry->source.probe, result.error().kind);
      change = entry->health.failed(result.error().kind);
    }
  }
  report(entry, change, result ? std::string{} : result.error().words);
  if (!result) return;
  result->host_received_at = clock.now();
  listener.on_reading(entry->cell, *result);
}

void probe_runner::conduct(const std::shared_ptr<state>& with) {
  std::unique_lock hold{with->guard};
  while (!with->stopping) {
    const monotonic_time at = now();
    with->begin_due(at);
    with->start_readers(with);
    with->changed.notify_all();
    hold.unlock();
    with->report_overdue(at);
    hold.lock();
    with->start_readers(with);
    if (!with->stopping) with->changed.wait_until(hold, with->next_look());
  }
}

void probe_runner::read_jobs(const std::shared_ptr<state>& with) {
  std::unique_lock hold{with->guard};
  for (;;) {
    with->changed.wait(hold, [&] { return with->stopping || !with->waiting.empty(); });
    --with->idle;
    if (with->stopping) break;
    const auto current = with->waiting.front();
    with->waiting.pop_front();
    const monotonic_time begun = now();
    current->deadline = begun + with->settings.read_timeout;
    with->changed.notify_all();
    for (const auto& entry : current->entries) {
      const probe_context context{entry->cell, current->turn, begun, current->deadline};
      hold.unlock();
      auto result = entry->what->read(context);
      with->take(entry, *current, std::move(result));
      hold.lock();
    }
    const auto took = now() - begun;
    with->total.reading_time += took;
    with->counts_of(current->due.what.probe).reading_time += took;
    if (current->hangs) --with->total.hanging;
    with->schedule.finished(current->due, now());
    with->jobs.erase(current);
    ++with->idle;
    with->changed.notify_all();
  }
  --with->readers;
  with->changed.notify_all();
}

probe_runner::probe_runner(const probe_runner_settings& settings, const wall_clock& clock, probe_listener listener)
    : state_(std::make_shared<state>(settings, clock, std::move(listener))) {
  state_->conductor = std::thread{[with = state_] { conduct(with); }};
}

probe_runner::~probe_runner() {
  {
    // Whoever is speaking ends first.
    const std::lock_guard speak{state_->speaking};
    const std::lock_guard hold{state_->guard};
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->conductor.join();
  std::unique_lock hold{state_->guard};
  state_->changed.wait_for(hold, state_->settings.read_timeout,
                           [this] { return state_->readers <= state_->total.hanging; });
}

void probe_runner::add(const host_stamp_ptr& cell, std::shared_ptr<probe> what, const std::string& shared) {
  const std::lock_guard hold{state_->guard};
  const probe_schedule::source source{what->source(), shared.empty() ? cell->cell_id : shared};
  auto& place = state_->entries[{cell->cell_id, source.probe}];
  const bool moves = place && place->source != source;
  place = std::make_shared<probe_entry>(probe_entry{cell, std::move(what), source, {}});
  if (moves) state_->schedule.remove(cell->cell_id);
  for (auto each = state_->entries.lower_bound({cell->cell_id, host_probe{}});
       each != state_->entries.end() && each->first.first == cell->cell_id; ++each) {
    state_->schedule.add(cell->cell_id, each->second->source, now());
  }
  state_->changed.notify_all();
}

void probe_runner::hasten(const std::string& cell_id, host_probe what, monotonic_time at) {
  const std::lock_guard hold{state_->guard};
  const auto place = state_->entries.find({cell_id, what});
  if (place == state_->entries.end()) return;
  state_->schedule.hasten(place->second->source, at);
  state_->changed.notify_all();
}

void probe_runner::remove(const std::string& cell_id) {
  const std::lock_guard speak{state_->speaking};
  const std::lock_guard hold{state_->guard};
  auto each = state_->entries.lower_bound({cell_id, host_probe{}});
  while (each != state_->entries.end() && each->first.first == cell_id) {
    state_->schedule.remove(cell_id, each->second->source);
    each = state_->entries.erase(each);
  }
}

probe_runner::counts probe_runner::counted() const {
  const std::lock_guard hold{state_->guard};
  counts all = state_->total;
  all.missed = state_->schedule.missed();
  return all;
}

}  // namespace cellos
