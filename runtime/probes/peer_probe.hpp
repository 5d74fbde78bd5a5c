#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/probes/cgroup_probe.hpp"
#include "runtime/probes/privileged_reads.hpp"
#include "runtime/probes/probe.hpp"
#include "runtime/probes/vmm_process.hpp"

namespace cellos {

/// `host.process` of whoever connected a cell's telemetry socket last: that is its VMM. Holds no descriptor between
/// reads: a host has as many as its cells need for themselves.
///
/// As long as nobody has connected a reading has no output: there is nothing to say.
class peer_probe final : public probe {
 public:
  explicit peer_probe(std::string proc_root = "/proc", privileged_reads_ptr by = own_reads())
      : proc_root_(std::move(proc_root)), by_(std::move(by)) {}

  /// Any thread; never waits.
  void connected(named_peer peer);
  /// The control group of the VMM that was looked at last; nothing if there was none, or it was in none of its own.
  std::optional<cgroup_place> group() const;

  host_probe source() const override { return host_probe::process; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  std::optional<named_peer> take_named();
  probe_result<probe_reading> look_at(named_peer peer, const probe_context& context);
  probe_result<probe_reading> look_again(const probe_context& context);
  probe_reading ended_unseen(const named_peer& peer) const;

  const std::string proc_root_;
  const privileged_reads_ptr by_;
  mutable std::mutex mutex_;
  std::optional<named_peer> named_;
  std::optional<cgroup_place> group_;

  // The reader's own.
  process_identity identity_;
  bool named_by_pidfd_ = false;
  /// It ended, and stays so.
  std::optional<probe_reading> end_;
};

/// `host.cgroup` of the VMM that a peer_probe looks at: says nothing until that has found one.
class peer_cgroup_probe final : public probe {
 public:
  peer_cgroup_probe(std::shared_ptr<const peer_probe> peer, cgroup_roots roots)
      : peer_(std::move(peer)), roots_(std::move(roots)) {}

  host_probe source() const override { return host_probe::cgroup; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  std::shared_ptr<const peer_probe> peer_;
  cgroup_roots roots_;
};

}  // namespace cellos
