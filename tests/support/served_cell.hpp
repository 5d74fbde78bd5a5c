#pragma once

#include <spdlog/sinks/null_sink.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/events.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

/// A real socket service with one bound cell, and what it delivers.
class served_cell {
 public:
  explicit served_cell(const socket_service_options& options = {}) : service_(options, events_) {
    cell_.cell_id = "c1";
    cell_.run_id = "r1";
    cell_.vsock_uds_base = dir_ / "c1";
    cell_.expected_uid = ::geteuid();
  }

  /// False when refused; then it can be tried again.
  bool bind() {
    auto bound = service_.bind(cell_);
    refusal_ = bound.refusal.explanation;
    intake_ = std::move(bound.intake);
    if (!intake_) return false;
    intake_->attach(1, [this](chunk_ptr chunk) {
      const std::lock_guard lock{mutex_};
      delivered_.push_back(std::move(chunk));
    });
    return true;
  }

  std::string socket() const { return cell_.socket_path(); }
  const std::string& refusal() const { return refusal_; }
  intake_counts counts() const { return intake_->counts(); }

  /// What came since the last call, in order; its credit is given back.
  std::vector<chunk_ptr> take() {
    std::vector<chunk_ptr> taken;
    {
      const std::lock_guard lock{mutex_};
      taken.swap(delivered_);
    }
    if (!taken.empty()) intake_->acknowledge(taken.back()->sequence);
    return taken;
  }

  /// False if it does not end in time.
  bool drain() {
    std::atomic<bool> drained{false};
    intake_->drain([&] { drained = true; });
    return holds_within(patience, [&] { return drained.load(); });
  }

 private:
  temporary_directory dir_;
  operator_events events_{std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>()),
                          log_format::text};
  cell_specification cell_;
  std::string refusal_;
  std::mutex mutex_;
  std::vector<chunk_ptr> delivered_;
  socket_service service_;
  cell_intake_ptr intake_;
};

/// Descriptors this process has open.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) ++count;
  return count;
}

}  // namespace cellos::test
