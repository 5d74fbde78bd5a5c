#include "runtime/daemon/cell_roster.hpp"

#include <algorithm>
#include <utility>

#include "runtime/daemon/settings.hpp"

namespace cellos {

namespace {

/// The HOST SUPERVISOR bounds each admission and retirement itself; this only catches one that hangs. Ours.
constexpr std::chrono::seconds host_patience{60};

}  // namespace

cell_roster::result cell_roster::serve(const std::vector<cell_configuration>& cells) {
  std::map<std::string, cell_specification> wanted;
  for (const cell_configuration& cell : cells) wanted.emplace(cell.id, specification_of(cell));
  // First make room: a socket path may move from one cell to another.
  const auto served_before = served_;
  for (const auto& [id, specification] : served_before) {
    const auto still = wanted.find(id);
    if (still == wanted.end() || still->second != specification) retire(id);
  }
  result outcome;
  for (const auto& [id, specification] : wanted) {
    ++(admit(specification) ? outcome.admitted : outcome.refused);
  }
  return outcome;
}

bool cell_roster::admit(const cell_specification& cell) {
  bool admitted = false;
  caf::scoped_actor self{system_};
  self->request(host_, host_patience, admit_atom::value, cell)
      .receive([&](const cell_status&) { admitted = true; }, [](const caf::error&) {});
  if (admitted) served_.insert_or_assign(cell.cell_id, cell);
  return admitted;
}

void cell_roster::retire(const std::string& cell_id) {
  caf::scoped_actor self{system_};
  self->request(host_, host_patience, retire_atom::value, cell_id)
      .receive([](const run_totals&) {}, [](const caf::error&) {});
  served_.erase(cell_id);
}

}  // namespace cellos
