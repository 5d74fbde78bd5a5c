#include "runtime/daemon/probe_privileges.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "runtime/os/capabilities.hpp"
#include "runtime/probes/reader_process.hpp"

namespace cellos {

namespace {

/// This very program, whatever has its name by now.
constexpr const char* own_program = "/proc/self/exe";

bool needs_capabilities(const cell_specification& cell) {
  return cell.probes.nft_table.has_value() || cell.probes.network_namespace.has_value();
}

/// root has all of them by chance; who is not was given them for probes.
bool is_asked_for(const configuration& settings) {
  switch (settings.probes.privileged) {
    case privileged_reading::always: return true;
    case privileged_reading::never: return false;
    default: return ::geteuid() != 0 || std::ranges::any_of(settings.cells, needs_capabilities);
  }
}

/// Empty, or why there is none.
std::string start_reader(probe_privileges& into) {
  const capability_sets has = present_capabilities();
  if ((has.permitted & probe_capabilities()) == 0) {
    return "the daemon was given none of " + to_words(probe_capabilities()) +
           "; see config/systemd/examples/probes.conf";
  }
  // A change of nothing: whether one is let.
  if (const auto refused = set_capabilities(has)) {
    return "capabilities cannot be given up (" + refused.message() + "); a unit needs SystemCallFilter=capset";
  }
  auto started = privileged_reader::start(own_program);
  if (auto* refused = std::get_if<std::string>(&started)) return std::move(*refused);
  auto reader = std::get<std::shared_ptr<privileged_reader>>(std::move(started));
  const auto refused = drop_capabilities(probe_capabilities());
  if (refused) return "capabilities cannot be given up: " + refused.message();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs cannot be had";
  into.reads = reader;
  into.reader = std::move(reader);
  return {};
}

}  // namespace

probe_privileges separate_probe_privileges(const configuration& settings) {
  probe_privileges result;
  if (!is_asked_for(settings)) return result;
  const bool is_bound_to = settings.probes.privileged == privileged_reading::always;
  const bool has_any = (present_capabilities().permitted & probe_capabilities()) != 0;
  // Nobody gave any: what needs them says so itself.
  if (!has_any && !is_bound_to) return result;
  (is_bound_to ? result.refusal : result.shortfall) = start_reader(result);
  return result;
}

std::string report_to(operator_events& events, const probe_privileges& of) {
  if (!of.shortfall.empty()) events.privileged_reader_failed(of.shortfall);
  if (!of.reader) return of.refusal;
  of.reader->report_to([&events, has = to_words(of.reader->capabilities())](const std::optional<std::string>& failing) {
    failing ? events.privileged_reader_failed(*failing) : events.privileged_reader_started(has);
  });
  return {};
}

void report_to_nobody(const probe_privileges& of) {
  if (of.reader) of.reader->report_to(nullptr);
}

}  // namespace cellos
