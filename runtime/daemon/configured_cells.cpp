#include "runtime/daemon/configured_cells.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cellos {

namespace {

/// The HOST SUPERVISOR bounds each admission and retirement itself; this only catches one that hangs. Chosen here.
constexpr std::chrono::seconds host_timeout{60};

std::map<std::string, cell_specification> by_id(const std::vector<cell_specification>& cells) {
  std::map<std::string, cell_specification> out;
  for (const cell_specification& cell : cells) out.emplace(cell.cell_id, cell);
  return out;
}

}  // namespace

configured_cells::result configured_cells::serve(const std::vector<cell_specification>& cells) {
  const specifications wanted = by_id(cells);
  {
    const std::lock_guard lock{mutex_};
    named_.clear();
    removed_.clear();
    for (const auto& [id, specification] : wanted) named_.insert(id);
  }
  // First make room: a socket path may move from one cell to another.
  std::vector<std::string> gone;
  for (const auto& [id, specification] : served_) {
    const auto still = wanted.find(id);
    if (still == wanted.end() || still->second != specification) gone.push_back(id);
  }
  retire(gone);
  for (const std::string& id : gone) served_.erase(id);
  const std::set<std::string> admitted = admissions{system_, host_, wanted}.wait();
  for (const std::string& id : admitted) served_.insert_or_assign(id, wanted.at(id));
  return {admitted.size(), wanted.size() - admitted.size()};
}

std::unique_ptr<configured_cells::admissions> configured_cells::ask_for(const std::vector<cell_specification>& cells) {
  return std::make_unique<admissions>(system_, host_, by_id(cells));
}

bool configured_cells::names(const std::string& cell_id) const {
  const std::lock_guard lock{mutex_};
  return named_.contains(cell_id);
}

std::vector<std::string> configured_cells::expected() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> out;
  std::set_difference(named_.begin(), named_.end(), removed_.begin(), removed_.end(), std::back_inserter(out));
  return out;
}

void configured_cells::set_removed(const std::string& cell_id, bool removed) {
  const std::lock_guard lock{mutex_};
  if (!removed) {
    removed_.erase(cell_id);
  } else if (named_.contains(cell_id)) {
    removed_.insert(cell_id);
  }
}

configured_cells::admissions::admissions(caf::actor_system& system, const host_supervisor_actor& host,
                                         const specifications& cells)
    : self_(system) {
  for (const auto& [id, cell] : cells) {
    asked_.emplace_back(id, self_->request(host, host_timeout, admit_atom::value, cell));
  }
}

std::set<std::string> configured_cells::admissions::wait() {
  std::set<std::string> admitted;
  for (auto& [id, answer] : asked_) {
    answer.receive([&, &which = id](const cell_status&) { admitted.insert(which); }, [](const caf::error&) {});
  }
  return admitted;
}

void configured_cells::retire(const std::vector<std::string>& cell_ids) {
  caf::scoped_actor self{system_};
  using pending = decltype(self->request(host_, host_timeout, retire_atom::value, std::string{}));
  std::vector<pending> asked;
  for (const std::string& id : cell_ids) {
    asked.push_back(self->request(host_, host_timeout, retire_atom::value, id));
  }
  for (auto& answer : asked) answer.receive([](const run_totals&) {}, [](const caf::error&) {});
}

}  // namespace cellos
