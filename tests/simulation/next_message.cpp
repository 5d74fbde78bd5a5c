#include "tests/simulation/next_message.hpp"

#include <caf/all.hpp>
#include <caf/scheduled_actor.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "actors/interfaces.hpp"

namespace cellos::simulation {

namespace {

std::string readable_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable{
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free};
  return readable ? readable.get() : type.name();
}

std::string name_of(const caf::type_erased_tuple& content) {
  if (content.empty()) return "an empty message";
  if (content.match_element<caf::atom_value>(0)) return to_string(content.get_as<caf::atom_value>(0));
  const auto [number, type] = content.type(0);
  return type == nullptr ? caf::numbered_type_names[number - 1] : readable_name(*type);
}

void describe(next_message& next, const received_chunk& chunk) {
  next.chunk = chunk.sequence;
  next.words = "chunk " + std::to_string(chunk.sequence) + ": " + std::to_string(chunk.frames) + " frames, " +
               std::to_string(chunk.bytes.size()) + " bytes";
}

void describe(next_message& next, const batch& decoded) {
  next.chunk = decoded.chunk->sequence;
  next.cell_id = decoded.attribution->cell_id;
  next.words = "batch of chunk " + std::to_string(next.chunk) + " of " + next.cell_id + ": " +
               std::to_string(decoded.declarations.size()) + " declarations, " + std::to_string(decoded.heartbeats) +
               " heartbeats, " + std::to_string(decoded.refused.total()) + " refused";
}

void describe(next_message& next, const host_stamp& run, const quarantined_chunk& gone) {
  next.chunk = gone.sequence;
  next.cell_id = run.cell_id;
  next.words += ": chunk " + std::to_string(gone.sequence) + " of " + run.cell_id + ", in " + gone.file;
}

}  // namespace

next_message peek_at_next_message(caf::scheduled_actor& actor) {
  next_message next;
  const caf::mailbox_element* waiting = actor.mailbox().peek();
  if (waiting == nullptr) {
    next.words = "its start";
    return next;
  }
  const caf::type_erased_tuple& content = waiting->content();
  next.words = name_of(content);
  if (content.empty()) return next;
  if (content.match_element<chunk_ptr>(0)) {
    describe(next, *content.get_as<chunk_ptr>(0));
  } else if (content.match_element<batch_ptr>(0)) {
    describe(next, *content.get_as<batch_ptr>(0));
  } else if (content.size() > 2 && content.match_element<host_stamp_ptr>(1) &&
             content.match_element<quarantined_chunk>(2)) {
    describe(next, *content.get_as<host_stamp_ptr>(1), content.get_as<quarantined_chunk>(2));
  } else if (content.match_element<caf::atom_value>(0)) {
    const auto word = content.get_as<caf::atom_value>(0);
    next.is_replay = word == replay_atom::value;
    if (word == acknowledge_atom::value && content.size() > 1 && content.match_element<std::uint64_t>(1)) {
      next.acknowledged = content.get_as<std::uint64_t>(1);
      next.words += ": appended up to chunk " + std::to_string(next.acknowledged);
    }
  }
  return next;
}

}  // namespace cellos::simulation
