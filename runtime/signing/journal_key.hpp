#pragma once

#include <vector>

#include "messages/event_seal.hpp"
#include "runtime/signing/journal_mac.hpp"
#include "runtime/signing/key_list.hpp"

/// What the keys of a sealing are to the recovery of its log.
namespace cellos {

/// HMAC-SHA256 with a key derived from the sealing's; plain SHA-256 where it has none, which guards against accidents
/// alone.
journal_mac_ptr journal_mac_of(const event_sealing_ptr& sealing);

/// The same of the former key; null if there is none.
journal_mac_ptr former_journal_mac_of(const event_sealing_ptr& sealing);

/// The keys whose signatures are this host's own.
key_list own_keys(const event_sealing_ptr& sealing);

/// Seals the last events of chains that were begun under `former`: each is signed where those were, as far as there is
/// a key. Null for `off`.
event_sealing_ptr sealing_for_ending(const signing_statement& former, const event_sealing_ptr& sealing);

}  // namespace cellos
