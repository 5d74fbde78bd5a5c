#include "tests/simulation/simulated_probes.hpp"

#include <utility>

namespace cellos::simulation {

namespace {

using namespace std::chrono_literals;

/// As host_probe_service has it.
constexpr auto after_disconnect = 50ms;
constexpr std::uint64_t counted_before = 100;

probe_schedule_settings schedule_of(std::uint64_t seed) {
  probe_schedule_settings settings;
  settings.seed = seed;
  return settings;
}

/// The links and tables of the one namespace there is.
std::string name_of_source(host_probe what, const std::string& cell_id) {
  return what == host_probe::tap_link || what == host_probe::nftables ? "ns:" : cell_id;
}

std::string quoted(std::uint64_t number) { return '"' + std::to_string(number) + '"'; }

}  // namespace

simulated_probes::simulated_probes(std::uint64_t seed) : schedule_(schedule_of(seed)) {}

void simulated_probes::attach(std::uint64_t generation, delivery deliver) {
  if (generation < generation_) return;
  generation_ = generation;
  deliver_ = std::move(deliver);
}

void simulated_probes::watch(const host_stamp_ptr& run, const cell_specification& cell, sighting_board_ptr board) {
  const auto known = cells_.find(run->cell_id);
  if (known != cells_.end() && known->second.run == run) return;
  if (known != cells_.end()) unwatch(known->second.run);
  cells_[run->cell_id] = {run, std::move(board), cell.probes, std::make_unique<cell_sight>()};
  const auto add = [&](host_probe what) {
    schedule_.add(run->cell_id, {what, name_of_source(what, run->cell_id)}, now_);
  };
  add(host_probe::process);
  add(host_probe::cgroup);
  if (cell.probes.tap) add(host_probe::tap_link);
  if (cell.probes.nft_table) add(host_probe::nftables);
}

void simulated_probes::unwatch(const host_stamp_ptr& run) {
  const auto known = cells_.find(run->cell_id);
  if (known == cells_.end() || known->second.run != run) return;
  cells_.erase(known);
  schedule_.remove(run->cell_id);
}

void simulated_probes::forget_all() {
  for (const auto& [id, cell] : cells_) schedule_.remove(id);
  cells_.clear();
  generation_ = 0;
  deliver_ = nullptr;
}

void simulated_probes::connected(const std::string& cell_id, monotonic_time now) {
  kernel[cell_id].connected = true;
  schedule_.hasten({host_probe::process, cell_id}, now);
}

void simulated_probes::disconnected(const std::string& cell_id, monotonic_time now) {
  schedule_.hasten({host_probe::process, cell_id}, now + after_disconnect);
}

void simulated_probes::pass(wall_time at, monotonic_time now) {
  now_ = now;
  for (const probe_schedule::due_source& due : schedule_.take_due(now)) {
    for (const std::string& id : due.cells) {
      const watched_cell& cell = cells_.at(id);
      auto reading = read(cell, due.what.probe);
      if (!reading) continue;
      reading->host_received_at = at;
      cell.board->show(cell.sight->take(*reading, now));
      ++readings;
      if (deliver_) deliver_(cell.run, std::make_shared<const probe_reading>(std::move(*reading)));
    }
    schedule_.finished(due, now);
  }
}

/// Of the parts that are looked at, as production's probes write them.
std::optional<probe_reading> simulated_probes::read(const watched_cell& cell, host_probe what) const {
  const auto found = kernel.find(cell.run->cell_id);
  const kernel_objects objects = found == kernel.end() ? kernel_objects{} : found->second;
  const std::string packets = quoted(counted_before + objects.attempts * objects.packets_an_attempt);
  probe_reading reading{what, "{}", {}, std::nullopt};
  switch (what) {
    case host_probe::process:
      if (!objects.connected) return std::nullopt;
      reading.inputs = R"({"pid":5})";
      reading.output = objects.signal
                           ? R"({"alive":false,"ended":"signalled","signal":)" + std::to_string(*objects.signal) + "}"
                           : R"({"alive":true,"cpuSystemUs":"0","cpuUserUs":)" + quoted(objects.cpu_us) + "}";
      break;
    case host_probe::cgroup:
      reading.output = R"({"v2":{"cgroup.events":{"populated":)" + quoted(objects.signal ? 0 : 1) +
                       R"(},"pids.events":{"max":)" + quoted(objects.refused_forks) + "}}}";
      break;
    case host_probe::tap_link: reading.output = R"({"index":3,"rxPackets":)" + packets + R"(,"txPackets":"0"})"; break;
    case host_probe::nftables:
      reading.inputs = R"({"connectionCounter":"syn"})";
      reading.output = R"({"rows":[{"handle":2,"name":"syn","packets":)" + packets + "}]}";
      break;
    case host_probe::fc_metrics:
    case host_probe::exec: return std::nullopt;
  }
  return reading;
}

}  // namespace cellos::simulation
