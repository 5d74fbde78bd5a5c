#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "messages/cell_status.hpp"
#include "tests/soak/live_host.hpp"

namespace cellos::soak {

/// Asks the host for every cell's totals again and again, from a thread of its own, and holds them against the ones
/// before and against what the guests have begun to send.
class auditor {
 public:
  /// How many frames the guest of a cell has begun; read after the totals. Called from the auditor's thread.
  using witness = std::function<std::uint64_t(const std::string& cell_id)>;

  auditor(live_host& host, witness begun, std::chrono::nanoseconds interval);
  ~auditor();

  struct findings {
    /// Totals of one cell looked at.
    std::uint64_t audits = 0;
    std::uint64_t most_in_flight = 0;
    /// The first few, each a sentence.
    std::vector<std::string> faults;
  };
  findings finish();

 private:
  void run();
  void audit(const cell_status& status);
  void demand(bool holds, const cell_status& status, const char* what);

  live_host& host_;
  witness begun_;
  std::chrono::nanoseconds interval_;
  /// By chain: a cell that comes back has new totals.
  std::map<std::string, run_totals> before_;
  findings found_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The totals in one line.
std::string to_text(const run_totals& totals);

}  // namespace cellos::soak
