#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/guest_sim/frame_writer.hpp"

namespace cellos::test {

/// Stands where a LISTENER does: keeps what is delivered, and acknowledges it when asked to.
class collected_chunks {
 public:
  explicit collected_chunks(cell_intake_ptr intake) : intake_(std::move(intake)) {
    // The service may outlive this, and deliver what its guests leave when they go.
    intake_->attach(1, [delivered = delivered_](const chunk_ptr& chunk) {
      const std::lock_guard lock{delivered->mutex};
      delivered->all.emplace(chunk->sequence, chunk);
    });
  }

  /// Returns the credit of everything delivered so far.
  void acknowledge() {
    std::uint64_t last = 0;
    {
      const std::lock_guard lock{delivered_->mutex};
      if (!delivered_->all.empty()) last = delivered_->all.rbegin()->first;
    }
    if (last > 0) intake_->acknowledge(last);
  }

  std::uint64_t frames() {
    const std::lock_guard lock{delivered_->mutex};
    std::uint64_t sum = 0;
    for (const auto& [sequence, chunk] : delivered_->all) sum += chunk->frames;
    return sum;
  }
  std::uint64_t ended(chunk_ending how) {
    const std::lock_guard lock{delivered_->mutex};
    return static_cast<std::uint64_t>(std::count_if(delivered_->all.begin(), delivered_->all.end(),
                                                    [&](const auto& each) { return each.second->ending == how; }));
  }
  std::vector<chunk_ptr> chunks() {
    const std::lock_guard lock{delivered_->mutex};
    std::vector<chunk_ptr> out;
    for (const auto& [sequence, chunk] : delivered_->all) out.push_back(chunk);
    return out;
  }

 private:
  struct deliveries {
    std::mutex mutex;
    std::map<std::uint64_t, chunk_ptr> all;
  };

  cell_intake_ptr intake_;
  std::shared_ptr<deliveries> delivered_ = std::make_shared<deliveries>();
};

/// Descriptors this process has open.
inline std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return std::distance(begin(all), end(all));
}

inline std::vector<std::uint8_t> numbered_frame(std::uint64_t number) {
  guest_sim::frame_writer writer;
  writer.start();
  guest_sim::declaration declared;
  declared.source = "process.spawned";
  declared.comm = "sh";
  declared.monotonic_ns = number;
  guest_sim::write_map(writer, declared);
  const auto bytes = writer.framed();
  return {bytes.begin(), bytes.end()};
}

}  // namespace cellos::test
