#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/configuration/configuration.hpp"
#include "runtime/control/reload_report.hpp"
#include "runtime/daemon/boot_list.hpp"
#include "runtime/daemon/service_notifier.hpp"

namespace cellos {

/// Of the cells that a role was asked to serve.
struct served_cells {
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
};

/// What a daemon is there for; the role of a host serves cells. A process has one or several, and none knows another:
/// what it needs of the process it was given when it was made (`daemon_process`).
///
/// Its steps come in three parts, of which every role does one before any does the next; they are undone in reverse
/// order. The main thread does both.
class daemon_role {
 public:
  daemon_role() = default;
  daemon_role(const daemon_role&) = delete;
  daemon_role& operator=(const daemon_role&) = delete;
  virtual ~daemon_role() = default;

  /// Threads that it starts beside those of the actors, at most.
  virtual std::size_t threads() const = 0;

  /// Claims, reads and binds: whatever may refuse, so that a start that is refused leaves everything as it was. Writes
  /// nothing. There are no actors yet.
  virtual std::vector<boot_step> claim_steps() = 0;
  /// Writes, and serves.
  virtual std::vector<boot_step> serve_steps() = 0;
  /// Answers whoever asks about the daemon.
  virtual std::vector<boot_step> answer_steps() { return {}; }

  // While it serves: once its `serve_steps` are done, and until the first of them is undone.

  virtual served_cells cells() const = 0;
  /// Asks all of it that must not hang, which takes `timeout` for each of two at most. Another thread.
  virtual sign_of_life check_liveness(std::chrono::nanoseconds timeout) = 0;
  /// Why it does not do all of its work at the moment. Any thread.
  virtual std::vector<std::string> unready_reasons() const = 0;

  /// Why `read` cannot be taken over; changes nothing that counts.
  virtual std::vector<configuration_error> prepare_reload(const configuration& read) = 0;
  /// Takes over what of `read` can count at once, and adds its cells to the report. `read` is what it was prepared for;
  /// no role has refused it.
  virtual void take_over(const configuration& read, reload_report& report) = 0;

  /// Cells whose end was not orderly; known once it serves no more.
  virtual std::uint64_t cells_not_drained() const = 0;
};

}  // namespace cellos
