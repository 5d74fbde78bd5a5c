#pragma once

#include <caf/all.hpp>

#include <cstdint>
#include <vector>

#include "actors/interfaces.hpp"

/// What actors on different nodes say to each other: an atom, a version, bytes of messages/node_codec. No type of ours
/// is in these messages, so that nodes of different versions understand each other.
namespace cellos {

using hello_atom = caf::atom_constant<caf::atom("hello")>;
using lines_atom = caf::atom_constant<caf::atom("lines")>;
using ping_atom = caf::atom_constant<caf::atom("ping")>;

/// INGEST: one for each authenticated connection, at the collector; it knows whose certificate came, and takes lines of
/// that host alone. The only actor that a host has a handle to.
using ingest_actor = caf::typed_actor<
    // A forwarder's first word, with the version of its codec. Answers with a welcome, or why not.
    caf::replies_to<hello_atom, std::uint32_t, std::vector<char>>::with<std::vector<char>>,
    // Lines from one place of the log on. Answers in order, once they are durable or it is known that they are not.
    caf::replies_to<lines_atom, std::vector<char>>::with<std::vector<char>>,
    // The host lives, and its log reaches so far.
    caf::reacts_to<alive_atom, std::vector<char>>>;

/// Whoever greets an INGEST answers when it is asked whether it lives.
using pinged_actor = caf::typed_actor<caf::replies_to<ping_atom>::with<ping_atom>>;

}  // namespace cellos
