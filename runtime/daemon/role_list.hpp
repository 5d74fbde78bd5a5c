#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/daemon/boot_list.hpp"
#include "runtime/daemon/daemon_role.hpp"

namespace cellos {

/// The process's own steps, by where they stand among those of its roles.
struct process_steps {
  std::vector<boot_step> before_claims;
  std::vector<boot_step> before_serving;
  std::vector<boot_step> last;
  /// Called when the roles are undone, if the first had begun to serve.
  std::function<void()> stopped = [] {};
};

/// The roles of one process, as if they were one.
class role_list {
 public:
  role_list() = default;
  /// They outlive it; in the order in which they start.
  explicit role_list(std::vector<daemon_role*> roles) : roles_(std::move(roles)) {}

  /// The boot list of a process: all roles claim before any serves, and all serve before any answers; each part in the
  /// order of the roles.
  std::vector<boot_step> boot_steps(process_steps own) const;

  // Sums.
  std::size_t threads() const;
  served_cells cells() const;
  std::uint64_t cells_not_drained() const;

  /// One after the other, within the time that one alone may take; the first problem, if any.
  sign_of_life check_liveness(std::chrono::nanoseconds timeout) const;
  std::vector<std::string> unready_reasons() const;

  /// Why the first that cannot take it over cannot: then none does.
  std::vector<configuration_error> prepare_reload(const configuration& read) const;
  void take_over(const configuration& read, reload_report& report) const;

 private:
  std::vector<daemon_role*> roles_;
};

}  // namespace cellos
