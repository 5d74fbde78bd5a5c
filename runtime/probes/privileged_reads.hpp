#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/probes/kernel_listing.hpp"
#include "runtime/probes/netlink_dump.hpp"

namespace cellos {

/// Asks for listings of one network namespace.
class listing_session {
 public:
  listing_session() = default;
  listing_session(const listing_session&) = delete;
  listing_session& operator=(const listing_session&) = delete;
  virtual ~listing_session() = default;

  /// Whether `dump`, of this number, has it all; false: it was interrupted, and another one is to be asked for.
  virtual probe_result<bool> ask(kernel_listing what, std::uint32_t number, netlink_dump& dump,
                                 monotonic_time deadline) = 0;
};

/// What probes need capabilities for. Thread-safe.
class privileged_reads {
 public:
  privileged_reads() = default;
  privileged_reads(const privileged_reads&) = delete;
  privileged_reads& operator=(const privileged_reads&) = delete;
  virtual ~privileged_reads() = default;

  /// Calls `work`, at most once, with a session in the namespace of this path; in this process's own if it is empty.
  /// An error where nobody can get there.
  virtual std::optional<probe_error> in_namespace(const std::string& path,
                                                  const std::function<void(listing_session&)>& work) = 0;

  /// /proc/PID/stat of a process that has ended and is not reaped, as somebody sees it who may know its status; an
  /// error where nobody here may. `directory`: /proc/PID.
  virtual probe_result<std::string> stat_of_ended(int directory, monotonic_time deadline) = 0;
};

using privileged_reads_ptr = std::shared_ptr<privileged_reads>;

/// With what this process may itself.
privileged_reads_ptr own_reads();

}  // namespace cellos
