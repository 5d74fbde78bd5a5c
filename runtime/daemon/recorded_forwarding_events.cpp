#include "runtime/daemon/recorded_forwarding_events.hpp"

#include "messages/hexadecimal.hpp"
#include "runtime/forwarding/forwarding_files.hpp"

namespace cellos {

void recorded_forwarding_events::noted(const delivery_event& event, std::string_view collector,
                                       std::string_view cause) {
  events_.noted(event, collector, cause);
  if (event.note != delivery_note::history_forked) return;
  forked_history said;
  said.log_id = hexadecimal(read_or_make_log_id(evidence_dir_).id);
  said.at = event.from;
  said.where = collector;
  chain_.say({std::move(said)});
}

}  // namespace cellos
