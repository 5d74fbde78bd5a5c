#include "runtime/daemon/role_list.hpp"

#include <algorithm>
#include <iterator>

namespace cellos {

namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

/// The first step of those that serve is the last that is undone.
void report_when_undone(boot_step& first, std::function<void()> stopped) {
  first.teardown = [undo = std::move(first.teardown), stopped = std::move(stopped)] {
    undo();
    stopped();
  };
}

}  // namespace

std::vector<boot_step> role_list::boot_steps(process_steps own) const {
  std::vector<boot_step> serving;
  for (daemon_role* role : roles_) append(serving, role->serve_steps());
  if (!serving.empty()) report_when_undone(serving.front(), std::move(own.stopped));

  std::vector<boot_step> steps = std::move(own.before_claims);
  for (daemon_role* role : roles_) append(steps, role->claim_steps());
  append(steps, std::move(own.before_serving));
  append(steps, std::move(serving));
  for (daemon_role* role : roles_) append(steps, role->answer_steps());
  append(steps, std::move(own.last));
  return steps;
}

std::size_t role_list::threads() const {
  std::size_t sum = 0;
  for (const daemon_role* role : roles_) sum += role->threads();
  return sum;
}

served_cells role_list::cells() const {
  served_cells sum;
  for (const daemon_role* role : roles_) {
    const served_cells its = role->cells();
    sum.admitted += its.admitted;
    sum.refused += its.refused;
  }
  return sum;
}

std::uint64_t role_list::cells_not_drained() const {
  std::uint64_t sum = 0;
  for (const daemon_role* role : roles_) sum += role->cells_not_drained();
  return sum;
}

sign_of_life role_list::check_liveness(std::chrono::nanoseconds timeout) const {
  sign_of_life all;
  for (daemon_role* role : roles_) {
    sign_of_life its = role->check_liveness(timeout / roles_.size());
    if (!its.problem.empty()) return its;
    all.cells += its.cells;
  }
  return all;
}

std::vector<std::string> role_list::unready_reasons() const {
  std::vector<std::string> reasons;
  for (const daemon_role* role : roles_) append(reasons, role->unready_reasons());
  return reasons;
}

std::vector<configuration_error> role_list::prepare_reload(const configuration& read) const {
  for (daemon_role* role : roles_) {
    if (std::vector<configuration_error> errors = role->prepare_reload(read); !errors.empty()) return errors;
  }
  return {};
}

void role_list::take_over(const configuration& read, reload_report& report) const {
  for (daemon_role* role : roles_) role->take_over(read, report);
}

}  // namespace cellos
