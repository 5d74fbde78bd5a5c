#include "runtime/collector/recorded_collector_events.hpp"

#include <utility>

#include "messages/hexadecimal.hpp"

namespace cellos {

void recorded_collector_events::history_forked(std::string_view host_id, const begun_fork& fork) {
  events_.history_forked(host_id, fork);
  forked_history said;
  said.host_id = host_id;
  said.log_id = hexadecimal(fork.name.log);
  said.at = fork.contradicted;
  said.where = said.host_id + "/" + to_string(fork.name);
  recorder_.say(std::move(said));
}

}  // namespace cellos
