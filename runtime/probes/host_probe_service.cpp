#include "runtime/probes/host_probe_service.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runtime/probes/cell_sight.hpp"
#include "runtime/probes/exec_probe.hpp"
#include "runtime/probes/fc_metrics_probe.hpp"
#include "runtime/probes/nftables_probe.hpp"
#include "runtime/probes/peer_probe.hpp"
#include "runtime/probes/tap_link_probe.hpp"

namespace cellos {

namespace {

/// From a connection's end until its VMM is looked at: a process that ends closes its descriptors first. Chosen here.
constexpr std::chrono::milliseconds after_disconnect{50};

/// Descriptors of peers that wait to be looked at; others are named by their pid alone, as before Linux 6.5. Chosen
/// here: a storm of connections takes no more.
constexpr long most_named = 64;

monotonic_time now() { return std::chrono::steady_clock::now(); }

/// What has both versions has version 2 beside the others.
cgroup_roots mounted_roots(const std::filesystem::path& root) {
  cgroup_roots roots{root.native(), root.native()};
  std::error_code none;
  const std::filesystem::path unified = std::filesystem::path{roots.v2} / "unified";
  if (std::filesystem::exists(unified / "cgroup.controllers", none)) roots.v2 = unified.native();
  return roots;
}

std::string run_name(const std::string& cell_id, const std::string& run_id) { return cell_id + '/' + run_id; }

probe_runner_settings runner_settings(const probe_settings& from) {
  probe_runner_settings settings;
  settings.schedule.period = from.period;
  settings.read_timeout = from.timeout;
  return settings;
}

metrics_place place_of_metrics(const cell_specification& cell) {
  const auto slash = cell.probes.fc_metrics->rfind('/');
  return {cell.probes.fc_metrics->substr(0, std::max<std::size_t>(slash, 1)), cell.probes.fc_metrics->substr(slash + 1),
          cell.expected_uid};
}

/// What the VMM's metrics are in, the VMM cannot replace: a socket beneath it is found from there, and the VMM may own
/// the whole way.
std::optional<firecracker_api_place> place_of_api(const cell_specification& cell,
                                                  const std::string& metrics_directory) {
  if (!cell.probes.fc_api_socket) return std::nullopt;
  const std::string& path = *cell.probes.fc_api_socket;
  const std::string above = metrics_directory.ends_with('/') ? metrics_directory : metrics_directory + '/';
  if (path.starts_with(above)) {
    const auto rest = path.find_first_not_of('/', above.size());
    return firecracker_api_place{metrics_directory, path.substr(rest), cell.expected_uid};
  }
  const auto slash = path.rfind('/');
  return firecracker_api_place{path.substr(0, std::max<std::size_t>(slash, 1)), path.substr(slash + 1),
                               cell.expected_uid};
}

nft_table_name table_of(const std::string& text) {
  const auto space = text.find(' ');
  return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

struct host_probe_service::watched_cell {
  host_stamp_ptr run;
  sighting_board_ptr board;
  std::set<host_probe> recorded;
  peer_ptr peer;
  /// The runner's listener alone uses it.
  cell_sight sight;
};

struct host_probe_service::shared_sources {
  std::map<std::string, std::weak_ptr<link_source>> links;
  std::map<std::string, std::weak_ptr<nft_source>> counters;
};

host_probe_service::host_probe_service(const probe_settings& settings, const wall_clock& clock, operator_events& events,
                                       privileged_reads_ptr by)
    : settings_(settings), events_(events), by_(std::move(by)), shared_(std::make_unique<shared_sources>()) {
  const probe_listener listener{
      [this](const host_stamp_ptr& run, const probe_reading& reading) { on_reading(run, reading); },
      [this](const host_stamp_ptr& run, host_probe probe, const probe_health::change& change,
             const std::string& words) { on_change(run, probe, change, words); }};
  runner_ = std::make_unique<probe_runner>(runner_settings(settings), clock, listener);
}

host_probe_service::~host_probe_service() { runner_.reset(); }

void host_probe_service::attach(std::uint64_t generation, delivery deliver) {
  const std::lock_guard hold{mutex_};
  if (generation < generation_) return;
  generation_ = generation;
  deliver_ = std::move(deliver);
}

std::set<host_probe> host_probe_service::recorded(const cell_specification& cell) const {
  std::set<host_probe> all = cell.probes.recorded.value_or(settings_.record);
  if (cell.probes.cgroup) all.insert(host_probe::cgroup);
  if (cell.probes.tap) all.insert(host_probe::tap_link);
  if (cell.probes.nft_table) all.insert(host_probe::nftables);
  if (cell.probes.fc_metrics) all.insert(host_probe::fc_metrics);
  if (cell.probes.exec) all.insert(host_probe::exec);
  return all;
}

/// Under the lock.
host_probe_service::peer_ptr host_probe_service::peer_of(const std::string& run_name) {
  peer_ptr& peer = peers_[run_name];
  if (!peer) peer = std::make_shared<peer_probe>("/proc", by_);
  return peer;
}

void host_probe_service::watch(const host_stamp_ptr& run, const cell_specification& cell, sighting_board_ptr board) {
  auto watched = std::make_shared<watched_cell>();
  watched->run = run;
  watched->board = std::move(board);
  watched->recorded = recorded(cell);
  host_stamp_ptr before;
  {
    const std::lock_guard hold{mutex_};
    const auto known = cells_.find(run->cell_id);
    if (known != cells_.end() && known->second->run == run) return;
    if (known != cells_.end()) before = known->second->run;
    watched->peer = peer_of(run_name(run->cell_id, run->run_id));
    // Of the run before; the same run's, admitted again, is the new one's.
    if (before && before->run_id != run->run_id) peers_.erase(run_name(before->cell_id, before->run_id));
    cells_[run->cell_id] = watched;
    looks_.begin(run->cell_id, run->run_id);
  }
  if (before) runner_->remove(before->cell_id);
  try {
    start_sources(*watched, cell);
  } catch (...) {
    unwatch(run);
    throw;
  }
}

template <class Source>
std::shared_ptr<Source> host_probe_service::shared_of(std::map<std::string, std::weak_ptr<Source>>& known,
                                                      const std::string& name,
                                                      std::shared_ptr<Source> (*make)(const std::string&,
                                                                                      const privileged_reads_ptr&)) {
  const std::lock_guard hold{mutex_};
  std::erase_if(known, [](const auto& each) { return each.second.expired(); });
  auto& place = known[name];
  auto source = place.lock();
  if (!source) place = source = make(name, by_);
  return source;
}

void host_probe_service::start_sources(const watched_cell& cell, const cell_specification& specification) {
  const cell_probes& wanted = specification.probes;
  const std::string network = wanted.network_namespace.value_or("");
  runner_->add(cell.run, cell.peer);
  runner_->hasten(cell.run->cell_id, host_probe::process, now());
  if (cell.recorded.contains(host_probe::cgroup)) {
    cgroup_roots roots = mounted_roots(settings_.cgroup_root);
    if (wanted.cgroup) {
      runner_->add(cell.run, std::make_shared<named_cgroup_probe>(std::move(roots), *wanted.cgroup));
    } else {
      runner_->add(cell.run, std::make_shared<peer_cgroup_probe>(cell.peer, std::move(roots)));
    }
  }
  if (wanted.tap) {
    auto links = shared_of(shared_->links, network, &links_of);
    runner_->add(cell.run, std::make_shared<tap_link_probe>(std::move(links), network, *wanted.tap), "ns:" + network);
  }
  if (wanted.nft_table) {
    auto counters = shared_of(shared_->counters, network, &counters_of);
    runner_->add(cell.run,
                 std::make_shared<nftables_probe>(std::move(counters), network, table_of(*wanted.nft_table),
                                                  wanted.connection_counter.value_or("")),
                 "ns:" + network);
  }
  if (wanted.fc_metrics) {
    metrics_place place = place_of_metrics(specification);
    fc_metrics_probe::options options;
    options.flush_at = place_of_api(specification, place.directory);
    runner_->add(cell.run, std::make_shared<fc_metrics_probe>(std::move(place), options));
  }
  if (wanted.exec) {
    exec_probe_settings program;
    program.program = wanted.exec->front();
    program.arguments.assign(wanted.exec->begin() + 1, wanted.exec->end());
    program.timeout = settings_.timeout;
    runner_->add(cell.run, std::make_shared<exec_probe>(std::move(program)));
  }
}

void host_probe_service::unwatch(const host_stamp_ptr& run) {
  {
    const std::lock_guard hold{mutex_};
    const auto known = cells_.find(run->cell_id);
    const bool is_watched = known != cells_.end() && known->second->run == run;
    const bool is_another_s = known != cells_.end() && !is_watched && known->second->run->run_id == run->run_id;
    if (!is_another_s) peers_.erase(run_name(run->cell_id, run->run_id));
    if (!is_watched) return;
    cells_.erase(known);
    looks_.end(run->cell_id);
  }
  runner_->remove(run->cell_id);
}

void host_probe_service::connected(const cell_specification& cell, int connection) {
  auto named = name_peer(connection);
  // Who has left already, or cannot be seen from here, is not watched: nothing is known of the VMM.
  if (!named) return;
  if (named->by_pidfd && claims_.use_count() <= most_named) {
    named->claim = claims_;
  } else {
    named->pidfd.reset();
    named->by_pidfd = false;
  }
  {
    const std::lock_guard hold{mutex_};
    peer_of(run_name(cell.cell_id, cell.run_id))->connected(std::move(*named));
  }
  runner_->hasten(cell.cell_id, host_probe::process, now());
}

void host_probe_service::disconnected(const cell_specification& cell) {
  runner_->hasten(cell.cell_id, host_probe::process, now() + after_disconnect);
}

void host_probe_service::on_reading(const host_stamp_ptr& run, const probe_reading& reading) {
  std::shared_ptr<watched_cell> cell;
  delivery deliver;
  {
    const std::lock_guard hold{mutex_};
    const auto known = cells_.find(run->cell_id);
    if (known == cells_.end() || known->second->run != run) return;
    cell = known->second;
    deliver = deliver_;
  }
  const monotonic_time at = now();
  cell->board->show(cell->sight.take(reading, at));
  const auto kept = std::make_shared<const probe_reading>(reading);
  looks_.read(*run, kept, at);
  if (deliver && cell->recorded.contains(reading.probe_source)) deliver(run, kept);
}

/// What was seen by a probe that fails now says nothing of how it is.
void host_probe_service::forget(const host_stamp_ptr& run, host_probe probe) {
  std::shared_ptr<watched_cell> cell;
  {
    const std::lock_guard hold{mutex_};
    const auto known = cells_.find(run->cell_id);
    if (known == cells_.end() || known->second->run != run) return;
    cell = known->second;
  }
  cell->board->show(cell->sight.forget(probe));
}

void host_probe_service::on_change(const host_stamp_ptr& run, host_probe probe, const probe_health::change& change,
                                   const std::string& words) {
  if (change.failing) {
    forget(run, probe);
    looks_.failed(*run, probe, {*change.failing, words});
    events_.probe_failed(*run, probe, *change.failing, words);
  } else {
    events_.probe_recovered(*run, probe);
  }
}

}  // namespace cellos
