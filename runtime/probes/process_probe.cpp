#include "runtime/probes/process_probe.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "runtime/probes/source_file.hpp"
#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

constexpr std::size_t longest_file = 16384;

std::uint64_t microseconds(std::uint64_t ticks) {
  static const auto ticks_a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return ticks / ticks_a_second * 1'000'000 + ticks % ticks_a_second * 1'000'000 / ticks_a_second;
}

std::string_view to_string(process_end::manner how) {
  switch (how) {
    case process_end::manner::exited: return "exited";
    case process_end::manner::signalled: return "signalled";
    case process_end::manner::unknown: break;
  }
  return "unknown";
}

}  // namespace

bool may_know_status(int directory) {
  std::array<char, 64> name;
  return ::readlinkat(directory, "ns/net", name.data(), name.size()) >= 0 || errno == ENOENT;
}

process_probe::process_probe(vmm_process process, privileged_reads_ptr by)
    : process_(std::move(process)), by_(std::move(by)), inputs_(json_object([this](json::object_writer& inputs) {
        inputs.text("identifiedBy", process_.named_by_pidfd ? "pidfd" : "credentials");
        inputs.number("pid", static_cast<std::uint64_t>(process_.identity.pid));
        inputs.count("startTicks", process_.identity.start_ticks);
      })) {}

process_end process_probe::end_of(const process_stat& stat, monotonic_time deadline) const {
  int status = static_cast<int>(stat.exit_status);
  if (status == 0 && !may_know_status(process_.directory.get())) {
    const auto text = by_->stat_of_ended(process_.directory.get(), deadline);
    const auto said = text ? parse_process_stat(*text) : std::nullopt;
    if (!said || said->start_ticks != process_.identity.start_ticks || !said->has_ended()) return {};
    status = static_cast<int>(said->exit_status);
  }
  if (WIFSIGNALED(status)) return {process_end::manner::signalled, WTERMSIG(status)};
  return {process_end::manner::exited, WEXITSTATUS(status)};
}

probe_reading process_probe::ended() {
  const process_end end = end_.value_or(process_end{});
  probe_reading reading{source(), inputs_, {}, std::nullopt};
  reading.output = json_object([&](json::object_writer& output) {
    write_flag(output, "alive", false);
    output.text("ended", to_string(end.how));
    if (end.how == process_end::manner::exited) output.number("exitCode", static_cast<std::uint64_t>(end.number));
    if (end.how == process_end::manner::signalled) output.number("signal", static_cast<std::uint64_t>(end.number));
  });
  return reading;
}

probe_result<probe_reading> process_probe::read(const probe_context& context) {
  const int directory = process_.directory.get();
  const auto stat_text = read_kernel_file(directory, "stat", longest_file);
  if (!stat_text) return stat_text.error();
  if (!*stat_text) return ended();
  const auto stat = parse_process_stat(**stat_text);
  if (!stat) return probe_error{probe_error_kind::malformed_source, "/proc/PID/stat has another form"};
  if (stat->start_ticks != process_.identity.start_ticks) return ended();
  // A first thread may end before the others.
  if (stat->has_ended() && has_ended(process_)) {
    if (!end_) end_ = end_of(*stat, context.deadline);
    return ended();
  }
  const auto status_text = read_kernel_file(directory, "status", longest_file);
  if (!status_text) return status_text.error();
  if (!*status_text) return ended();
  const auto status = parse_process_status(**status_text);
  if (!status) return probe_error{probe_error_kind::malformed_source, "/proc/PID/status has another form"};

  probe_reading reading{source(), inputs_, {}, std::nullopt};
  reading.output = json_object([&](json::object_writer& output) {
    write_flag(output, "alive", true);
    output.count("cpuSystemUs", microseconds(stat->system_ticks));
    output.count("cpuUserUs", microseconds(stat->user_ticks));
    output.count("peakResidentBytes", status->peak_resident_bytes);
    output.count("residentBytes", status->resident_bytes);
    output.number("seccompMode", status->seccomp_mode);
    output.text("state", std::string_view{&stat->state, 1});
    output.number("threads", stat->threads);
    output.number("uid", status->uid);
  });
  return reading;
}

}  // namespace cellos
