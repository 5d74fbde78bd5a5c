#include "tests/soak/auditor.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace cellos::soak {

namespace {

constexpr std::size_t most_faults = 10;

bool nothing_went_back(const run_totals& before, const run_totals& now) {
  return now.received >= before.received && now.appended >= before.appended && now.heartbeats >= before.heartbeats &&
         now.refused.total() >= before.refused.total() && now.quarantined >= before.quarantined &&
         now.forged_attribution >= before.forged_attribution && now.connections >= before.connections;
}

}  // namespace

std::string to_text(const run_totals& totals) {
  return "received " + std::to_string(totals.received) + ", appended " + std::to_string(totals.appended) +
         ", heartbeats " + std::to_string(totals.heartbeats) + ", refused " + std::to_string(totals.refused.total()) +
         ", quarantined " + std::to_string(totals.quarantined) + ", in flight " + std::to_string(totals.in_flight());
}

auditor::auditor(live_host& host, witness begun, std::chrono::nanoseconds interval)
    : host_(host), begun_(std::move(begun)), interval_(interval), thread_([this] { run(); }) {}

auditor::~auditor() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

auditor::findings auditor::finish() {
  stopping_ = true;
  thread_.join();
  return std::move(found_);
}

void auditor::run() {
  const timespec pause{interval_ / std::chrono::seconds{1}, (interval_ % std::chrono::seconds{1}).count()};
  while (!stopping_) {
    for (const cell_status& status : host_.status()) audit(status);
    ::ppoll(nullptr, 0, &pause, nullptr);
  }
}

void auditor::audit(const cell_status& status) {
  ++found_.audits;
  const run_totals& totals = status.totals;
  demand(totals.settled() <= totals.received, status, "more is settled than was received");
  demand(totals.received == totals.settled() + totals.in_flight(), status, "the totals do not balance");
  if (begun_) demand(totals.received <= begun_(status.cell_id), status, "more was received than was sent");
  const auto known = before_.try_emplace(status.chain, totals).first;
  demand(nothing_went_back(known->second, totals), status, "a count went back");
  known->second = totals;
  found_.most_in_flight = std::max(found_.most_in_flight, totals.in_flight());
}

void auditor::demand(bool holds, const cell_status& status, const char* what) {
  if (holds || found_.faults.size() >= most_faults) return;
  found_.faults.push_back(status.cell_id + ": " + what + ": " + to_text(status.totals));
}

}  // namespace cellos::soak
