// What the process does while its roles serve: waits for signals, and takes over a changed configuration.

#include <optional>
#include <utility>
#include <variant>

#include "runtime/configuration/load.hpp"
#include "runtime/daemon/awaited_signals.hpp"
#include "runtime/daemon/daemon_process.hpp"

namespace cellos {

namespace {

/// A signal without meaning is reported at most this often. Chosen here.
constexpr std::chrono::seconds ignored_interval{1};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

}  // namespace

void daemon_process::serve_until_signal() {
  std::optional<monotonic_time> last_reported;
  std::uint64_t held_back = 0;
  while (true) {
    const received_signal received = wait_for_signal();
    switch (meaning_of(received.number)) {
      case signal_meaning::reload: reload(); break;
      case signal_meaning::drain: events().daemon_draining(signal_name(received.number)); return;
      case signal_meaning::nothing: {
        const auto now = std::chrono::steady_clock::now();
        if (last_reported && now - *last_reported < ignored_interval) {
          ++held_back;
          events().signal_held_back();
          break;
        }
        last_reported = now;
        events().signal_ignored(signal_name(received.number), received.sender, std::exchange(held_back, 0));
      }
    }
  }
}

/// For whoever asked until now: those who ask meanwhile are answered by the next one.
void daemon_process::reload() {
  notifier_.reloading();
  const std::vector<reload_reply> asked = reloads_.take();
  const configuration_outcome read = load_configuration(file_);
  const auto* errors = std::get_if<std::vector<configuration_error>>(&read);
  const reload_report report = errors != nullptr ? refuse_reload(*errors) : take_over(std::get<configuration>(read));
  for (const reload_reply& each : asked) each(report);
  notifier_.reloaded(report.errors.empty() ? std::optional<std::uint64_t>{report.refused} : std::nullopt);
}

/// A bad file changes nothing.
reload_report daemon_process::refuse_reload(const std::vector<configuration_error>& errors) {
  std::vector<std::string> problems;
  for (const configuration_error& error : errors) problems.push_back(to_string(error));
  events().reload_refused(problems);
  return {errors, 0, 0, {}};
}

/// Whatever of a changed file can count at once.
reload_report daemon_process::take_over(const configuration& read) {
  if (const auto errors = roles_.prepare_reload(read); !errors.empty()) return refuse_reload(errors);
  reload_report report;
  report.restart_needed = restart_needed_for(settings_, read);
  if (!report.restart_needed.empty()) events().restart_needed(joined(report.restart_needed));
  events().set_level(read.log.level);
  roles_.take_over(read, report);
  events().reloaded(report.cells, report.refused);
  return report;
}

}  // namespace cellos
