#pragma once

#include "messages/event_seal.hpp"
#include "runtime/evidence/journal_mac.hpp"

namespace cellos {

journal_mac_ptr journal_mac_of(const event_sealing_ptr& sealing);
journal_mac_ptr former_journal_mac_of(const event_sealing_ptr& sealing);

}  // namespace cellos
