#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "messages/batch.hpp"
#include "runtime/evidence/run_recovery.hpp"
#include "tests/simulation/simulated_cell.hpp"
#include "tests/simulation/simulation.hpp"

/// The world behind the ports of a simulated daemon, with the faults the seed decides on.
namespace cellos::simulation {

class simulated_clock final : public wall_clock {
 public:
  wall_time now() const override { return time; }
  wall_time time{std::chrono::seconds{1'700'000'000}};
};

/// How a daemon dies.
enum class death : std::uint8_t {
  /// What it has written stays.
  killed,
  /// The machine loses power: what was not synced may be gone.
  power_lost,
};

/// Refuses for a while, throws now and then, keeps lines whole; until the daemon dies.
class simulated_log final : public evidence_log {
 public:
  simulated_log(randomness& random, planted_bug bug) : random_(random), bug_(bug) {}

  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override;
  /// What is appended by now is on disk.
  void sync();
  /// The daemon dies in its next append: that writes a part of its lines, or all, and never returns.
  void die_in_next_append() { dies_in_append_ = true; }
  bool died() const { return died_; }
  /// So many bytes survive a loss of power.
  std::size_t synced() const { return synced_; }
  /// Leaves what the next start finds once it has taken back half a line or half an append.
  void crash(death how);
  /// For the end: nothing is wrong any more.
  void heal();
  /// What a start knows of the log besides its lines.
  recovery_terms left(const event_sealing_ptr& sealing) const;

  std::string text;
  std::uint32_t throw_per_mille = 0;
  bool full = false;

 private:
  journal_content journal() const;
  std::string boot_id() const { return "boot-" + std::to_string(boots_); }

  randomness& random_;
  planted_bug bug_;
  std::string unwritten_;
  std::size_t synced_ = 0;
  /// Of `journal_`.
  std::size_t records_synced_ = 0;
  bool dies_in_append_ = false;
  bool died_ = false;
  std::uint64_t boots_ = 1;
  std::vector<journal_record> journal_;
};

/// One opening of one cell's socket, kept after its end for the log_checker.
struct simulated_run {
  std::string cell_id;
  std::string run_id;
  std::shared_ptr<simulated_socket> socket;
  /// The daemon died while it was open: chunks behind `safe` may be missing from the log.
  bool cut_short = false;
  /// Acknowledged by then; and, if the power was lost, synced.
  std::uint64_t safe = 0;
};

class simulated_sockets final : public telemetry_sockets {
 public:
  explicit simulated_sockets(planted_bug bug) : bug_(bug) {}

  binding bind(const cell_specification& cell) override;
  simulated_socket* of(const std::string& cell_id);

  std::vector<simulated_run> runs;

 private:
  planted_bug bug_;
  byte_budget budget_{64 * 1024};
};

class simulated_quarantine final : public quarantine_store {
 public:
  explicit simulated_quarantine(simulated_sockets& sockets) : sockets_(sockets) {}
  std::optional<std::string> set_aside(std::string_view cell_id, const received_chunk& chunk) override;

 private:
  simulated_sockets& sockets_;
};

/// Dies of poison, and now and then of nothing.
struct simulated_decoder {
  batch operator()(chunk_ptr chunk, host_stamp_ptr run) const;

  randomness* random = nullptr;
  const std::uint32_t* throw_per_mille = nullptr;
};

}  // namespace cellos::simulation
