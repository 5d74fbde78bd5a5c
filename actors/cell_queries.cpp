#include "actors/cell_queries.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "actors/failure.hpp"
#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

using cell_record = host_supervisor_state::cell_record;

/// Whoever asks for all cells waits for the slowest. Chosen here.
constexpr std::chrono::seconds status_timeout{1};

/// An answer all the same: there is no such cell, yet or any more.
bool says_there_is_none(const caf::error& cause) {
  return is_failure(cause, failure::stopping) || is_failure(cause, failure::unknown_cell);
}

/// Asks every cell how it stands. A cell that does not answer in time counts as it was last seen; none is left out.
struct account_collection {
  struct question {
    std::string id;
    cell_resources_ptr cell;
    bool answered = false;
  };
  std::vector<question> asked;
  std::size_t waiting = 0;
  std::function<void(host_accounts)> done;
};
using account_collection_ptr = std::shared_ptr<account_collection>;

/// At this moment each cell is either live or among the ended: what it counted is taken once.
void one_account_less(host_pointer self, const account_collection_ptr& collection) {
  if (--collection->waiting > 0) return;
  host_accounts accounts = self->state.ended;
  const monotonic_time now = self->clock().now();
  for (const auto& [id, cell, answered] : collection->asked) {
    const cell_record* record = record_of(self->state, id, cell);
    if (record == nullptr || (answered && !record->sighting.seen())) continue;
    accounts.cells.push_back(answered ? record->sighting.last() : record->sighting.stale(now));
  }
  collection->done(std::move(accounts));
}

}  // namespace

cell_record* record_of(host_supervisor_state& state, const std::string& id, const cell_resources_ptr& cell) {
  const auto found = state.cells.find(id);
  return found != state.cells.end() && found->second.cell == cell ? &found->second : nullptr;
}

void collect_accounts(host_pointer self, std::function<void(host_accounts)> done) {
  const auto& cells = self->state.cells;
  auto collection = std::make_shared<account_collection>();
  collection->done = std::move(done);
  // One more than there are cells: whatever answers at once does not end the collection before all are asked.
  collection->waiting = cells.size() + 1;
  for (const auto& [id, record] : cells) collection->asked.push_back({id, record.cell});
  for (std::size_t i = 0; i < collection->asked.size(); ++i) {
    const cell_record& record = cells.at(collection->asked[i].id);
    if (!record.supervisor) {
      one_account_less(self, collection);
      continue;
    }
    self->request(record.supervisor, status_timeout, status_atom::value)
        .then(
            [self, collection, i](const cell_status& status) {
              auto& [id, cell, answered] = collection->asked[i];
              answered = true;
              if (cell_record* known = record_of(self->state, id, cell))
                known->sighting.see(status, self->clock().now());
              one_account_less(self, collection);
            },
            [self, collection, i](const caf::error& cause) {
              collection->asked[i].answered = says_there_is_none(cause);
              one_account_less(self, collection);
            });
  }
  one_account_less(self, collection);
}

caf::result<cell_status> ask_cell(host_pointer self, const std::string& id) {
  const auto found = self->state.cells.find(id);
  if (found == self->state.cells.end()) {
    return make_failure(failure::unknown_cell, "no cell " + escaped(id) + " is admitted");
  }
  if (!found->second.supervisor) return found->second.sighting.stale(self->clock().now());
  auto answer = self->make_response_promise<cell_status>();
  self->request(found->second.supervisor, status_timeout, status_atom::value)
      .then(
          [self, answer, id, cell = found->second.cell](cell_status& status) mutable {
            if (cell_record* known = record_of(self->state, id, cell)) known->sighting.see(status, self->clock().now());
            answer.deliver(std::move(status));
          },
          [self, answer, id, cell = found->second.cell](const caf::error& cause) mutable {
            const cell_record* known = record_of(self->state, id, cell);
            if (known == nullptr) {
              answer.deliver(make_failure(failure::unknown_cell, "cell " + escaped(id) + " is gone"));
            } else if (says_there_is_none(cause)) {
              answer.deliver(cause);
            } else {
              answer.deliver(known->sighting.stale(self->clock().now()));
            }
          });
  return answer;
}

}  // namespace cellos
