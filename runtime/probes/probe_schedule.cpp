#include "runtime/probes/probe_schedule.hpp"

#include <algorithm>
#include <string_view>

namespace cellos {

namespace {

/// FNV-1a, and splitmix64's finish, which spreads what differs in few bits.
std::uint64_t mixed(std::uint64_t seed, std::string_view text, std::uint64_t number) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash += number * 0x9e3779b97f4a7c15U;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31);
}

}  // namespace

/// Drawn evenly from [0, period).
std::chrono::nanoseconds probe_schedule::part_of_period(const source& what, std::uint64_t reading) const {
  const std::uint64_t drawn = mixed(settings_.seed + static_cast<std::uint64_t>(what.probe), what.name, reading);
  const auto period = static_cast<double>(settings_.period.count());
  return std::chrono::nanoseconds{static_cast<std::int64_t>(period * (static_cast<double>(drawn >> 11) * 0x1p-53))};
}

void probe_schedule::enqueue(const source& what, entry& of) {
  const auto part = static_cast<double>((part_of_period(what, of.reading) - settings_.period / 2).count());
  const auto jitter = std::chrono::nanoseconds{static_cast<std::int64_t>(2 * settings_.jitter * part)};
  of.regular = of.nominal + (of.reading == 0 ? std::chrono::nanoseconds{0} : jitter);
  put_in_queue(what, of);
}

void probe_schedule::put_in_queue(const source& what, entry& of) {
  of.due = of.again ? std::min(of.regular, *of.again) : of.regular;
  of.again.reset();
  queue_.emplace(of.due, what);
}

void probe_schedule::hasten(const source& what, monotonic_time at) {
  const auto found = entries_.find(what);
  if (found == entries_.end()) return;
  entry& of = found->second;
  if (of.taken) at = std::max<monotonic_time>(at, *of.taken + least_pause);
  if (of.ticket != 0) {
    of.again = of.again ? std::min(*of.again, at) : at;
  } else if (at < of.due) {
    queue_.erase({of.due, what});
    of.again = at;
    put_in_queue(what, of);
  }
}

void probe_schedule::add(const std::string& cell, const source& what, monotonic_time now) {
  const auto [place, is_new] = entries_.try_emplace(what);
  place->second.cells.insert(cell);
  if (!is_new) return;
  place->second.nominal = now + part_of_period(what, 0);
  enqueue(what, place->second);
}

void probe_schedule::remove(const std::string& cell, const source& what) {
  const auto found = entries_.find(what);
  if (found == entries_.end() || found->second.cells.erase(cell) == 0) return;
  if (!found->second.cells.empty()) return;
  queue_.erase({found->second.due, what});
  entries_.erase(found);
}

void probe_schedule::remove(const std::string& cell) {
  for (auto each = entries_.begin(); each != entries_.end();) {
    if (each->second.cells.erase(cell) == 0 || !each->second.cells.empty()) {
      ++each;
      continue;
    }
    queue_.erase({each->second.due, each->first});
    each = entries_.erase(each);
  }
}

std::vector<probe_schedule::due_source> probe_schedule::take_due(monotonic_time now) {
  std::vector<due_source> taken;
  std::size_t readings = 0;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    const source what = queue_.begin()->second;
    entry& of = entries_.at(what);
    if (readings > 0 && readings + of.cells.size() > settings_.readings_a_turn) break;
    readings += of.cells.size();
    queue_.erase(queue_.begin());
    of.ticket = ++last_ticket_;
    of.early = of.due < of.regular;
    of.taken = now;
    taken.push_back({what, {of.cells.begin(), of.cells.end()}, of.ticket});
  }
  return taken;
}

void probe_schedule::finished(const due_source& read, monotonic_time now) {
  const auto place = entries_.find(read.what);
  // Its last cell went meanwhile; it may have come again.
  if (place == entries_.end() || place->second.ticket != read.ticket) return;
  entry& of = place->second;
  of.ticket = 0;
  if (of.early && of.regular > now) return put_in_queue(read.what, of);
  ++of.reading;
  of.nominal += settings_.period;
  if (of.nominal <= now) {
    const auto late = (now - of.nominal) / settings_.period + 1;
    missed_ += static_cast<std::uint64_t>(late);
    of.nominal += late * settings_.period;
  }
  enqueue(read.what, of);
}

monotonic_time probe_schedule::next_wake() const {
  return queue_.empty() ? monotonic_time::max() : queue_.begin()->first;
}

}  // namespace cellos
