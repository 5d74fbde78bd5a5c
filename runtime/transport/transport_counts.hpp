#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/transport/basp_violation.hpp"
#include "runtime/transport/connection_end.hpp"
#include "runtime/transport/connection_refusal.hpp"

namespace cellos {

/// What a transport has done so far, for metrics.
struct transport_account {
  /// Connections whose peers shook hands and were given a session.
  std::uint64_t welcomed = 0;
  /// Of them, those that are open, and handshakes that go on.
  std::uint64_t open = 0;
  std::uint64_t pending = 0;
  /// Ended because they were as old as a connection may be.
  std::uint64_t aged = 0;
  /// Ended because the peer took nothing of what was for it.
  std::uint64_t unsent = 0;
  std::array<std::uint64_t, connection_refusal_kinds> refused{};
  std::array<std::uint64_t, basp_violation_kinds> violated{};
  std::array<std::uint64_t, connection_end_kinds> ended{};

  std::uint64_t operator[](connection_refusal kind) const { return refused[static_cast<std::size_t>(kind)]; }
  std::uint64_t operator[](basp_violation kind) const { return violated[static_cast<std::size_t>(kind)]; }
  std::uint64_t operator[](connection_end kind) const { return ended[static_cast<std::size_t>(kind)]; }
};

/// The same while it is counted, by several threads.
class transport_counts {
 public:
  void count(connection_refusal kind) { ++refused_[static_cast<std::size_t>(kind)]; }
  void count(basp_violation kind) { ++violated_[static_cast<std::size_t>(kind)]; }
  void count(connection_end kind) { ++ended_[static_cast<std::size_t>(kind)]; }
  std::atomic<std::uint64_t> welcomed{0};
  std::atomic<std::uint64_t> pending{0};
  std::atomic<std::uint64_t> aged{0};
  std::atomic<std::uint64_t> unsent{0};

  transport_account account(std::uint64_t open) const {
    transport_account now{.welcomed = welcomed, .open = open, .pending = pending, .aged = aged, .unsent = unsent};
    for (std::size_t i = 0; i < refused_.size(); ++i) now.refused[i] = refused_[i];
    for (std::size_t i = 0; i < violated_.size(); ++i) now.violated[i] = violated_[i];
    for (std::size_t i = 0; i < ended_.size(); ++i) now.ended[i] = ended_[i];
    return now;
  }

 private:
  std::array<std::atomic<std::uint64_t>, connection_refusal_kinds> refused_{};
  std::array<std::atomic<std::uint64_t>, basp_violation_kinds> violated_{};
  std::array<std::atomic<std::uint64_t>, connection_end_kinds> ended_{};
};

}  // namespace cellos
