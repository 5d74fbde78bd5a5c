#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "messages/run_witness.hpp"

namespace cellos {

/// What a run's chain says, for whoever compares it: noted while a group of events is made, handed on once the group
/// counts. Without a witness nothing is noted.
class witnessed_run {
 public:
  void watch(run_witness_ptr witness) { witness_ = std::move(witness); }

  /// Of a group that begins; what an earlier one left that did not count is forgotten.
  void begin() { noted_.clear(); }
  void declared(std::uint64_t sequence, wall_time at, probe_source source, std::uint32_t guest_pid) {
    if (witness_) noted_.push_back({what::declaration, sequence, at, source, guest_pid, {}, nullptr});
  }
  /// The reading outlives the group.
  void read(std::uint64_t sequence, wall_time at, const probe_reading& reading) {
    if (witness_) noted_.push_back({what::reading, sequence, at, {}, 0, {}, &reading});
  }
  void silenced(std::uint64_t sequence, wall_time at, std::chrono::nanoseconds silent_for) {
    if (witness_) noted_.push_back({what::silence, sequence, at, {}, 0, silent_for, nullptr});
  }
  void resumed(std::uint64_t sequence, wall_time at) { note(what::resumption, sequence, at); }
  void lost(std::uint64_t sequence, wall_time at) { note(what::loss, sequence, at); }
  void restarted(std::uint64_t sequence, wall_time at) { note(what::restart, sequence, at); }

  /// The group counts. One who fails at it is not asked again: nothing that is in the chain may fail for its sake.
  void commit() noexcept {
    try {
      for (const note_of_line& each : noted_) add(hand_on(each));
    } catch (...) {
      witness_ = nullptr;
    }
    noted_.clear();
  }

  /// Found, and not on record yet.
  const std::vector<recorded_contradiction>& found() const { return found_; }
  std::vector<recorded_contradiction> take_found() { return std::exchange(found_, {}); }

 private:
  enum class what : std::uint8_t { declaration, reading, silence, resumption, loss, restart };
  struct note_of_line {
    what kind;
    std::uint64_t sequence;
    wall_time at;
    probe_source source;
    std::uint32_t guest_pid;
    std::chrono::nanoseconds silent_for;
    const probe_reading* reading;
  };

  void note(what kind, std::uint64_t sequence, wall_time at) {
    if (witness_) noted_.push_back({kind, sequence, at, {}, 0, {}, nullptr});
  }
  run_witness::found hand_on(const note_of_line& line) {
    switch (line.kind) {
      case what::declaration: return witness_->declared(line.sequence, line.at, line.source, line.guest_pid);
      case what::reading: return witness_->read(line.sequence, line.at, *line.reading);
      case what::silence: return witness_->silenced(line.sequence, line.at, line.silent_for);
      case what::resumption: return witness_->resumed(line.sequence, line.at);
      case what::loss: return witness_->lost(line.sequence, line.at);
      case what::restart: return witness_->restarted(line.sequence, line.at);
    }
    return {};
  }
  void add(run_witness::found found) { found_.insert(found_.end(), found.begin(), found.end()); }

  run_witness_ptr witness_;
  std::vector<note_of_line> noted_;
  std::vector<recorded_contradiction> found_;
};

}  // namespace cellos
